"""The pending questions between a callback and its end: connect, switch, merge, keep.

Nothing happens before the answer. The flow waits with its assertion, for this browser and, if a
person was signed in, for that person only, for 10 minutes.
"""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

import accounts
from accounts import orphans, questions, sessions
from accounts.begun import Begun
from accounts.decisions import Known, NeedsOwnership
from accounts.questions import PendingQuestion, Question
from errors import Expired, FormOld
from models import Session
from providers.base import Assertion
from storage import atomic
from telemetry import metrics
from views.sign_in.answer import answer_sign_in
from web.authentication import current_session, this_session, this_user
from web.context import site
from web.cookies import flow_cookies
from web.guards import LIMITED, protect
from web.invitation import kept_invitation_id
from web.onward import go_back
from web.reauthentication import ask_to_reauthenticate, has_fresh_auth, needs_fresh_auth
from web.request_info import caller
from web.session_cookie import keep_session_token
from web.text.messages import message
from web.text.words import mask

confirm = Blueprint("confirm", __name__)
protect(confirm, LIMITED)


@confirm.get("/login/confirm", endpoint="ask")
def show_question() -> str | Response:
    question = _question(request.args.get("flow", ""))
    return QUESTIONS[question.waiting_for](question)


@confirm.post("/login/confirm", endpoint="answer")
def answer_question() -> Response:
    question = _question(request.form.get("flow", ""))
    act = ANSWERS.get((question.waiting_for, request.form.get("answer", "")))
    if act is None:
        raise FormOld("no such answer to this question")
    return act(question)


def _question(flow_id: str) -> PendingQuestion:
    session = current_session()
    return questions.find(
        flow_id,
        cookies=flow_cookies(),
        user_id=session.user_id if session else None,
        session_id=session.id if session else None,
    )


def _render(template: str, question: PendingQuestion, **facts: object) -> str:
    profile = question.assertion.profile
    return render_template(
        f"confirm/{template}.html",
        flow=question.flow.id,
        provider=question.assertion.provider,
        new=site().label(question.assertion.provider),
        email=profile.email,
        masked=mask(profile.email),
        handle=profile.email or (profile.username and f"@{profile.username}") or profile.name,
        return_to=question.flow.return_to,
        **facts,
    )


# An account has this address: verify ownership, then connect.


def _ask_ownership(question: PendingQuestion) -> str | Response:
    decision = accounts.sign_in_preview(question.assertion, site().policy, kept_invitation_id())
    if not isinstance(decision, NeedsOwnership):
        raise Expired("the identity no longer waits for its owner")
    session = current_session()
    is_theirs = session is not None and session.user_id in decision.user_ids
    opening = accounts.providers_of(decision.user_ids, site().policy)
    old = [name for name in site().connectors if name in opening]
    others = sorted(site().label(name) for name in opening - set(old))
    if session and is_theirs:
        if not has_fresh_auth(session):
            return ask_to_reauthenticate(
                url_for("confirm.ask", act="connect", flow=question.flow.id)
            )
        return _render("connect", question, old=site().label(session.provider))
    return _render(
        "conflict",
        question,
        old=old,
        labels=[site().label(name) for name in old],
        only_apps=" or ".join(others) if not old else "",
        may_create=decision.may_create,
        is_same_provider=question.assertion.provider in opening,
        wrong=session is not None or "wrong" in request.args,
    )


def _connect(question: PendingQuestion) -> Response:
    session = current_session()
    if session is None or not has_fresh_auth(session):
        return redirect(url_for("confirm.ask", flow=question.flow.id), 303)
    keep_session_token(_connect_now(question, session))
    metrics.count_sign_in(question.assertion.provider, "linked")
    flash(message("connected", provider=site().label(question.assertion.provider)), "ok")
    return _done(question)


@atomic
def _connect_now(question: PendingQuestion, session: Session | Begun) -> str:
    # Accounts are locked before flows; a deletion of the account takes its flows after it.
    accounts.connect(session.user_id, question.assertion, site().policy, caller(), session.id)
    questions.take(question.flow)
    return sessions.renew(session.id)


