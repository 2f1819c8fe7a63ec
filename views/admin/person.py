"""One person, as an administrator sees them, and what an administrator may do."""

import json
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from access import groups
from accounts import (
    activity,
    admin_acts,
    admin_log,
    admins,
    directory,
    explanations,
    linking,
    sessions,
    telling,
)
from errors import LastAdmin, LastWayIn, NotFound, Problem
from issuer import consents, personal_data
from models import Identity, User
from storage import is_id, now
from vault import tokens
from views.account.names import handles_of, name_sessions
from views.account.overview import event_rows
from views.admin.people import act_rows
from web.administration import admin_caller, protect_admin
from web.authentication import this_session
from web.context import site
from web.text.devices import device_name
from web.text.messages import message
from web.text.safety import HOLDS, SUSPENSIONS
from web.text.standings import STANDINGS

person = Blueprint("admin_person", __name__, url_prefix="/admin/people/<user_id>")
protect_admin(person)

SHOWN_EVENTS = SHOWN_ACTS = 25


@person.get("")
def show(user_id: str) -> str:
    user = find_person(user_id)
    return render_template(
        "admin/person.html",
        person=user,
        is_admin=admins.is_admin(user, site().policy),
        is_named=admins.is_named(user, site().policy),
        is_self=user.id == this_session().user_id,
        rows=_ways_in(user.identities),
        sessions=_session_rows(user.id),
        groups=groups.reasons(user.id),
        access=explanations.explain(user.id, site().policy),
        standings=STANDINGS,
        suspensions=SUSPENSIONS,
        holds=HOLDS,
        label_of=site().label,
        apps=consents.of_user(user.id),
        has_mail=bool(telling.addresses(user.id)),
        events=event_rows(activity.recent(user.id, limit=SHOWN_EVENTS)),
        acts=act_rows(admin_log.page(limit=SHOWN_ACTS, user_id=user.id)),
    )


def find_person(user_id: str) -> User:
    """Return the person of an id. Raises NotFound."""
    found = directory.find(user_id) if is_id(user_id) else []
    if not found:
        raise NotFound("no such person")
    return found[0]


def _ways_in(identities: Sequence[Identity]) -> list[dict[str, Any]]:
    handles = handles_of(identities)
    return [
        {
            "identity": row,
            "label": site().label(row.provider),
            "handle": handles[row.id],
            "is_usable": site().can_use(row),
            "state": tokens.state(row),
            "is_removable": bool(linking.others_usable(identities, row.id, site().policy)),
        }
        for row in identities
    ]


def _session_rows(user_id: str) -> list[dict[str, Any]]:
    rows = [
        {
            "session": row,
            "device": device_name(row.user_agent),
            "label": site().label(row.provider),
            "is_this": row.id == this_session().id,
        }
        for row in sessions.of_user(user_id)
    ]
    name_sessions(rows)
    return rows


def _back(user_id: str, code: str, **values: str) -> Response:
    """Redirect to the person's page, which says what was done."""
    flash(message(code, **values), "ok")
    return redirect(url_for("admin_person.show", user_id=user_id), 303)


@person.errorhandler(LastAdmin)
@person.errorhandler(LastWayIn)
def refuse(error: Problem) -> Response:
    """Say on the person's page why nothing was changed."""
    flash(message("only_admin" if isinstance(error, LastAdmin) else "only_way_in"), "problem")
    user_id = (request.view_args or {})["user_id"]
    return redirect(url_for("admin_person.show", user_id=user_id), 303)


@person.post("/disable")
def disable(user_id: str) -> Response:
    ended = admin_acts.disable(user_id, admin_caller(), site().policy)
    return _back(user_id, "account_disabled", number=str(ended))


@person.post("/enable")
def enable(user_id: str) -> Response:
    admin_acts.enable(user_id, admin_caller())
    return _back(user_id, "account_enabled")


@person.post("/sessions/end")
def end_sessions(user_id: str) -> Response:
    ended = admin_acts.end_sessions(find_person(user_id).id, admin_caller())
    return _back(user_id, "sessions_ended", number=str(ended))


@person.post("/sessions/<session_id>/end")
def end_session(user_id: str, session_id: str) -> Response:
    ended = admin_acts.end_session(find_person(user_id).id, session_id, admin_caller())
    return _back(user_id, "device_signed_out", device=device_name(ended.user_agent))


@person.post("/groups")
def join_group(user_id: str) -> Response:
    """Put the person into a group by hand."""
    name = request.form.get("name", "").strip()
    if not groups.is_name(name):
        flash(message("group_name"), "problem")
        return redirect(url_for("admin_person.show", user_id=user_id), 303)
    admin_acts.join_group(find_person(user_id).id, name, admin_caller())
    return _back(user_id, "group_joined", group=name)


@person.post("/groups/<name>/leave")
def leave_group(user_id: str, name: str) -> Response:
    if name not in groups.of_user(find_person(user_id).id):
        raise NotFound("not in that group")
    admin_acts.leave_group(user_id, name, admin_caller())
    return _back(user_id, "group_left", group=name)


@person.post("/unmake-admin")
def unmake_admin(user_id: str) -> Response:
    """Take the right to administer away."""
    admin_acts.unmake_admin(find_person(user_id).id, admin_caller(), site().policy)
    return _back(user_id, "admin_unmade")


@person.post("/export")
def export(user_id: str) -> Response:
    """Export what is stored about the person, as one JSON file."""
    document = personal_data.export(find_person(user_id).id, admin_caller())
    text = json.dumps(document, indent=2, ensure_ascii=False)
    response = Response(text, mimetype="application/json")
    response.headers["Content-Disposition"] = (
        f'attachment; filename="account-{user_id}-{now():%Y-%m-%d}.json"'
    )
    return response


@person.get("/identities/<identity_id>/remove")
def ask_unlink(user_id: str, identity_id: str) -> str:
    return render_template("admin/unlink.html", **_way_in(user_id, identity_id))


@person.post("/identities/<identity_id>/remove")
def unlink(user_id: str, identity_id: str) -> Response:
    """Remove a sign-in method, but never the last that works."""
    row = _way_in(user_id, identity_id)
    admin_acts.unlink(user_id, identity_id, site().policy, admin_caller())
    return _back(user_id, "removed", provider=row["label"])


def _way_in(user_id: str, identity_id: str) -> dict[str, Any]:
    user = find_person(user_id)
    for row in _ways_in(user.identities):
        if row["identity"].id == identity_id:
            if not row["is_removable"]:
                raise LastWayIn
            return row | {"person": user}
    raise NotFound("no such identity of this account")


@person.get("/delete")
def ask_delete(user_id: str) -> str:
    return render_template("admin/delete.html", person=find_person(user_id), wrong=False)


@person.post("/delete")
def delete(user_id: str) -> Response | tuple[str, int]:
    """Delete the account after its id is typed."""
    user = find_person(user_id)
    if request.form.get("confirm", "").strip() != user.id:
        return render_template("admin/delete.html", person=user, wrong=True), 400
    admin_acts.delete(user.id, admin_caller(), site().policy)
    flash(message("account_deleted"), "ok")
    return redirect(url_for("admin.people"), 303)
