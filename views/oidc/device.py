"""Devices: where they ask, and the page where their person answers (RFC 8628)."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from issuer import clients, devices, scopes
from issuer.clients import DEVICE
from issuer.devices import Device
from telemetry import metrics
from views.oidc.json_answers import allow_any_origin, answer, refuse_name
from views.oidc.logos import logo_url
from views.oidc.place import admission, current_visitor, issuer
from views.oidc.tokens import authenticated, tokens
from web.authentication import this_session, this_user
from web.context import site
from web.guards import BOUND, SIGNED_IN, protect
from web.request_info import caller
from web.text.app_faults import DEVICE_PROBLEMS
from web.text.devices import device_name
from web.text.words import app_scope_words

device = Blueprint("device", __name__, url_prefix="/oauth2/device")
protect(device, SIGNED_IN, BOUND)

Answer = str | Response | tuple[str, int]


@tokens.post("/device_authorization")
def begin() -> Response:
    """Give a device its codes."""
    found = authenticated()
    if isinstance(found, Response):
        return found
    client, form = found
    if not client.may_use(DEVICE):
        return refuse_name("grant_type_not_allowed")
    if form.resources:  # a device gets tokens for us only
        return refuse_name("resource_unknown")
    if client.is_public:
        site().limits.count_begun("device", client.id, caller().address)
    device_code, user_code = devices.begin(client, scopes.split(form.get("scope")), caller())
    metrics.count_app("device_authorization", "issued")
    page = f"{issuer()}/oauth2/device"
    return allow_any_origin(
        answer(
            {
                "device_code": device_code,
                "user_code": user_code,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?user_code={user_code}",
                "expires_in": devices.LIFETIME_SECONDS,
                "interval": devices.INTERVAL_SECONDS,
            }
        )
    )


@device.get("")
def show() -> str:
    """Ask for the code. A link may fill it in, and grants nothing."""
    return _code_page(request.args.get("user_code", "")[:20])


def _code_page(code: str = "", *, problem: str = "", done: str = "") -> str:
    """``problem``: a name in DEVICE_PROBLEMS."""
    found = DEVICE_PROBLEMS.get(problem)
    return render_template("oidc/device.html", code=code, problem=found, done=done)


@device.post("")
def ask() -> Answer:
    """Show which application asks, and from where; or take the answer."""
    code = request.form.get("user_code", "")[:20]
    limits = site().limits
    limits.check_codes(this_session().user_id, caller().address)
    found = devices.find(code)
    client = clients.get(found.client_id) if found else None
    if found is None or client is None or not client.is_enabled:
        limits.count_wrong_code(this_session().user_id, caller().address)
        return _code_page(code, problem="unknown"), 400
    if not admission().admits(client, this_session().user_id):
        return _code_page(problem="refused"), 403
    if "answer" not in request.form:
        return _question(code, found, client)
    visitor = current_visitor()
    if visitor is None or not visitor.is_bound:
        return redirect(url_for("device.show"), 303)
    allows = request.form["answer"] == "allow"
    is_taken = devices.answer(found, client, visitor, caller(), allows=allows)
    done = ("allowed" if allows else "denied") if is_taken else ""
    return _code_page(problem="" if is_taken else "unknown", done=done)


def _question(code: str, found: Device, client: clients.Client) -> str:
    return render_template(
        "oidc/device_consent.html",
        code=devices.show_code(devices.normalise(code)),
        client=client,
        logo=logo_url(client),
        words=app_scope_words(scopes.split(found.scopes)),
        address=found.address,
        asked_by=device_name(found.user_agent),
        person=this_user(),
        switch=url_for("login.choose", switch=1, next=url_for("device.show", user_code=code)),
    )
