"""Events: what happened to the accounts of everybody, by kind, provider and reference."""

from typing import Any

from flask import Blueprint, render_template, request

from accounts import activity, directory
from accounts.activity import EventKind
from views.account.overview import event_rows
from web.administration import protect_admin
from web.context import site

events = Blueprint("admin_events", __name__, url_prefix="/admin/events")
protect_admin(events)

PAGE_SIZE = 50
REFERENCE_MAX = 16


@events.get("")
def show() -> str:
    """Show events, newest first."""
    asked = {name: request.args.get(name, "").strip() for name in ("kind", "provider", "reference")}
    asked["reference"] = asked["reference"][:REFERENCE_MAX].upper()
    before = request.args.get("after")
    found = activity.across(**_known(asked), before=before, limit=PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    names = directory.names({event.user_id for event in shown})
    return render_template(
        "admin/events.html",
        rows=[row | {"name": names.get(row["event"].user_id)} for row in event_rows(shown)],
        asked=asked,
        kinds=sorted(EventKind),
        providers={name: site().label(name) for name in site().connectors},
        is_first=before is None,
        after=shown[-1].id if len(found) > len(shown) else None,
    )


def _known(asked: dict[str, str]) -> dict[str, Any]:
    """Return the filters; a kind that does not exist is left out."""
    kind = asked["kind"] if asked["kind"] in list(EventKind) else ""
    return asked | {"kind": kind}
