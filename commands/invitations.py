"""``invitations add``, ``list`` and ``remove``: links that open an account."""

from typing import Any

import click
from flask.cli import AppGroup

from access import invitations as rows
from access.groups import is_name
from access.invitations import MAX_DAYS, MAX_USES, Invitation
from accounts import admin_acts
from accounts.activity import COMMAND_LINE
from accounts.export import iso_time
from commands.console import (
    format_time,
    json_option,
    needs_database,
    print_note,
    print_result,
    site,
)
from commands.groups import NAME_RULE
from notices import mails
from providers.profile import clean_email
from storage import is_id

invitations = AppGroup("invitations", help="Invite people: links that open an account.")

MOST_SHOWN = 1000


def check_email(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    """Return an address. Raises BadParameter."""
    email = clean_email(text) if text else None
    if text is not None and email is None:
        raise click.BadParameter("must be one e-mail address")
    return email


def check_groups(
    _context: click.Context, _option: click.Parameter, texts: tuple[str, ...]
) -> list[str]:
    """Return the names of groups; several may stand in one text. Raises BadParameter."""
    names = [name for text in texts for name in text.split(",")]
    if not all(is_name(name) for name in names):
        raise click.BadParameter(NAME_RULE)
    return names


@invitations.command("add")
@click.option(
    "--email",
    metavar="ADDRESS",
    callback=check_email,
    help="Only for a person whose sign-in has this address, verified.",
)
@click.option(
    "--groups",
    metavar="NAMES",
    multiple=True,
    callback=check_groups,
    help="Put them into these groups, such as staff,editors.",
)
@click.option(
    "--uses",
    type=click.IntRange(1, MAX_USES),
    default=1,
    show_default=True,
    help="How many accounts it may open.",
)
@click.option(
    "--days",
    type=click.IntRange(1, MAX_DAYS),
    default=7,
    show_default=True,
    help="How long it may be used.",
)
@click.option(
    "--bypass",
    is_flag=True,
    help="Let them in whether a rule of ACCESS_FILE does or not; [deny] still keeps them out.",
)
@click.option("--mail", "is_mailed", is_flag=True, help="Send the link to that address too.")
@json_option
@needs_database
def add(
    email: str | None,
    groups: list[str],
    uses: int,
    days: int,
    *,
    bypass: bool,
    is_mailed: bool,
    as_json: bool,
) -> None:
    """Make an invitation, and print its link, once.

    A person who opens the link can sign in with any provider and gets an account; with
    SIGNUPS=invited nobody else does. Send the link to its person only.
    """
    settings = site().settings
    if settings.signups == "closed":
        print_note("SIGNUPS is closed, so this link opens no account yet. Set SIGNUPS=invited.")
    if is_mailed and not email:
        raise click.UsageError("--mail needs --email")
    if is_mailed and not mails.is_on():
        raise click.UsageError("--mail needs MAIL_URL: this site sends no mail")
    invitation, token = admin_acts.add_invitation(
        COMMAND_LINE,
        email=email,
        groups=groups,
        uses=uses,
        days=days,
        bypass=bypass,
        is_mailed=is_mailed,
    )
    link = f"{settings.base_url}/join/{token}"
    lines = [f"id: {invitation.id}", f"link: {link}", f"expires: {iso_time(invitation.expires_at)}"]
    print_result(_describe(invitation) | {"link": link}, lines, as_json=as_json)


@invitations.command("list")
@json_option
@needs_database
def list_invitations(*, as_json: bool) -> None:
    """List the latest 1000 invitations, newest first, also those that were used or have expired.

    Links are not shown: only their hashes are stored.
    """
    found = rows.kept(MOST_SHOWN)
    lines = [_format_row(each) for each in found] or ["No invitations."]
    print_result({"items": [_describe(each) for each in found]}, lines, as_json=as_json)


@invitations.command("remove")
@click.argument("invitation")
@json_option
@needs_database
def remove(invitation: str, *, as_json: bool) -> None:
    """Withdraw an invitation: its link opens no account any more.

    Accounts that it opened stay. INVITATION is an id.
    """
    if not is_id(invitation) or not admin_acts.remove_invitation(invitation, COMMAND_LINE):
        raise click.ClickException("There is no such invitation.")
    print_result({"id": invitation}, ["The invitation is withdrawn."], as_json=as_json)


def _describe(invitation: Invitation) -> dict[str, Any]:
    """Return what --json shows of an invitation."""
    return {
        "id": invitation.id,
        "email": invitation.email,
        "groups": invitation.groups,
        "bypass": invitation.bypass,
        "uses": invitation.uses,
        "used": invitation.used,
        "created_at": iso_time(invitation.created_at),
        "expires_at": iso_time(invitation.expires_at),
    }


def _format_row(invitation: Invitation) -> str:
    parts = [
        f"used {invitation.used} of {invitation.uses}",
        f"expires {format_time(invitation.expires_at)}",
        f"for {invitation.email or 'anybody'}",
    ]
    if invitation.groups:
        parts.append(f"groups {' '.join(invitation.groups)}")
    if invitation.bypass:
        parts.append("beats the rules of access")
    return f"{invitation.id}  {', '.join(parts)}"
