"""Sign-out that an application begins (OpenID Connect RP-Initiated Logout 1.0).

A valid hint about the person of this very session signs out straight; anything else asks first.
Afterwards the browser goes only to an address that the client registered for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from accounts.sids import sid_of
from errors import IdTokenRefused
from issuer import clients, parked
from issuer.clients import Client
from issuer.hints import read_id_token
from issuer.parameters import Parameters, is_returnable
from issuer.redirects import form_source, with_parameters
from views.oidc import answers
from views.oidc.cookies import keep_request, request_secret, used_request
from views.oidc.logos import logo_url
from views.oidc.place import is_head, issuer, read_form, read_query
from web.authentication import current_session
from web.csrf import csrf
from web.guards import ASKED_FOR, protect
from web.request_info import caller
from web.request_state import request_state
from web.session import end_session

end = Blueprint("end_session", __name__, url_prefix="/oauth2")
protect(end, ASKED_FOR)

# In Flask's signed cookie: where to go once the person has said yes.
PENDING = "end_session"
CONFIRM_PATH = "/logout/confirm"
PARAMETERS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")

Answer = Response | str | tuple[str, int]


@dataclass(frozen=True)
class Wish:
    """A sign-out as an application asked for it. ``target``: where it wants the browser to go."""

    client: Client | None
    target: str | None
    is_about_this_session: bool
    has_hint: bool


@end.get("/logout")
def ask() -> Answer:
    return _decide(read_query())


@csrf.exempt
@end.post("/logout")
def ask_by_post() -> Answer:
    """From another site a POST comes without our cookies (SameSite=Lax): the wish is parked, and
    the browser comes back with them."""
    parameters = read_form()
    wish = read(parameters)
    if isinstance(wish, str):
        return answers.show_fault(wish)
    if wish.client is None:
        return redirect(url_for("end_session.ask"), 303)
    request_id, secret = parked.park(wish.client.id, parameters.only(PARAMETERS), caller())
    keep_request(request_id, secret)
    return redirect(url_for("end_session.resume", request_id=request_id), 303)


@end.get("/logout/continue/<request_id>")
def resume(request_id: str) -> Answer:
    """Go on with a sign-out that came by POST."""
    waiting = parked.find(request_id, request_secret(request_id))
    if waiting is None:
        return answers.show_fault("request_expired")
    return _decide(waiting.parameters, request_id)


def _decide(parameters: Parameters, request_id: str | None = None) -> Answer:
    """Sign out straight, or ask."""
    wish = read(parameters)
    if isinstance(wish, str):
        return answers.show_fault(wish)
    if wish.is_about_this_session:
        if request_id and not is_head():
            parked.use(request_id)
            used_request(request_id)
        return carry_out(wish)
    if current_session() is None:
        return _nobody_is_here(wish)
    if not is_head():
        session[PENDING] = [wish.target, wish.client.shown_name if wish.client else ""]
    return confirm_page(wish.client, wish.target)


@end.post(CONFIRM_PATH)
def confirm() -> Answer:
    """Sign out after the person said yes; the form carries a CSRF token."""
    target, name = session.pop(PENDING, (None, ""))
    if request.form.get("answer") != "sign_out":
        return redirect(url_for("account.show"), 303)
    return _sign_out(target, name)


def read(parameters: Parameters) -> Wish | str:
    """Read the parameters; return the name of a fault if there is one."""
    are_plain = parameters.are_plain() and is_returnable(parameters.get("state"))
    if parameters.is_repeated() or not are_plain:
        return "logout_malformed"
    hint = parameters.get("id_token_hint")
    claims: Mapping[str, object] = {}
    client = None
    if hint is not None:
        try:
            claims, client = read_id_token(hint, issuer())
        except IdTokenRefused:
            return "logout_hint"
    client_id = parameters.get("client_id")
    if client_id is not None:
        named = clients.named(client_id)
        if named is None or (client is not None and client.id != named.id):
            return "logout_client"
        client = named
    target = _target(client, parameters)
    if target == "":
        return "post_logout_uri"
    return Wish(client, target, _is_about_this_session(client, dict(claims)), bool(claims))


def _target(client: Client | None, parameters: Parameters) -> str | None:
    """Return where to go afterwards: registered, exactly; empty if it is not."""
    wanted = parameters.get("post_logout_redirect_uri")
    if wanted is None:
        return None
    if client is None or wanted not in client.post_logout_uris:
        return ""
    state = parameters.get("state")
    return wanted if state is None else with_parameters(wanted, {"state": state})


def _is_about_this_session(client: Client | None, claims: dict[str, object]) -> bool:
    session_here = current_session()
    if client is None or session_here is None or "sub" not in claims:
        return False
    is_same_person = claims["sub"] == client.subject_of(session_here.user_id)
    return is_same_person and claims.get("sid") in (None, client.sid_of(sid_of(session_here)))


def _nobody_is_here(wish: Wish) -> Answer:
    """Go on where a hint says that the client sent the browser; otherwise a person decides."""
    if wish.has_hint and wish.target:
        return redirect(wish.target, 303)
    return render_template("oidc/signed_out.html", client=wish.client, target=wish.target)


def confirm_page(client: Client | None, target: str | None) -> str:
    """Ask whether to sign out: the request may come from anywhere."""
    if target:
        request_state().form_targets = (form_source(target),)
    logo = logo_url(client) if client else None
    return render_template("oidc/end_session.html", client=client, logo=logo)


def carry_out(wish: Wish) -> Response:
    return _sign_out(wish.target, wish.client.shown_name if wish.client else "")


def _sign_out(target: str | None, name: str) -> Response:
    """End the session, with all that hangs on it, and go on."""
    if not is_head():
        end_session()
    return answers.leave(target, name) if target else redirect(url_for("end_session.done"), 303)


@end.get("/logout/done")
def done() -> str:
    return render_template("oidc/signed_out.html")
