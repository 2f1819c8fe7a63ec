"""Sign-in with Google's One Tap or its button, on a page of this host.

Such a page fetches a nonce first. It is a flow of this browser, so the ID token that carries it is
of use once, here, and within ten minutes.
https://developers.google.com/identity/gsi/web/guides/verify-google-id-token
"""

import hmac

from flask import Blueprint, jsonify, request, url_for
from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import NotFound as PageNotFound
from werkzeug.wrappers import Response

from accounts import flows
from accounts.flows import Intent
from errors import CrossSite, FormOld, InvalidToken
from providers.protocols.gate import sign_in_progress
from views.sign_in.answer import answer_sign_in
from views.sign_in.flow_gate import begin_flow, claim_flow
from views.sign_in.id_tokens import refuse_other_sites, verify
from web.authentication import current_user_id
from web.context import site
from web.cookies import flow_cookies, is_in_flow
from web.csrf import csrf
from web.request_info import caller, is_speculative
from web.return_to import asked_return

one_tap = Blueprint("one_tap", __name__)


@one_tap.get("/login/<provider>/one-tap/nonce")
def make_nonce(provider: str) -> Response:
    """Return a nonce for a page of this host, bound to its browser."""
    if provider not in site().one_taps:
        raise PageNotFound
    if is_speculative(request) or request.method == "HEAD":
        raise BadRequest
    refuse_other_sites()
    site().limits.check_refusals(caller().address, in_flow=is_in_flow())
    flow = begin_flow(provider, Intent.ONE_TAP, return_to=url_for("account.show"))
    return jsonify(nonce=flow.state)


def use_nonce(provider: str, nonce: object) -> None:
    """Use up the nonce of a token. One that comes without is accepted only in a browser that
    fetched none, as from a page that does not know of it.

    Raises InvalidToken, or as ``flows.claim`` does.
    """
    if nonce is None and not flows.has_open(Intent.ONE_TAP, flow_cookies()):
        return
    if not isinstance(nonce, str):
        raise InvalidToken("the token lacks the nonce that this browser fetched")
    if claim_flow(provider, nonce).intent is not Intent.ONE_TAP:
        raise InvalidToken("the nonce is of another kind of flow")


@one_tap.post("/login/<provider>/one-tap")
@csrf.exempt  # only because the form has its own token, checked against a cookie
def sign_in(provider: str) -> Response:
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
    credential = request.form.get("credential", "")
    assertion, nonce = verify(known.tokens.verify_with_nonce, credential)
    use_nonce(provider, nonce)
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
