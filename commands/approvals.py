"""``users approve`` and ``reject``: accounts that wait for approval (SIGNUPS=approval)."""

import click
from flask.cli import AppGroup, with_appcontext

import accounts
from accounts.activity import COMMAND_LINE
from commands.console import (
    confirm_action,
    display_name,
    find_user,
    json_option,
    needs_database,
    print_result,
    yes_option,
)

NOT_WAITING = "This account does not wait for approval."


@click.command("approve")
@click.argument("user")
@json_option
@with_appcontext
@needs_database
def approve(user: str, *, as_json: bool) -> None:
    """Let a user in whose account waits for approval.

    Browsers in which they have signed in are let in immediately. USER is an id or provider:subject.
    """
    person = find_user(user)
    if not accounts.approve(person.id, COMMAND_LINE):
        raise click.ClickException(NOT_WAITING)
    said = f"{display_name(person)} is approved."
    print_result({"id": person.id, "pending_at": None}, [said], as_json=as_json)


@click.command("reject")
@click.argument("user")
@yes_option
@json_option
@with_appcontext
@needs_database
def reject(user: str, *, yes: bool, as_json: bool) -> None:
    """Delete an account that waits for approval.

    Its person can sign in again, and waits again; to keep a person out, use users disable. USER is
    an id or provider:subject.
    """
    person = find_user(user)
    name = display_name(person)
    if not person.is_pending:
        raise click.ClickException(NOT_WAITING)
    confirm_action(f"Reject {name}, {person.id}, and delete the account for good?", yes=yes)
    if accounts.reject(person.id, COMMAND_LINE) is None:
        raise click.ClickException(NOT_WAITING)
    print_result({"id": person.id}, [f"{name} is rejected, and deleted."], as_json=as_json)


def register(group: AppGroup) -> None:
    group.add_command(approve)
    group.add_command(reject)
