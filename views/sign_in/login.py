"""Sign in and out: the buttons, the gate of the login blueprints, and the only receiver of
``oauth_authorized``, which decides and responds.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import structlog
from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

import accounts
from accounts import activity, flows, questions
from accounts.activity import EventKind
from accounts.flows import Intent
from accounts.questions import Question
from accounts.rules import (
    AlreadyLinked,
    Create,
    Join,
    Known,
    Link,
    LinkDecision,
    NeedsMerge,
    NeedsOwnership,
    NeedsSwitch,
    Refused,
    SignInDecision,
)
from accounts.sessions import Begun
from errors import TokenUnreadable, WrongAccount
from providers.base import Assertion
from providers.protocols.flask_dance import connector_of, oauth_authorized, oauth_error
from storage import atomic, db
from telemetry import metrics
from vault import tokens
from web.authentication import current_session, is_signed_in, this_session
from web.context import current_assertion, current_flow, site
from web.cookies import (
    FLOW_COOKIE,
    cookie_name,
    drop_flows,
    flow_cookies,
    is_in_flow,
    keep_flow,
    set_cookie,
)
from web.reauthentication import ask_to_reauthenticate, has_fresh_auth
from web.request_info import caller, is_navigation
from web.return_to import local_path
from web.session import begin_session, end_session, renew_session, start_session
from web.sign_in_page import sign_in_page
from web.text.messages import message

log = structlog.get_logger()
login = Blueprint("login", __name__)

# Flows that must end in the session that began them.
BOUND_TO_SESSION = (Intent.LINK, Intent.REAUTHENTICATE)
# The name of a decision in the metrics.
OUTCOMES: dict[type, str] = {
    Known: "signed_in",
    Create: "created",
    Join: "joined",
    Link: "linked",
    NeedsOwnership: "asked",
    NeedsSwitch: "asked",
    NeedsMerge: "asked",
}


@login.get("/")
def home() -> Response:
    return redirect(url_for("account.show" if is_signed_in() else "login.choose"))


@login.get("/login")
def choose() -> str:
    """Show one control per provider."""
    return sign_in_page()


@login.get("/logout")
def ask_sign_out() -> str | Response:
    if not is_signed_in():
        return redirect(url_for("login.choose"))
    return render_template("logout.html")


@login.post("/logout")
def sign_out() -> Response:
    session = current_session()
    if session:
        activity.record(session.user_id, EventKind.SIGNED_OUT, caller(), provider=session.provider)
        label = site().label(session.provider)
        end_session()
        flash(message("signed_out", provider=label), "signed_out")
    return redirect(url_for("login.choose"), 303)


class Gate:
    """Begins and claims the flows of login blueprints, with this browser's cookies."""

    def begin(self, provider: str) -> flows.Flow:
        """Handle GET /login/<provider>: begin a flow to sign in, and then to go to ``next``."""
        self._check_manner()
        site().limits.check_refusals(caller().address)
        return_to = local_path(request.args.get("next"), url_for("account.show"))
        intent = Intent.SIGN_IN
        if return_to.startswith(f"{url_for('confirm.ask')}?"):
            intent = Intent.VERIFY_OWNERSHIP
        elif request.args.get("ask") == "email":
            intent = Intent.ASK_EMAIL
        return begin_flow(provider, intent, return_to=return_to)

    def claim(self, provider: str, state: str | None) -> flows.Flow:
        self._check_manner()
        site().limits.check_refusals(caller().address, in_flow=is_in_flow())
        session = current_session()
        flow = flows.claim(
            provider,
            state,
            cookies=flow_cookies(),
            has_cookies=bool(request.cookies),
            user_id=session.user_id if session else None,
            session_id=session.id if session else None,
        )
        set_cookie(cookie_name(FLOW_COOKIE + flow.id), "", 0)
        return flow

    def pack(self, state: str, value: Mapping[str, object]) -> str:
        return tokens.sealer().seal(dict(value), _bound(state))

    def unpack(self, state: str, text: str) -> Mapping[str, object]:
        try:
            return cast(Mapping[str, object], tokens.sealer().open(text, _bound(state)))
        except TokenUnreadable:
            return {}

    def _check_manner(self) -> None:
        """Refuse what other sites make their visitors' browsers load, without counting it."""
        if not is_navigation(request):
            raise BadRequest


def _bound(state: str) -> str:
    return f"callback:{state}"


def begin_flow(
    provider: str, intent: Intent, *, return_to: str, identity_id: str | None = None
) -> flows.Flow:
    """Begin a flow of this browser; one that changes an account is bound to its session."""
    session = current_session()
    drop_flows(flows.surplus(flow_cookies()))
    connector, request_token = site().connectors[provider], None
    if connector.needs_request_token:
        flows.check_open(caller().address)
        db.session.commit()  # releases the connection while the provider is asked
        request_token = connector.fetch_request_token()
    flow = flows.begin(
        provider,
        intent,
        return_to=return_to,
        caller=caller(),
        user_id=session.user_id if session else None,
        session_id=session.id if session and intent in BOUND_TO_SESSION else None,
        identity_id=identity_id,
        request_token=request_token,
    )
    keep_flow(flow.id, flow.cookie)
    return flow


