"""``sessions list`` and ``revoke``: where people are signed in, and how to end it."""

from typing import Any

import click
import structlog
from flask.cli import AppGroup

from accounts import admin_acts, export
from accounts import sessions as rows
from accounts.activity import COMMAND_LINE
from commands.console import (
    confirm_action,
    display_name,
    find_user,
    find_users,
    format_time,
    json_option,
    needs_database,
    print_result,
    yes_option,
)
from errors import NotFound
from models import Session
from storage import db, is_id
from web.text.devices import device_name
from web.text.words import count_of

log = structlog.get_logger()

sessions = AppGroup("sessions", help="List and end sessions.")


@sessions.command("list")
@click.argument("user")
@json_option
@needs_database
def list_sessions(user: str, *, as_json: bool) -> None:
    """List where a user is signed in, last seen first.

    USER is an id, provider:subject or an e-mail address, which several people may have.
    """
    found = find_users(user)
    items: list[dict[str, Any]] = []
    lines = []
    for person in found:
        living = rows.of_user(person.id)
        items += [{"user_id": person.id, **export.session(row)} for row in living]
        lines += [
            f"{person.id}  {display_name(person)}: "
            + (count_of(len(living), "session") if living else "signed in nowhere"),
            *(f"  {format_session(row)}" for row in living),
        ]
    print_result({"items": items, "total": len(items)}, lines, as_json=as_json)


def format_session(row: Session) -> str:
    """Write a session as one line."""
    where = f"{device_name(row.user_agent)}, {row.address or 'unknown address'}"
    return f"{row.id}  {where}, by {row.provider}, last seen {format_time(row.last_seen_at)}"


@sessions.command("revoke")
@click.argument("session", required=False)
@click.option("--user", "who", metavar="ID", help="All sessions of this user.")
@click.option("--all", "everybody", is_flag=True, help="All sessions of everybody.")
@yes_option
@json_option
@needs_database
def revoke(
    session: str | None, who: str | None, *, everybody: bool, yes: bool, as_json: bool
) -> None:
    """End one session, a user's sessions, or all.

    They are invalid from the next request on. --user takes an id or provider:subject. Signed-out
    people may sign in again; to lock a person out, disable the account.
    """
    if [session is not None, who is not None, everybody].count(True) != 1:
        raise click.UsageError("Name one of: SESSION, --user ID, --all.")
    if session is not None:
        count = _revoke_session(session)
    elif who is not None:
        count = admin_acts.end_sessions(find_user(who).id, COMMAND_LINE)
    else:
        confirm_action("Sign everybody out, everywhere?", yes=yes)
        count = admin_acts.end_everybodys_sessions(COMMAND_LINE)
        log.warning("all_sessions_ended", count=count)
    print_result({"ended": count}, [f"Sessions ended: {count}"], as_json=as_json)


def _revoke_session(session_id: str) -> int:
    """End one session; return how many have ended."""
    row = db.session.get(Session, session_id) if is_id(session_id) else None
    if row is None:
        raise NotFound("There is no such session, or it has expired")
    admin_acts.end_session(row.user_id, row.id, COMMAND_LINE)
    return 1
