"""The page of a gate: it signs somebody in if need be, and sends them back with a code."""

from urllib.parse import parse_qs, urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from accounts import activity
from accounts.activity import EventKind
from errors import NotFound
from gates import flows, registry
from gates.flows import Flow
from views.oidc.place import admission, is_head
from web.authentication import current_session, this_user
from web.context import Destination, site
from web.guards import ASKED_FOR, protect
from web.onward import show_way
from web.reauthentication import reauth_url
from web.request_info import caller
from web.session import is_bound

gate = Blueprint("gate", __name__)
protect(gate, ASKED_FOR)

Answer = Response | str | tuple[str, int]
# Marks the way back from the sign-in, which a form may have ended.
AFTER_SIGN_IN = "signed_in"


@gate.get("/gate/<name>")
def enter(name: str) -> Answer:
    """Go on with a flow: to the sign-in, or back to the gated host."""
    found = registry.get(name)
    flow = flows.find(request.args.get("flow", ""))
    if flow is None or flow.gate != name:
        return render_template("gate/expired.html", origins=found.origins), 400
    here = url_for("gate.enter", name=name, flow=flow.id, signed_in=1)
    session = current_session()
    if session is None:
        await_sign_in(flow)
        return redirect(url_for("login.choose", next=here))
    if not is_bound(session):  # another host may have planted it
        return redirect(reauth_url(here))
    if not admission().admits(found, session.user_id):
        return turn_away(flow, session.user_id, here)
    if is_head():
        return Response()
    code = flows.make_code(flow.id, session.id)
    if code is None:
        raise NotFound("the flow ended meanwhile")
    return send_back(flow, code)


def await_sign_in(flow: Flow) -> None:
    """Give a person time to sign in. Raises TooManyAttempts."""
    if not is_head():
        site().limits.count_begun("gate", flow.gate, caller().address)
        flows.open_page(flow)


def send_back(flow: Flow, code: str) -> Response:
    """Send a browser back. After a form a page of ours does it (web/onward.py)."""
    url = flow.address_with(code)
    if AFTER_SIGN_IN in request.args and "Sec-Fetch-Mode" in request.headers:
        return show_way(url, host_of(flow))
    return redirect(url)


def turn_away(flow: Flow, user_id: str, here: str) -> tuple[str, int]:
    """Say that this person may not come in, and let them use another account."""
    if not is_head():
        activity.record(user_id, EventKind.GATE_REFUSED, caller(), detail=host_of(flow))
    switch = url_for("login.choose", switch=1, next=here)
    page = render_template(
        "gate/refused.html", host=host_of(flow), person=this_user(), switch=switch
    )
    return page, 403


def host_of(flow: Flow) -> str:
    return urlsplit(flow.origin).netloc


def destination_of(return_to: str) -> Destination | None:
    """Return the host to which a return path leads on, if it is that of an open flow."""
    parts = urlsplit(return_to)
    if not parts.path.startswith(url_for("gate.enter", name="")):
        return None
    flow = flows.find(parse_qs(parts.query).get("flow", [""])[0])
    return Destination(host_of(flow)) if flow else None
