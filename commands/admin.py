"""``users admin``, ``admin link`` and ``admin log``: who administers this site, and their acts."""

from typing import Any

import click
from flask.cli import AppGroup, with_appcontext

from accounts import admin_acts, admin_links, admin_log, admins
from accounts.activity import COMMAND_LINE
from accounts.export import iso_time
from accounts.models import AdminAct
from commands.console import (
    display_name,
    find_user,
    format_time,
    json_option,
    needs_database,
    print_note,
    print_result,
    site,
)
from web.text.admin_acts import act_words
from web.text.words import count_of

admin = AppGroup("admin", help="Give the right to administer by a link, and read what was done.")

MAX_ACTS = 1000


@click.command("admin")
@click.argument("user")
@click.option("--remove", is_flag=True, help="Take the right away.")
@json_option
@with_appcontext
@needs_database
def change_admin(user: str, *, remove: bool, as_json: bool) -> None:
    """Make a user an administrator, who may use /admin.

    With --remove the right ends, from the next request on. USER is an id or provider:subject; an
    e-mail address is refused, because whoever claims it may not own it.
    """
    person = find_user(user)
    if remove:
        if admins.is_named(person, site().policy):
            raise click.ClickException("ADMINS names an identity of this user. Remove it there.")
        admin_acts.unmake_admin(person.id, COMMAND_LINE)
    else:
        admins.make(person.id, COMMAND_LINE)
    said = "is no administrator" if remove else "is an administrator"
    document = {"id": person.id, "admin": not remove}
    print_result(document, [f"{display_name(person)} {said}."], as_json=as_json)
    if not remove and site().settings.admin == "off":
        print_note("ADMIN is off, so there are no pages for them.")


def register(users: AppGroup) -> None:
    """Add ``admin`` to the commands about users."""
    users.add_command(change_admin)


@admin.command("link")
@json_option
@needs_database
def link(*, as_json: bool) -> None:
    """Print a link that makes one person an administrator.

    The first who opens it within 15 minutes, signed in, and confirms, has the right from then on.
    """
    settings = site().settings
    if settings.admin == "off":
        raise click.ClickException("ADMIN is off, so the link could not be opened.")
    token = admin_links.make(COMMAND_LINE)
    url = f"{settings.base_url}/admin/become/{token}"
    print_result({"url": url, "minutes": admin_links.MINUTES}, [url], as_json=as_json)


@admin.command("log")
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_ACTS),
    default=admin_log.PAGE_SIZE,
    show_default=True,
    help="Maximum number of acts.",
)
@click.option("--after", metavar="ID", help="Continue after this act, the last that was shown.")
@json_option
@needs_database
def show_log(limit: int, after: str | None, *, as_json: bool) -> None:
    """List what administrators did in the last 180 days, by command or on pages, newest first."""
    found = admin_log.page(after, limit)
    lines = [_format_act(row) for row in found] or ["Nothing yet."]
    print_result({"items": [_act(row) for row in found]}, lines, as_json=as_json)
    if not as_json and len(found) == limit:
        print_note(f"{count_of(len(found), 'act')}. There may be more: --after {found[-1].id}")


def _format_act(row: AdminAct) -> str:
    whom = f"  {row.user_id or row.target}" if row.user_id or row.target else ""
    return f"{format_time(row.at)}  {row.admin_name}  {act_words(row)}{whom}"


def _act(row: AdminAct) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": iso_time(row.at),
        "act": row.act,
        "admin_id": row.admin_id,
        "admin_name": row.admin_name,
        "user_id": row.user_id,
        "target": row.target,
        "detail": row.detail,
        "address": row.address,
        "reference": row.reference,
    }
