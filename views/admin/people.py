"""People: found by name, address, identity or id; and the log of what administrators did."""

from typing import Any, cast, get_args

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from accounts import admin_log, admins, directory
from accounts.filters import Only
from models import User
from web.administration import protect_admin
from web.context import site
from web.text.admin_acts import act_words

admin = Blueprint("admin", __name__, url_prefix="/admin")
protect_admin(admin)

ALL_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@admin.get("")
def home() -> Response:
    return redirect(url_for("admin.people"))


@admin.route("", methods=ALL_METHODS[1:])
@admin.route("/<path:_rest>", methods=ALL_METHODS)
def nothing(_rest: str = "") -> Response:
    """Answer whatever else is asked here, so that nobody learns which addresses exist."""
    raise NotFound


@admin.get("/people")
def people() -> str:
    """Show the people whom a search finds: 25, newest account first."""
    text, only = request.args.get("q", ""), _only()
    after = request.args.get("after")
    size = directory.SEARCH_PAGE_SIZE
    stop = directory.stop_of(text, after) if only == "stranded" else None
    found = directory.search(
        text, site().policy, only=only, after=after, until=stop, limit=size + 1
    )
    shown = found[:size]
    return render_template(
        "admin/people.html",
        rows=[person_row(user) for user in shown],
        text=text[: directory.SEARCH_MAX_CHARACTERS],
        shown=only,
        waiting=0 if text or only or after else directory.count(only_pending=True),
        is_first=after is None,
        among=directory.STRANDED_AMONG if stop else None,
        after=shown[-1].id if len(found) > len(shown) else stop,
    )


def _only() -> Only:
    asked = request.args.get("show", "")
    return cast(Only, asked) if asked in get_args(Only) else ""


def person_row(user: User) -> dict[str, Any]:
    return {
        "user": user,
        "is_admin": admins.is_admin(user, site().policy),
        "providers": sorted({site().label(each.provider) for each in user.identities}),
    }


@admin.get("/log")
def log() -> str:
    """Show what administrators did, newest first."""
    after = request.args.get("after")
    found = admin_log.page(after, admin_log.PAGE_SIZE + 1)
    shown = found[: admin_log.PAGE_SIZE]
    return render_template(
        "admin/log.html",
        acts=act_rows(shown),
        is_first=after is None,
        after=shown[-1].id if len(found) > len(shown) else None,
    )


def act_rows(found: Any) -> list[dict[str, Any]]:
    return [{"act": row, "words": act_words(row)} for row in found]
