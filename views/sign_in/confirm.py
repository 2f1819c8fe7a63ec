"""The questions between a callback and its end: connect, switch, merge.

Nothing happens before the answer. The flow waits with what it brought, for this browser and,
where somebody was signed in, for them only, for 10 minutes.
"""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

import accounts
from accounts import flows, sessions
from accounts.flows import Parked
from accounts.rules import Known, NeedsProof
from errors import Expired, FormOld
from models import Session
from providers.base import Grant
from storage.database import atomic
from telemetry import metrics
from views.sign_in.login import answer_sign_in
from web.context import site
from web.cookies import flow_cookies
from web.guards import (
    ask_for_proof,
    caller,
    count_action,
    current_session,
    is_proved,
    keep_session,
    needs_recent,
    this_session,
)

confirm = Blueprint("confirm", __name__)
confirm.before_request(count_action)


@confirm.get("/login/confirm")
def ask() -> str | Response:
    parked = _parked(request.args.get("flow", ""))
    return QUESTIONS[parked.waiting_for](parked)


@confirm.post("/login/confirm")
def answer() -> Response:
    parked = _parked(request.form.get("flow", ""))
    act = ANSWERS.get((parked.waiting_for, request.form.get("answer", "")))
    if act is None:
        raise FormOld("no such answer to this question")
    return act(parked)


def _parked(flow_id: str) -> Parked:
    session = current_session()
    return flows.parked(
        flow_id,
        cookies=flow_cookies(),
        user_id=session.user_id if session else None,
        session_id=session.id if session else None,
    )


def _render(template: str, parked: Parked, **facts: object) -> str:
    profile = parked.grant.profile
    return render_template(
        f"confirm/{template}.html",
        flow=parked.attempt.id,
        provider=parked.grant.provider,
        new=site().label(parked.grant.provider),
        email=profile.email,
        masked=mask(profile.email),
        handle=profile.email or (profile.username and f"@{profile.username}") or profile.name,
        return_to=parked.attempt.return_to,
        **facts,
    )


def mask(email: str | None) -> str:
    """An address that its owner recognises and nobody else learns: a•••@example.com."""
    local, _, domain = (email or "").rpartition("@")
    return f"{local[:1]}•••@{domain}" if local else ""


# An account has this address: prove it, then connect.


def _ask_proof(parked: Parked) -> str | Response:
    decision = accounts.sign_in_preview(parked.grant, site().policy)
    if not isinstance(decision, NeedsProof):
        raise Expired("the identity no longer waits for a proof")
    if not decision.may_connect:
        return _render("perhaps", parked)
    session = current_session()
    is_theirs = session is not None and session.user_id in decision.user_ids
    opening = accounts.providers_of(decision.user_ids, site().policy)
    old = [name for name in site().providers if name in opening]
    others = sorted(site().label(name) for name in opening - set(old))
    if session and is_theirs:
        if not is_proved(session):
            return ask_for_proof(url_for("confirm.ask", act="connect", flow=parked.attempt.id))
        return _render("connect", parked, old=site().label(session.provider))
    return _render(
        "conflict",
        parked,
        old=old,
        labels=[site().label(name) for name in old],
        only_apps=" or ".join(others) if not old else "",
        may_create=decision.may_create,
        wrong=session is not None or "wrong" in request.args,
    )


def _connect(parked: Parked) -> Response:
    session = current_session()
    if session is None or not is_proved(session):
        return redirect(url_for("confirm.ask", flow=parked.attempt.id), 303)
    keep_session(_connect_now(parked, session))
    metrics.count_sign_in(parked.grant.provider, "linked")
    flash(f"{site().label(parked.grant.provider)} connected. You can now sign in with it.", "ok")
    return _done(parked)


@atomic
def _connect_now(parked: Parked, session: Session) -> str:
    flows.take(parked.attempt)
    accounts.connect(session.user_id, parked.grant, site().policy, caller())
    return sessions.renew(session.id)


def _create(parked: Parked) -> Response:
    """An account of its own, beside the one with the same address."""
    flows.take(parked.attempt)
    return answer_sign_in(parked.attempt, parked.grant, signed_in_as=None, separate=True)


# The browser is signed in to another account.


def _ask_switch(parked: Parked) -> str:
    decision = accounts.sign_in_preview(parked.grant, site().policy)
    return _render("switch", parked, is_new=not isinstance(decision, Known))


def _switch(parked: Parked) -> Response:
    flows.take(parked.attempt)
    return answer_sign_in(parked.attempt, parked.grant, signed_in_as=None, separate=False)


# The identity opens another account of the same person.


def _ask_merge(parked: Parked) -> str:
    return _render("merge", parked, **_what_moves(parked.grant))


def _what_moves(grant: Grant) -> dict[str, object]:
    other = accounts.owner_of(grant)
    if other is None or other.id == this_session().user_id:
        raise Expired("the identity opens no other account any more")
    return {
        "identities": [
            (site().label(identity.provider), identity.handle) for identity in other.identities
        ],
        "sessions": len(sessions.of_user(other.id)),
        "since": other.created_at,
    }


@needs_recent
def _merge(parked: Parked) -> Response:
    keep_session(_merge_now(parked, this_session()))
    metrics.count_sign_in(parked.grant.provider, "merged")
    flash("Accounts merged.", "ok")
    return _done(parked)


@atomic
def _merge_now(parked: Parked, session: Session) -> str:
    flows.take(parked.attempt)
    accounts.merge(session.user_id, parked.grant, caller())
    return sessions.renew(session.id)


def _leave(parked: Parked) -> Response:
    """No: everything stays as it was."""
    flows.take(parked.attempt)
    return _done(parked)


def _done(parked: Parked) -> Response:
    return redirect(parked.attempt.return_to, 303)


QUESTIONS: dict[str, Callable[[Parked], str | Response]] = {
    "prove": _ask_proof,
    "switch": _ask_switch,
    "merge": _ask_merge,
}
ANSWERS: dict[tuple[str, str], Callable[[Parked], Response]] = {
    ("prove", "connect"): _connect,
    ("prove", "not_now"): _leave,
    ("prove", "create"): _create,
    ("switch", "switch"): _switch,
    ("switch", "stay"): _leave,
    ("merge", "merge"): _merge,
    ("merge", "keep"): _leave,
}
