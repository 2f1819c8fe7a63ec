"""The account page: identities, sessions, activity, and the reauthentication for sensitive acts."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound as PageNotFound
from werkzeug.wrappers import Response

import accounts
from accounts import activity, sessions
from accounts.flows import Intent
from errors import LastWayIn, NotFound
from models import Identity
from providers.protocols.flask_dance import visit_provider
from views.account.names import handles_of, name_sessions
from views.sign_in.flow_gate import begin_flow
from web.authentication import this_session, this_user
from web.context import site
from web.guards import BOUND, LIMITED, SIGNED_IN, protect
from web.onward import go_on
from web.reauthentication import ask_to_reauthenticate, has_fresh_auth, needs_fresh_auth
from web.request_info import caller
from web.request_state import request_state
from web.return_to import asked_return
from web.sign_in_page import MANY
from web.text.devices import device_name
from web.text.events import sentence
from web.text.messages import message
from web.text.words import ACTS, other_sessions

account = Blueprint("account", __name__, url_prefix="/account")
protect(account, LIMITED, SIGNED_IN, BOUND)

# The sensitive act, by the page that asks to sign in again.
ACT_OF_PAGE = {
    "/account/unlink/": "unlink",
    "/account#methods": "link",
    "/login/confirm?act=connect": "connect",
    "/account/data": "download",
    "/account/delete": "delete",
    "/login/confirm": "merge",
    "/admin/become": "become_admin",
    "/admin": "administer",
}
SHOWN_EVENTS = 5
SHOWN_SESSIONS = 5


@account.get("")
def show() -> str:
    identities = accounts.identities_of(this_session().user_id)
    return render_template(
        "account.html",
        user=this_user(),
        connectable=connectable(identities),
        many=MANY,
        rows=sign_in_methods(identities),
        sessions=session_rows()[:SHOWN_SESSIONS],
        events=event_rows(activity.recent(this_session().user_id, limit=SHOWN_EVENTS)),
    )


def connectable(identities: Sequence[Identity]) -> list[dict[str, Any]]:
    """Return the providers to connect; those connected already last, for another account there."""
    connected = {identity.provider for identity in identities}
    rows = [
        {"name": name, "label": site().label(name), "is_connected": name in connected}
        for name in site().connectors
    ]
    return sorted(rows, key=lambda row: row["is_connected"])


def sign_in_methods(identities: Sequence[Identity]) -> list[dict[str, Any]]:
    """Return the identities, each with a handle that no other of its provider has."""
    rows = [identity_row(identity, identities) for identity in identities]
    handles = handles_of(identities)
    for row in rows:
        row["handle"] = handles[row["identity"].id]
        row["others"] = [f"{site().label(o.provider)} ({handles[o.id]})" for o in row["others"]]
    return rows


def identity_row(identity: Identity, identities: Sequence[Identity]) -> dict[str, Any]:
    others = accounts.others_usable(identities, identity.id, site().policy)
    firebase = site().firebase
    return {
        "identity": identity,
        "label": site().label(identity.provider),
        "is_usable": site().can_use(identity),
        "is_in_app": bool(firebase and firebase.passes_on(identity.provider, identity.issuer)),
        "is_provable": site().policy.can_verify_ownership(identity.provider, identity.issuer),
        "is_this": identity.id == this_session().identity_id,
        "is_removable": bool(others),
        "others": others,
    }


# Link and unlink.


@account.post("/link/<provider>")
def link(provider: str) -> Response:
    """Begin to link, after a recent authentication; bound to this person, this session and this
    flow."""
    connector = site().connectors.get(provider)
    if connector is None:
        raise PageNotFound
    methods = url_for("account.show", _anchor="methods")
    if not has_fresh_auth(this_session()):
        return ask_to_reauthenticate(methods)
    flow = begin_flow(provider, Intent.LINK, return_to=url_for("account.show"))
    return go_on(visit_provider(connector, flow), to=connector.label)


@account.get("/unlink/<identity_id>")
@needs_fresh_auth
def ask_unlink(identity_id: str) -> str:
    row = _own_row(identity_id)
    if not row["is_removable"]:
        raise LastWayIn
    email = this_user().email_without(identity_id)
    ended = sessions.count_of_identity(identity_id, this_session().id)
    return render_template(
        "unlink.html", **row, email=email, moves=email != this_user().email, ended=ended
    )


@account.post("/unlink/<identity_id>")
@needs_fresh_auth
def unlink(identity_id: str) -> Response:
    session = this_session()
    was_this = session.identity_id == identity_id
    removed = accounts.unlink(session.user_id, identity_id, site().policy, session.id, caller())
    told = message(
        "removed_this" if was_this else "removed", provider=site().label(removed.identity.provider)
    )
    if removed.sessions:
        told += " " + message("ended_with_it", number=str(removed.sessions))
    flash(told, "ok")
    return redirect(url_for("account.show"), 303)


def _own_row(identity_id: str) -> dict[str, Any]:
    identities = accounts.identities_of(this_session().user_id)
    for row in sign_in_methods(identities):
        if row["identity"].id == identity_id:
            return row
    raise NotFound("no such identity of this account")


# Reauthentication.


@account.get("/reauth")
def reauth() -> str | Response:
    """Show "Confirm it's you", with the identities of this account."""
    return_to = asked_return(request.args, url_for("account.show"))
    if has_fresh_auth(this_session()) and "always" not in request.args:
        return redirect(return_to)
    identities = accounts.identities_of(this_session().user_id)
    act = _act_before(return_to)
    rows = [row for row in sign_in_methods(identities) if row["is_provable"]]
    if act == "administer" and (allowed := site().settings.admin_providers):
        rows = [row for row in rows if row["identity"].provider in allowed]
    app = site().destination_of(return_to)
    if app and app.form_target:
        request_state().form_targets = (app.form_target,)
    return render_template(
        "reauth.html",
        rows=rows,
        offered=Counter(row["label"] for row in rows),
        return_to=return_to,
        action=ACTS[act],
        app=app,
    )


def _act_before(return_to: str) -> str:
    """Return the sensitive act that a person signs in again for."""
    own_path = return_to.removeprefix(request.root_path)
    return next((act for path, act in ACT_OF_PAGE.items() if own_path.startswith(path)), "change")


@account.post("/reauth/<identity_id>")
def begin_reauth(identity_id: str) -> Response:
    identity = _own_row(identity_id)["identity"]
    connector = site().connectors.get(identity.provider)
    if connector is None:
        raise PageNotFound
    return_to = asked_return(request.form, url_for("account.show"))
    flow = begin_flow(
        identity.provider, Intent.REAUTHENTICATE, return_to=return_to, identity_id=identity.id
    )
    return go_on(visit_provider(connector, flow), to=connector.label)


# Sessions.


@account.get("/sessions")
def show_sessions() -> str:
    return render_template("sessions.html", sessions=session_rows())


def session_rows() -> list[dict[str, Any]]:
    """Return the sessions: this device first, then by last use."""
    this = this_session().id
    rows = [
        {
            "session": session,
            "device": device_name(session.user_agent),
            "label": site().label(session.provider),
            "is_this": session.id == this,
        }
        for session in sessions.of_user(this_session().user_id)
    ]
    name_sessions(rows)
    return sorted(rows, key=lambda row: not row["is_this"])


@account.post("/sessions/<session_id>/end")
def end_session(session_id: str) -> Response:
    """Sign one other device out."""
    session = this_session()
    ended = accounts.end_session(session.user_id, session_id, caller(), session.id)
    flash(message("device_signed_out", device=device_name(ended.user_agent)), "ok")
    return redirect(url_for("account.show_sessions"), 303)


@account.post("/sessions/end-others")
def end_other_sessions() -> Response:
    session = this_session()
    count = accounts.end_other_sessions(session.user_id, caller(), session.id)
    flash(message("others_signed_out", sessions=other_sessions(count)), "ok")
    return redirect(url_for("account.show_sessions"), 303)


# Activity.


@account.get("/activity")
def show_activity() -> str:
    before = request.args.get("before")
    page = activity.recent(this_session().user_id, before, activity.PAGE_SIZE + 1)
    shown = page[: activity.PAGE_SIZE]
    return render_template(
        "activity.html",
        events=event_rows(shown),
        older=shown[-1].id if len(page) > len(shown) else None,
        is_first=before is None,
    )


def event_rows(events: Any) -> list[dict[str, Any]]:
    return [
        {
            "event": event,
            "sentence": sentence(event, site().label(event.provider)),
            "device": device_name(event.user_agent),
        }
        for event in events
    ]
