"""``users lift``, ``release`` and ``keep``: undoing what was done for a person's safety."""

import click
from flask.cli import AppGroup, with_appcontext

from accounts import reinstating
from accounts.activity import COMMAND_LINE
from commands.console import (
    display_name,
    find_user,
    json_option,
    needs_database,
    print_result,
)
from commands.moving import find_identity


@click.command("lift")
@click.argument("identity")
@json_option
@with_appcontext
@needs_database
def lift(identity: str, *, as_json: bool) -> None:
    """Lift the suspension of an identity: it opens its account again.

    It was suspended because its provider said that somebody else got in there, or that the account
    is off, or because the person said that it is not theirs. IDENTITY is provider:subject or an
    identity's id.
    """
    found = find_identity(identity)
    if not reinstating.lift_suspension(found.user_id, found.id, COMMAND_LINE):
        raise click.ClickException("This identity is not suspended.")
    said = f"{found.provider}:{found.subject} opens its account again."
    document = {"id": found.id, "user_id": found.user_id, "suspended_at": None}
    print_result(document, [said], as_json=as_json)


@click.command("release")
@click.argument("user")
@json_option
@with_appcontext
@needs_database
def release(user: str, *, as_json: bool) -> None:
    """Release the hold on an account: it can be changed again.

    USER is an id or provider:subject.
    """
    person = find_user(user)
    if not reinstating.release_hold(person.id, COMMAND_LINE):
        raise click.ClickException("This account is not on hold.")
    said = f"{display_name(person)} is not on hold any more."
    print_result({"id": person.id, "held_at": None}, [said], as_json=as_json)


@click.command("keep")
@click.argument("user")
@json_option
@with_appcontext
@needs_database
def keep(user: str, *, as_json: bool) -> None:
    """Call off the planned deletion of an account that nothing opens any more.

    USER is an id or provider:subject.
    """
    person = find_user(user)
    if not reinstating.keep(person.id, COMMAND_LINE):
        raise click.ClickException("No deletion of this account is planned.")
    said = f"{display_name(person)} is kept."
    print_result({"id": person.id, "delete_due_at": None}, [said], as_json=as_json)


def register(group: AppGroup) -> None:
    for command in (lift, release, keep):
        group.add_command(command)
