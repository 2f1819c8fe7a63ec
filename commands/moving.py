"""``users move-identity``: a way to sign in, moved to the account that its person had before."""

import click
from flask.cli import AppGroup, with_appcontext

from accounts import admin_acts, directory
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
from models import Identity
from web.text.words import count_of


@click.command("move-identity")
@click.argument("identity")
@click.argument("user")
@yes_option
@json_option
@with_appcontext
@needs_database
def move_identity(identity: str, user: str, *, yes: bool, as_json: bool) -> None:
    """Move an identity to another account of the same person.

    For a person whose account at the provider was deleted and made again: it has a new subject, so
    it opens a new account here. Be sure who asks: whoever has the identity gets the account.
    Sessions that it started end; an account that is left without identities is deleted. Both
    accounts' activity says so. IDENTITY is provider:subject or an identity's id; USER, the account
    to move it to, is an id or provider:subject.
    """
    found, person = find_identity(identity), find_user(user)
    name = display_name(person)
    question = f"Move {found.provider}:{found.subject} ({found.handle}) to {name}, {person.id}?"
    confirm_action(question, yes=yes)
    moved = admin_acts.move_identity(found.id, person.id, COMMAND_LINE)
    document = {
        "id": found.id,
        "user_id": person.id,
        "from_user_id": moved.from_user_id,
        "from_user_deleted": moved.is_deleted,
        "sessions_ended": moved.sessions,
    }
    said = f"Moved to {name}. {count_of(moved.sessions, 'session')} ended."
    gone = f"Account {moved.from_user_id} had no other identity and is deleted."
    print_result(document, [said, *([gone] if moved.is_deleted else [])], as_json=as_json)


def register(group: AppGroup) -> None:
    group.add_command(move_identity)


def find_identity(text: str) -> Identity:
    """Return the one identity that an argument means; ends the command otherwise."""
    found = directory.find_identities(text)
    if not found:
        raise click.ClickException("There is no such identity.")
    if len(found) > 1:
        ids = ", ".join(each.id for each in found)
        raise click.BadParameter(f"several identities match. Use the id: {ids}")
    return found[0]
