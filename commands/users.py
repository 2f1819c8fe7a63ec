"""``users show``, ``list``, ``disable``, ``enable``, ``delete`` and ``export``."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from flask.cli import AppGroup

from accounts import admin_acts, admins, directory, export, sessions
from accounts.activity import COMMAND_LINE
from accounts.export import iso_time
from commands.console import (
    confirm_action,
    display_name,
    find_user,
    find_users,
    format_time,
    json_option,
    needs_database,
    print_note,
    print_result,
    site,
    yes_option,
)
from commands.progress import show_progress
from commands.sessions import format_session
from issuer import personal_data
from models import User
from vault import revocations, tokens
from web.text.words import count_of

users = AppGroup("users", help="Find, disable, export and delete users.")

PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000


@users.command("show")
@click.argument("user")
@json_option
@needs_database
def show(user: str, *, as_json: bool) -> None:
    """Show a user.

    Name, address, identities, sessions, last activity. USER is an id, provider:subject or an e-mail
    address. Several people may have an address, verified or not: all of them are shown.
    """
    found = find_users(user)
    seen = directory.last_seen([person.id for person in found])
    if len(found) > 1:
        print_note(f"{len(found)} users match.")
    lines = [each for person in found for each in _format_user(person, seen.get(person.id))]
    items = [_full(person, seen.get(person.id)) for person in found]
    print_result({"items": items}, lines, as_json=as_json)


def _summary(user: User, seen_at: datetime | None) -> dict[str, Any]:
    """Return what --json shows of a user in a list."""
    email = user.email_identity
    return {
        "id": user.id,
        "name": user.name or None,
        "email": email.email if email else None,
        "email_verified": bool(email and email.email_verified),
        "created_at": iso_time(user.created_at),
        "disabled_at": iso_time(user.disabled_at),
        "pending_at": iso_time(user.pending_at),
        "held_at": iso_time(user.held_at),
        "delete_due_at": iso_time(user.delete_due_at),
        "admin": admins.is_admin(user, site().policy),
        "last_activity_at": iso_time(seen_at),
        "providers": [identity.provider for identity in user.identities],
    }


def _full(user: User, seen_at: datetime | None) -> dict[str, Any]:
    """Return what --json shows of one user."""
    return _summary(user, seen_at) | {
        "identities": [
            export.identity(row)
            | {"token": tokens.state(row), "suspended_at": iso_time(row.suspended_at)}
            for row in user.identities
        ],
        "sessions": [export.session(row) for row in sessions.of_user(user.id)],
    }


def _format_user(user: User, seen_at: datetime | None) -> list[str]:
    """Write a user as lines for people."""
    email = user.email_identity
    verified = "verified" if email and email.email_verified else "not verified"
    living = sessions.of_user(user.id)
    lines = [
        f"id             {user.id}",
        f"name           {user.name or 'none'}",
        f"e-mail         {f'{email.email} ({verified})' if email else 'none'}",
        f"created        {format_time(user.created_at)}",
        f"disabled       {format_time(user.disabled_at) if user.disabled_at else 'no'}",
        *([f"waiting since  {format_time(user.pending_at)}"] if user.is_pending else []),
        *([f"on hold since  {format_time(user.held_at)}"] if user.held_at else []),
        *([f"to be deleted  {format_time(user.delete_due_at)}"] if user.delete_due_at else []),
        f"administrator  {'yes' if admins.is_admin(user, site().policy) else 'no'}",
        f"last activity  {format_time(seen_at)}",
        f"identities     {len(user.identities)}",
    ]
    for row in user.identities:
        lines.append(f"  {row.provider}:{row.subject}  {row.handle}")
        lines.append(
            f"    id {row.id}, linked {format_time(row.linked_at)}, "
            f"last used {format_time(row.last_used_at)}, "
            f"token {tokens.state(row)}"
            f"{', suspended' if row.suspended_at else ''}"
        )
    return [
        *lines,
        f"sessions       {len(living)}",
        *(f"  {format_session(row)}" for row in living),
        "",
    ]


@users.command("list")
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_PAGE_SIZE),
    default=PAGE_SIZE,
    show_default=True,
    help="Maximum number of users.",
)
@click.option(
    "--after", metavar="ID", help="Continue after this user, the last of the previous page."
)
@click.option(
    "--search",
    metavar="TEXT",
    default="",
    help="Only people with words in their name that begin so, or with this address or identity.",
)
@click.option("--disabled", is_flag=True, help="Only disabled users.")
@click.option("--pending", is_flag=True, help="Only users who wait for approval.")
@json_option
@needs_database
def list_users(
    limit: int, after: str | None, search: str, *, disabled: bool, pending: bool, as_json: bool
) -> None:
    """List users, newest first, page by page, with their total."""
    try:
        found = directory.page(
            limit + 1, after, only_disabled=disabled, only_pending=pending, text=search
        )
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--after") from None
    shown = found[:limit]
    cursor = shown[-1].id if len(found) > limit else None
    seen = directory.last_seen([user.id for user in shown])
    items = [_summary(user, seen.get(user.id)) for user in shown]
    lines = [_format_row(user) for user in shown] or ["Nobody."]
    total = directory.count(only_disabled=disabled, only_pending=pending, text=search)
    document = {"items": items, "total": total, "next_cursor": cursor}
    print_result(document, lines, as_json=as_json)
    if not as_json:
        more = f" There are more: --after {cursor}" if cursor else ""
        print_note(f"{len(shown)} of {count_of(total, 'user')}.{more}")


def _format_row(user: User) -> str:
    """Write a user as one line of a list."""
    providers = ", ".join(identity.provider for identity in user.identities)
    off = "" if user.is_active else ", disabled"
    off += ", waiting for approval" if user.is_pending else ""
    return f"{user.id}  {format_time(user.created_at)}  {display_name(user)}  {providers}{off}"


@users.command("disable")
@click.argument("user")
@json_option
@needs_database
def disable(user: str, *, as_json: bool) -> None:
    """Disable an account.

    Its sessions, tokens and sign-ins stop working immediately. Nothing is deleted; enable undoes
    it, except for the sessions. USER is an id or provider:subject.
    """
    person = find_user(user)
    count = admin_acts.disable(person.id, COMMAND_LINE)
    document = {"id": person.id, "disabled_at": iso_time(_reload_user(person).disabled_at)}
    said = f"{display_name(person)} is disabled. Sessions ended: {count}"
    print_result(document | {"sessions_ended": count}, [said], as_json=as_json)


@users.command("enable")
@click.argument("user")
@json_option
@needs_database
def enable(user: str, *, as_json: bool) -> None:
    """Enable an account again.

    Its person may sign in, and has to: the sessions are gone. USER is an id or provider:subject.
    """
    person = find_user(user)
    admin_acts.enable(person.id, COMMAND_LINE)
    document = {"id": person.id, "disabled_at": None}
    print_result(document, [f"{display_name(person)} is enabled."], as_json=as_json)


def _reload_user(person: User) -> User:
    """Read a user again after a change."""
    return directory.find(person.id)[0]


@users.command("delete")
@click.argument("user")
@yes_option
@json_option
@needs_database
def delete(user: str, *, yes: bool, as_json: bool) -> None:
    """Delete an account for good.

    Does the same as the button on the account page: identities, their tokens, sessions and activity
    are deleted immediately; tokens are revoked at the providers soon after. USER is an id or
    provider:subject.
    """
    person = find_user(user)
    name = display_name(person)
    confirm_action(f"Delete {name}, {person.id}, for good?", yes=yes)
    deleted = admin_acts.delete(person.id, COMMAND_LINE)
    waiting = revocations.waiting().count
    document = {
        "id": person.id,
        "identities": len(deleted.identities),
        "sessions": deleted.sessions,
        "events": deleted.events,
        "grants_waiting": waiting,
    }
    gone = (
        f"{name} is deleted, with {count_of(len(deleted.identities), 'identity', 'identities')}, "
        f"{count_of(deleted.sessions, 'session')} and "
        f"{count_of(deleted.events, 'line of activity', 'lines of activity')}."
    )
    left = (
        f"Pending revocations: {waiting}. "
        "The server sends them by itself; flask --app app revocations run sends them now."
    )
    print_result(document, [gone, left] if waiting else [gone], as_json=as_json)


@users.command("export")
@click.argument("user")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this new file, which only you can read.",
)
@click.option(
    "--json", "_as_json", is_flag=True, help="No effect: the output is always one JSON document."
)
@needs_database
def export_account(user: str, output: Path | None, *, _as_json: bool) -> None:
    """Export everything that is stored about a user, as JSON.

    It is the document that the account page offers for download, without tokens. USER is an id or
    provider:subject.
    """
    person = find_user(user)
    handle = None if output is None else _create_private_file(output)
    with show_progress() as progress:
        progress.report("reading the account")
        document = personal_data.export(person.id, COMMAND_LINE)
    text = json.dumps(document, indent=2, ensure_ascii=handle is None)
    if handle is None:
        click.echo(text)
        return
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(f"{text}\n")
    print_note(f"Written to {output}.")


def _create_private_file(path: Path) -> int:
    """Create a file that only its owner can read, from its first byte on; it must not exist."""
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise click.ClickException(f"{path} already exists.") from None
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from None
