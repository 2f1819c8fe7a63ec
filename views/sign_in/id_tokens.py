"""Sign-in with an ID token that an app, or Google's One Tap, already has: no flow, no redirect."""

import hmac
from collections.abc import Callable

from flask import Blueprint, Response, request, url_for
from werkzeug.exceptions import NotFound as PageNotFound
from werkzeug.wrappers import Response as AnyResponse

from accounts import flows
from accounts.rules import NeedsOwnership, Refused
from errors import CrossSite, FormOld, IdTokenRefused, InvalidToken, UnsupportedMediaType
from providers.base import Assertion
from providers.protocols.gate import sign_in_progress
from views.api.operations import Operation, Text, declare
from views.sign_in.answer import answer_sign_in, count_decision, open_account
from web.authentication import current_user_id
from web.context import site
from web.cookies import is_in_flow
from web.csrf import csrf
from web.problem_details import problem_json
from web.request_info import caller
from web.return_to import asked_return
from web.text.messages import message

mobile = Blueprint("mobile", __name__)

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
    decision = open_account(assertion, signed_in_as=None, separate=separate, in_app=True)
    count_decision(assertion.provider, decision)
    match decision:
        case Refused():
            raise decision.error
        case NeedsOwnership():
            return answer_needs_ownership(decision)
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
    request.max_content_length = TOKEN_MAX_BYTES
    try:
        return request.get_data().decode("ascii").strip()
    except UnicodeDecodeError:
        raise InvalidToken("the body is not ASCII") from None


def verify(check: Callable[[str], Assertion], unverified_token: str) -> Assertion:
    """Verify the token. Raises InvalidToken, or ProviderError if the keys cannot be fetched."""
    try:
        return check(unverified_token)
    except IdTokenRefused as error:
        raise InvalidToken(error.detail) from error


def answer_needs_ownership(decision: NeedsOwnership) -> Response:
    """Tell the app that an account has this address: its owner must confirm in a browser."""
    place = f"{site().settings.public_url}/login"
    reason = "needs_proof" if decision.may_connect else "needs_proof_unverified"
    return problem_json(
        409,
        "needs_proof",
        "Conflict",
        message(reason, place=place),
        may_create=decision.may_create,
        url=place,
    )


@mobile.post("/login/<provider>/one-tap")
@csrf.exempt  # only because the form has its own token, checked against a cookie
def one_tap(provider: str) -> AnyResponse:
    """Sign in with Google's One Tap or its button: a form with an ID token, sent by a page of this
    host.

    303 to ``next`` or the account; otherwise, as at a callback, a pending question or the sign-in
    page with the reason.
    https://developers.google.com/identity/gsi/web/guides/verify-google-id-token
    """
    known = site().one_taps.get(provider)
    if known is None:
        raise PageNotFound
    return_to = asked_return(request.values, url_for("account.show"))
    user_id = current_user_id()
    flow = flows.for_one_request(provider, return_to=return_to, user_id=user_id)
    sign_in_progress().flow = flow
    site().limits.check_refusals(caller().address, in_flow=is_in_flow())
    refuse_neighbours(provider)
    require_doubled_cookie(known.cookie)
    assertion = verify(known.tokens.verify, request.form.get("credential", ""))
    response = answer_sign_in(flow, assertion, signed_in_as=user_id, separate=False)
    response.status_code = 303
    return response


def refuse_neighbours(provider: str) -> None:
    """Accept the form only from our pages, or from the provider's own (its redirect mode).

    A neighbouring host could set the double-submit cookie for both. Raises CrossSite.
    """
    origin = request.headers.get("Origin")
    ours = (site().settings.public_url, *site().connectors[provider].form_origins)
    if origin is not None and origin not in ours:
        raise CrossSite("the form comes from a page of another site")


def require_doubled_cookie(name: str) -> None:
    """Check that the form repeats a cookie that only a page of this host can have set. Raises
    FormOld."""
    sent, kept = request.form.get(name, ""), request.cookies.get(name, "")
    if not sent or not hmac.compare_digest(sent.encode(), kept.encode()):
        raise FormOld(f"the form does not repeat the cookie {name}")
