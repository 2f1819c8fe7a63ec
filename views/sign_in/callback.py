"""The end of a flow: the only receiver of Flask-Dance's ``oauth_authorized``, which decides by the
flow's intent and responds.
"""

from dataclasses import replace
from typing import Any

import structlog
from flask import flash, redirect, url_for
from werkzeug.wrappers import Response

import accounts
from accounts import flows, sessions
from accounts.begun import Begun
from accounts.decisions import AlreadyLinked, Known, Link, LinkDecision, NeedsMerge, Refused
from accounts.flows import Intent
from accounts.questions import Question
from errors import WrongAccount
from models import Session
from providers.base import Assertion
from providers.protocols.flask_dance import connector_of, oauth_authorized, oauth_error
from storage import atomic
from telemetry import metrics
from views.sign_in.answer import answer_sign_in, ask_question, count_decision
from web.authentication import current_user_id, this_session
from web.context import current_assertion, current_flow, site
from web.onward import go_back
from web.reauthentication import ask_to_reauthenticate, has_fresh_auth
from web.request_info import caller
from web.session import bind_session
from web.session_cookie import keep_session_token
from web.text.messages import message

log = structlog.get_logger()


def connect_receivers() -> None:
    oauth_error.connect(on_error)
    oauth_authorized.connect(on_authorized)


def on_error(blueprint: Any, error: object = None, **facts: object) -> None:
    """Handle a refusal by the provider, of a verified flow. Raises the matching SignInError."""
    if connector := connector_of(blueprint):
        raise connector.callback_error(str(error), facts.get("error_description"))


def on_authorized(blueprint: Any, **_token: object) -> Response | None:
    """Handle an assertion: decide what it means here, and respond."""
    flow, assertion = current_flow(), current_assertion()
    if connector_of(blueprint) is None or flow is None or assertion is None:
        return None
    assertion = replace(assertion, begun_at=flow.begun_at)
    return FINISH[flow.intent](flow, accounts.recognise(assertion))


def finish_sign_in(flow: flows.Flow, assertion: Assertion) -> Response:
    return answer_sign_in(flow, assertion, signed_in_as=current_user_id(), separate=False)


def finish_verification(flow: flows.Flow, assertion: Assertion) -> Response:
    """Finish a sign-in that verifies ownership: it must open an existing account, and
    creates none."""
    decision = accounts.sign_in_preview(assertion, site().policy)
    if isinstance(decision, Known | Refused):
        return finish_sign_in(flow, assertion)
    log.info("wrong_account", reason=decision.reason, provider=assertion.provider)
    metrics.count_refusal(assertion.provider, WrongAccount.code)
    return redirect(f"{flow.return_to}&wrong=1")


def finish_link(flow: flows.Flow, assertion: Assertion) -> Response:
    """Link the returned identity, if the authentication that the flow began with is still
    recent."""
    if not has_fresh_auth(this_session()):
        return ask_to_reauthenticate(url_for("account.show", _anchor="methods"))
    decision, token = _link_now(this_session(), assertion)
    count_decision(assertion.provider, decision)
    label = site().label(assertion.provider)
    match decision:
        case Refused():
            raise decision.error
        case NeedsMerge():
            return ask_question(flow, Question.MERGE, assertion, decision.reason)
        case AlreadyLinked():
            flash(message("already_connected", provider=label), "info")
        case Link():
            keep_session_token(token)
            flash(message("connected", provider=label), "ok")
    return redirect(flow.return_to)


@atomic
def _link_now(session: Session | Begun, assertion: Assertion) -> tuple[LinkDecision, str]:
    """Link, and give the session, whose rights grow with that, a new token."""
    decision = accounts.link(
        session.user_id, assertion, caller(), session_id=session.id, policy=site().policy
    )
    return decision, sessions.renew(session.id) if decision == Link() else ""


def finish_reauth(flow: flows.Flow, assertion: Assertion) -> Response:
    keep_session_token(_reauthenticate_now(this_session(), flow.identity_id or "", assertion))
    bind_session(this_session())
    return go_back(flow.return_to)


@atomic
def _reauthenticate_now(session: Session | Begun, identity_id: str, assertion: Assertion) -> str:
    accounts.reauthenticate(session.user_id, identity_id, assertion, caller(), session.id)
    return sessions.renew(session.id, reauthenticated_with=assertion.provider)


FINISH = {
    Intent.SIGN_IN: finish_sign_in,
    Intent.ASK_EMAIL: finish_sign_in,
    Intent.VERIFY_OWNERSHIP: finish_verification,
    Intent.LINK: finish_link,
    Intent.REAUTHENTICATE: finish_reauth,
}
