"""Sign-in with an ID token that an app already has: no flow, no redirect."""

from collections.abc import Callable
from typing import TypeVar

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from access.refusals import AccountPending
from accounts.decisions import NeedsKeeping, NeedsOwnership, Refused
from errors import CrossSite, IdTokenRefused, InvalidToken, UnsupportedMediaType
from providers.protocols.gate import sign_in_progress
from views.api.operations import Operation, Text, declare
from views.sign_in.answer import count_decision, open_account
from web.context import site
from web.csrf import csrf
from web.problem_details import problem_json
from web.request_info import caller
from web.text.messages import message

mobile = Blueprint("mobile", __name__)
Verified = TypeVar("Verified")

CONTENT_TYPE = "application/jwt"  # RFC 7519 10.3.1
TOKEN_MAX_BYTES = 16 * 1024
SIGN_IN_PROBLEMS = {
    401: "invalid_token.",
    403: "The reason of a refusal; cross_site: a page of another site sent this.",
    409: "needs_proof: the person has to answer a question first, at the problem's url.",
    413: "The body is longer than 16 KiB.",
    429: "rate: too many refused sign-ins.",
    502: "The issuer's keys cannot be had.",
    504: "The issuer does not answer in time.",
}


@mobile.post("/auth/sign-in")
@csrf.exempt  # no form and no page of another site can send this content type or origin
@declare(
    Operation(
        body=Text(CONTENT_TYPE, "An ID token: Firebase's, or one that a provider gives to apps."),
        answer=Text("text/plain", "OK"),
        headers={"Set-Cookie": "The session, which the API knows its caller by."},
        problems=SIGN_IN_PROBLEMS,
        is_open=True,
    )
)
def sign_in() -> Response:
    """Sign in with an ID token that an app has. It wins over a session of anybody, which ends.

    With separate=1 in the query the person gets a separate account, if needs_proof says may_create.
    """
    refuse_other_sites()
    site().limits.check_refusals(caller().address)
    assertion = verify(site().id_tokens.verify, read_token())
    sign_in_progress().assertion = assertion
    separate = request.args.get("separate") == "1"
    # Pages of other sites are refused, so the person of the token is the one who sends it.
    result = open_account(assertion, signed_in_as=None, separate=separate, in_app=True)
    decision = result.decision
    count_decision(assertion.provider, decision)
    match decision:
        case Refused():
            raise decision.error
        case NeedsOwnership():
            return answer_needs_web(may_create=decision.may_create)
        case NeedsKeeping():
            return answer_needs_web(may_create=False)
    if result.is_pending:
        raise AccountPending
    return Response("OK", mimetype="text/plain")


def refuse_other_sites() -> None:
    """Refuse pages of other sites; apps are accepted. Raises CrossSite.

    Browsers say where a request comes from (Fetch Metadata; RFC 6454 7), apps do not.
    """
    origin = request.headers.get("Origin", site().settings.public_url)
    fetch_site = request.headers.get("Sec-Fetch-Site", "none")
    if origin != site().settings.public_url or fetch_site not in ("none", "same-origin"):
        raise CrossSite("the request comes from a page of another site")


def read_token() -> str:
    """Read the request's body. Raises 413, 415 or InvalidToken."""
    if request.mimetype != CONTENT_TYPE:
        raise UnsupportedMediaType(f"Send an ID token, with Content-Type: {CONTENT_TYPE}.")
    body = request.get_data()
    if len(body) > TOKEN_MAX_BYTES:
        raise RequestEntityTooLarge
    try:
        return body.decode("ascii").strip()
    except UnicodeDecodeError:
        raise InvalidToken("the body is not ASCII") from None


def verify(check: Callable[[str], Verified], unverified_token: str) -> Verified:
    """Verify the token. Raises InvalidToken, or ProviderError if the keys cannot be fetched."""
    try:
        return check(unverified_token)
    except IdTokenRefused as error:
        raise InvalidToken(error.detail) from error


def answer_needs_web(*, may_create: bool) -> Response:
    """Tell the app that a question has to be answered in a browser: whose the address is, or
    whether to keep the account."""
    place = f"{site().settings.base_url}/login"
    return problem_json(
        409,
        "needs_proof",
        "Conflict",
        message("needs_proof", place=place),
        may_create=may_create,
        url=place,
    )
