"""The answer to a sign-in: a session and the way back, a pending question, or a refusal."""

from dataclasses import replace

import structlog
from flask import redirect, url_for
from werkzeug.wrappers import Response

import accounts
from accounts import flows, questions, telling
from accounts.begun import Begun
from accounts.decisions import (
    Create,
    Join,
    Known,
    Link,
    LinkDecision,
    NeedsKeeping,
    NeedsMerge,
    NeedsOwnership,
    NeedsSwitch,
    Refused,
    SignInDecision,
)
from accounts.questions import Question
from accounts.signing_in import SignIn
from providers.base import Assertion
from storage import atomic
from telemetry import metrics
from web.authentication import forget_login
from web.context import site
from web.cookies import keep_flow
from web.invitation import forget_invitation_after, kept_invitation_id
from web.onward import go_back
from web.request_info import caller
from web.session import begin_session, start_session

log = structlog.get_logger()

# The name of a decision in the metrics.
OUTCOMES: dict[type, str] = {
    Known: "signed_in",
    Create: "created",
    Join: "joined",
    Link: "linked",
    NeedsOwnership: "asked",
    NeedsSwitch: "asked",
    NeedsKeeping: "asked",
    NeedsMerge: "asked",
}


def answer_sign_in(
    flow: flows.Flow, assertion: Assertion, *, signed_in_as: str | None, separate: bool
) -> Response:
    """Carry out a sign-in and respond: a session and the return path, a pending question, or a
    refusal.

    Raises SignInError.
    """
    result = open_account(assertion, signed_in_as=signed_in_as, separate=separate)
    decision = result.decision
    count_decision(assertion.provider, decision)
    if result.is_pending:
        return redirect(url_for("waiting.show", next=flow.return_to))
    match decision:
        case Refused():
            forget_invitation_after(decision.error)
            raise decision.error
        case NeedsOwnership():
            return ask_question(flow, Question.VERIFY_OWNERSHIP, assertion, decision.reason)
        case NeedsKeeping():
            return ask_question(flow, Question.KEEP_ACCOUNT, assertion, decision.reason)
        case NeedsSwitch():
            return ask_question(flow, Question.SWITCH_ACCOUNT, assertion, decision.reason)
        case _:
            return go_back(flow.return_to)


def count_decision(provider: str, decision: SignInDecision | LinkDecision) -> None:
    """Count a decision after it is carried out. Refusals are counted by the error handlers."""
    if outcome := OUTCOMES.get(type(decision)):
        metrics.count_sign_in(provider, outcome)


def open_account(
    assertion: Assertion, *, signed_in_as: str | None, separate: bool, in_app: bool = False
) -> SignIn:
    """Open account and session in one transaction, if the decision opens one; cookies are set after
    the commit. An app gets no session of an account that waits for approval."""
    result, session = _open_account(assertion, signed_in_as, separate, in_app)
    if session:
        begin_session(*session, in_app=in_app)
    if result.is_pending:
        forget_login()
    return result


@atomic
def _open_account(
    assertion: Assertion, signed_in_as: str | None, separate: bool, in_app: bool
) -> tuple[SignIn, tuple[Begun, str] | None]:
    result = accounts.sign_in(
        assertion,
        site().policy,
        caller(),
        signed_in_as=signed_in_as,
        separate=separate,
        invitation_id=kept_invitation_id(),
    )
    if result.identity is None or (in_app and result.is_pending):
        return result, None
    begun, token = start_session(result.identity, assertion.auth_time, assertion.upstream_sid)
    if result.is_new_device and not result.is_pending:
        telling.tell_of_new_device(begun, caller())
    return result, (begun, token)


def ask_question(
    flow: flows.Flow, question: Question, assertion: Assertion, reason: str
) -> Response:
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