def _create(question: PendingQuestion) -> Response:
    """Create a separate account next to the one with the same address."""
    questions.take(question.flow)
    return answer_sign_in(question.flow, question.assertion, signed_in_as=None, separate=True)


# The browser is signed in to another account.


def _ask_switch(question: PendingQuestion) -> str:
    decision = accounts.sign_in_preview(question.assertion, site().policy)
    return _render("switch", question, is_new=not isinstance(decision, Known))


def _switch(question: PendingQuestion) -> Response:
    questions.take(question.flow)
    return answer_sign_in(question.flow, question.assertion, signed_in_as=None, separate=False)


# The identity opens another account, which the person owns too.


def _ask_merge(question: PendingQuestion) -> str:
    return _render("merge", question, **_what_merges(question.assertion))


def _what_merges(assertion: Assertion) -> dict[str, object]:
    """Return what moves, what stays and what ends."""
    other = accounts.owner_of(assertion)
    if other is None or other.id == this_session().user_id:
        raise Expired("the identity opens no other account any more")
    return {
        "identities": [
            (site().label(identity.provider), identity.handle) for identity in other.identities
        ],
        "sessions": len(sessions.of_user(other.id)),
        "since": other.created_at,
        "address": accounts.address_after(this_user(), other),
    }


@needs_fresh_auth
def _merge(question: PendingQuestion) -> Response:
    keep_session_token(_merge_now(question, this_session()))
    metrics.count_sign_in(question.assertion.provider, "merged")
    flash(message("account_merged"), "ok")
    return _done(question)


@atomic
def _merge_now(question: PendingQuestion, session: Session | Begun) -> str:
    accounts.merge(session.user_id, question.assertion, caller(), session.id)
    questions.take(question.flow)
    return sessions.renew(session.id)


# The account is about to be deleted.


def _ask_to_keep(question: PendingQuestion) -> str:
    owner = accounts.owner_of(question.assertion)
    if owner is None or owner.delete_due_at is None:
        raise Expired("the account is not about to be deleted any more")
    return _render("keep", question, due_at=owner.delete_due_at)


def _keep(question: PendingQuestion) -> Response:
    owner = accounts.owner_of(question.assertion)
    if owner is None:
        raise Expired("the account was deleted meanwhile")
    _keep_now(question, owner.id)
    return answer_sign_in(question.flow, question.assertion, signed_in_as=None, separate=False)


@atomic
def _keep_now(question: PendingQuestion, user_id: str) -> None:
    orphans.keep(user_id, caller())
    questions.take(question.flow)


def _leave(question: PendingQuestion) -> Response:
    """Answer no: nothing changes."""
    questions.take(question.flow)
    return _done(question)


def _done(question: PendingQuestion) -> Response:
    return go_back(question.flow.return_to, 303)


QUESTIONS: dict[Question, Callable[[PendingQuestion], str | Response]] = {
    Question.VERIFY_OWNERSHIP: _ask_ownership,
    Question.SWITCH_ACCOUNT: _ask_switch,
    Question.MERGE: _ask_merge,
    Question.KEEP_ACCOUNT: _ask_to_keep,
}
ANSWERS: dict[tuple[Question, str], Callable[[PendingQuestion], Response]] = {
    (Question.VERIFY_OWNERSHIP, "connect"): _connect,
    (Question.VERIFY_OWNERSHIP, "not_now"): _leave,
    (Question.VERIFY_OWNERSHIP, "create"): _create,
    (Question.SWITCH_ACCOUNT, "switch"): _switch,
    (Question.SWITCH_ACCOUNT, "stay"): _leave,
    (Question.MERGE, "merge"): _merge,
    (Question.MERGE, "keep"): _leave,
    (Question.KEEP_ACCOUNT, "keep"): _keep,
    (Question.KEEP_ACCOUNT, "leave"): _leave,
}