@oauth_error.connect
def on_error(blueprint: Any, error: object = None, **_facts: object) -> None:
    """Handle a refusal by the provider, of a verified flow. Raises the matching SignInError."""
    if connector := connector_of(blueprint):
        raise connector.callback_error(str(error))


@oauth_authorized.connect
def on_authorized(blueprint: Any, **_token: object) -> Response | None:
    """Handle an assertion: decide what it means here, and respond."""
    flow, assertion = current_flow(), current_assertion()
    if connector_of(blueprint) is None or flow is None or assertion is None:
        return None
    return FINISH[flow.intent](flow, assertion)


def finish_sign_in(flow: flows.Flow, assertion: Assertion) -> Response:
    session = current_session()
    return answer_sign_in(
        flow, assertion, signed_in_as=session.user_id if session else None, separate=False
    )


def finish_verification(flow: flows.Flow, assertion: Assertion) -> Response:
    """Finish a sign-in that verifies ownership: it must open an existing account, and
    creates none."""
    decision = accounts.sign_in_preview(assertion, site().policy)
    if isinstance(decision, Known | Refused):
        return finish_sign_in(flow, assertion)
    log.info("wrong_account", reason=decision.reason, provider=assertion.provider)
    metrics.count_refusal(assertion.provider, WrongAccount.code)
    return redirect(f"{flow.return_to}&wrong=1")


def answer_sign_in(
    flow: flows.Flow, assertion: Assertion, *, signed_in_as: str | None, separate: bool
) -> Response:
    """Carry out a sign-in and respond: a session and the return path, a pending question, or a
    refusal.

    Raises SignInError.
    """
    decision = open_account(assertion, signed_in_as=signed_in_as, separate=separate)
    count_decision(assertion.provider, decision)
    match decision:
        case Refused():
            raise decision.error
        case NeedsOwnership():
            return _ask(flow, Question.VERIFY_OWNERSHIP, assertion, decision.reason)
        case NeedsSwitch():
            return _ask(flow, Question.SWITCH_ACCOUNT, assertion, decision.reason)
        case _:
            return redirect(flow.return_to)


def count_decision(provider: str, decision: SignInDecision | LinkDecision) -> None:
    """Count a decision after it is carried out. Refusals are counted by the error handlers."""
    if outcome := OUTCOMES.get(type(decision)):
        metrics.count_sign_in(provider, outcome)


def open_account(
    assertion: Assertion, *, signed_in_as: str | None, separate: bool
) -> SignInDecision:
    """Open account and session in one transaction, if the decision opens one; cookies are set after
    the commit."""
    decision, session = _open_account(assertion, signed_in_as, separate)
    if session:
        begin_session(*session)
    return decision


@atomic
def _open_account(
    assertion: Assertion, signed_in_as: str | None, separate: bool
) -> tuple[SignInDecision, tuple[Begun, str] | None]:
    result = accounts.sign_in(
        assertion, site().policy, caller(), signed_in_as=signed_in_as, separate=separate
    )
    if result.identity is None:
        return result.decision, None
    return result.decision, start_session(result.identity, assertion.auth_time)


def _ask(flow: flows.Flow, question: Question, assertion: Assertion, reason: str) -> Response:
    """Store the assertion, and ask the person.

    Verifying ownership may sign in to another account than this browser's, so it is not bound to
    that one.
    """
    if question is Question.VERIFY_OWNERSHIP:
        flow = replace(flow, user_id=None)
    log.info("asked", question=question.value, reason=reason, provider=assertion.provider)
    questions.keep(flow, question, assertion, caller())
    keep_flow(flow.id, flow.cookie)
    return redirect(url_for("confirm.ask", flow=flow.id))


def finish_link(flow: flows.Flow, assertion: Assertion) -> Response:
    """Link the returned identity, if the authentication that the flow began with is still
    recent."""
    if not has_fresh_auth(this_session()):
        return ask_to_reauthenticate(url_for("account.show", _anchor="methods"))
    decision = accounts.link(this_session().user_id, assertion, caller())
    count_decision(assertion.provider, decision)
    label = site().label(assertion.provider)
    match decision:
        case Refused():
            raise decision.error
        case NeedsMerge():
            return _ask(flow, Question.MERGE, assertion, decision.reason)
        case AlreadyLinked():
            flash(message("already_connected", provider=label), "info")
        case Link():
            renew_session()
            flash(message("connected", provider=label), "ok")
    return redirect(flow.return_to)


def finish_reauth(flow: flows.Flow, assertion: Assertion) -> Response:
    session = this_session()
    identity_id = flow.identity_id or ""
    accounts.reauthenticate(session.user_id, identity_id, assertion, caller())
    renew_session(reauthenticated=True)
    return redirect(flow.return_to)


FINISH = {
    Intent.SIGN_IN: finish_sign_in,
    Intent.ASK_EMAIL: finish_sign_in,
    Intent.VERIFY_OWNERSHIP: finish_verification,
    Intent.LINK: finish_link,
    Intent.REAUTHENTICATE: finish_reauth,
}
