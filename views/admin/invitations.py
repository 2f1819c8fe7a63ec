"""Invitations: links that open an account, made, listed and withdrawn."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from access import groups
from access import invitations as rows
from access.invitations import MAX_DAYS, MAX_USES
from accounts import admin_acts
from notices import mails
from providers.profile import clean_email
from storage import is_id
from web.administration import admin_caller, protect_admin
from web.context import site
from web.text.messages import message

invitations = Blueprint("admin_invitations", __name__, url_prefix="/admin/invitations")
protect_admin(invitations)

PAGE_SIZE = 25
# A box that is not checked sends nothing.
ASKED = {"email": "", "groups": "", "uses": "1", "days": "7", "bypass": "", "mail": ""}


@dataclass
class Wanted:
    """The values of a form, and the faults of its fields by name, as codes of messages."""

    email: str | None
    groups: list[str]
    uses: int
    days: int
    bypass: bool
    faults: dict[str, str] = field(default_factory=dict)


@invitations.get("")
def show_all() -> str:
    """Show the invitations, newest first, and the form that makes one."""
    return _page(ASKED, {})


def _page(asked: Mapping[str, str], faults: Mapping[str, str]) -> str:
    after = request.args.get("after", "")
    found = rows.kept(PAGE_SIZE + 1, after)
    shown = found[:PAGE_SIZE]
    return render_template(
        "admin/invitations.html",
        invitations=shown,
        asked=asked,
        faults={name: message(code) for name, code in faults.items()},
        signups=site().policy.signups,
        sends_mail=mails.is_on(),
        most={"uses": MAX_USES, "days": MAX_DAYS},
        is_first=not after,
        after=shown[-1].id if len(found) > len(shown) else None,
    )


@invitations.post("")
def add() -> str | tuple[str, int]:
    """Make an invitation, and show its link: only its hash is stored, so this page is the only one
    that has it."""
    asked = {name: request.form.get(name, "").strip() for name in ASKED}
    wanted = _read(asked)
    if wanted.faults:
        return _page(asked, wanted.faults), 400
    is_mailed = asked["mail"] == "yes" and wanted.email is not None and mails.is_on()
    invitation, token = admin_acts.add_invitation(
        admin_caller(),
        email=wanted.email,
        groups=wanted.groups,
        uses=wanted.uses,
        days=wanted.days,
        bypass=wanted.bypass,
        is_mailed=is_mailed,
    )
    link = f"{site().settings.base_url}/join/{token}"
    return render_template(
        "admin/invitation.html", invitation=invitation, link=link, is_mailed=is_mailed
    )


def _read(asked: Mapping[str, str]) -> Wanted:
    email = clean_email(asked["email"])
    names = [name for name in re.split(r"[\s,]+", asked["groups"]) if name]
    uses, days = _number(asked["uses"]), _number(asked["days"])
    wanted = Wanted(email, names, uses, days, bypass=asked["bypass"] == "yes")
    if asked["email"] and email is None:
        wanted.faults["email"] = "invitation_email"
    if not all(groups.is_name(name) for name in names):
        wanted.faults["groups"] = "group_name"
    if not 1 <= wanted.uses <= MAX_USES:
        wanted.faults["uses"] = "invitation_uses"
    if not 1 <= wanted.days <= MAX_DAYS:
        wanted.faults["days"] = "invitation_days"
    return wanted


def _number(text: str) -> int:
    """Return a whole number; 0 for what is none."""
    return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0


@invitations.post("/<invitation_id>/remove")
def remove(invitation_id: str) -> Response:
    """Withdraw an invitation. Accounts that it opened stay."""
    if not is_id(invitation_id) or not admin_acts.remove_invitation(invitation_id, admin_caller()):
        raise NotFound
    flash(message("invitation_removed"), "ok")
    return redirect(url_for("admin_invitations.show_all"), 303)
