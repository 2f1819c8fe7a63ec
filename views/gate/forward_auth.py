"""The questions of proxies about each request to an application behind them.

200 lets it pass, with the identity headers. A navigation of somebody who is not known is sent to
sign in, and back to the very address; everything else is refused, because nobody sees where it was
sent. nginx follows no redirect of ours, so it gets 401 with the Location.
"""

from typing import NamedTuple, cast

import structlog
from flask import Blueprint, Response, current_app, render_template, request

from accounts import sessions
from gates import asked, flows, probe, registry
from gates.asked import Asked
from gates.visitors import OWN_HOST, Visitor
from keys.signing import Macs
from telemetry import metrics
from views.gate.check import BLUEPRINT, OWN_PATHS, PATH, QUESTION, Question, cookie_name_at, desk
from views.gate.own_host import OwnHost
from web.context import site
from web.guards import Guard, protect
from web.request_info import is_navigation
from web.session_cookie import note_use

log = structlog.get_logger()

forward_auth = Blueprint(BLUEPRINT, __name__)
# The view asks for it in its SELECT, which the gate's own cookie leads to.
LET_IN = Guard("let_in_at_gate", lambda: None, sessions.LETS_IN)
protect(forward_auth, LET_IN)

SIGN_OUT_PATH = f"{OWN_PATHS}sign-out"


class Problem(NamedTuple):
    """A refusal, in the words that a person reads."""

    title: str
    advice: str


NO_GATE = Problem("There is no gate before this address", "Ask the person who runs this site.")
NO_COOKIE = Problem(
    "Your browser is blocking cookies", "Allow them for this site, and open it again."
)
NOT_ALLOWED = Problem("This account can't use this site", "Ask the person who runs it.")


@forward_auth.get(PATH)
def check() -> Response:
    """Answer the question of a proxy (``read_question`` has read it)."""
    question = cast(Question, request.environ.get(QUESTION))
    wanted = question.asked
    gate = registry.of_origin(wanted.origin) if wanted else None
    if wanted and gate is None and question.is_on_own_host:
        return answer_on_own_host(question, wanted)
    if wanted is None or gate is None or question.name not in ("", gate.name):
        return refuse(NO_GATE, "no_gate", question)
    return answer_at_gate(question, wanted, gate.name)


def answer_at_gate(question: Question, wanted: Asked, name: str) -> Response:
    """Answer for an application behind a gate, by its name."""
    if answer := answer_own_path(wanted):
        return answer
    visitor = find_visitor(question)
    code = flows.code_of(wanted.target)
    if code is not None:
        return use_code(question, wanted, code, name, is_known=visitor is not None)
    if visitor and desk().admits(visitor):
        metrics.count_gate(name, "passed")
        return Response(headers=desk().headers_always(visitor, wanted.origin))
    if is_page(wanted):
        return begin(question, wanted, name)
    metrics.count_gate(name, "refused")
    return refuse(NOT_ALLOWED, "not_admitted", question) if visitor else challenge()


def answer_on_own_host(question: Question, wanted: Asked) -> Response:
    """Answer for an application on our own host, which needs no gate (own_host.py)."""
    if answer := answer_own_path(wanted):
        return answer
    visitor = find_visitor(question)
    if visitor and desk().admits(visitor):
        metrics.count_gate(OWN_HOST, "passed")
        return Response(headers=desk().headers_always(visitor, wanted.origin))
    if visitor is None and is_page(wanted):
        metrics.count_gate(OWN_HOST, "begun")
        return lead(wanted, OwnHost(site().settings).sign_in_url(wanted))
    metrics.count_gate(OWN_HOST, "refused")
    return refuse(NOT_ALLOWED, "not_admitted", question) if visitor else challenge()


def answer_own_path(wanted: Asked) -> Response | None:
    """Answer for the paths on gated hosts that are ours."""
    if asked.path_of(wanted.target) == SIGN_OUT_PATH:
        return sign_out(wanted)
    if probe.opens(cast(Macs, current_app.extensions["macs"]), wanted):
        return Response(headers=probe.headers(wanted.target))
    return None


def find_visitor(question: Question) -> Visitor | None:
    """Return who asks; the use of their session is noted once a minute."""
    if visitor := desk().find(question, is_seen=True):
        return visitor
    visitor = desk().find(question, is_seen=False)
    if visitor:
        note_use(visitor.session_id)  # the address stays: a proxy asked
    return visitor


def is_page(wanted: Asked) -> bool:
    """Tell whether a person waits for a page, and so can be sent elsewhere."""
    is_get = all(method == "GET" for method in wanted.methods)
    accepts = request.headers.get("Accept", "").lower()
    return is_get and "text/html" in accepts and is_navigation(request)


def begin(question: Question, wanted: Asked, name: str) -> Response:
    """Send a browser to sign in. Its only new cookie binds it to the flow."""
    target = asked.storable(flows.without_code(wanted.target))
    flow_id, secret = flows.begin(wanted.origin, target, question.token)
    metrics.count_gate(name, "begun")
    response = lead(wanted, f"{site().settings.base_url}/gate/{name}?flow={flow_id}")
    return with_cookie(response, wanted, secret, flows.LIFETIME_SECONDS)


def use_code(
    question: Question, wanted: Asked, code: str, name: str, *, is_known: bool
) -> Response:
    """Let a browser in by its code, and lead it to the address without: no application sees one."""
    if not is_page(wanted):
        return challenge()
    clean = wanted.origin + asked.storable(flows.without_code(wanted.target))
    if is_known:  # another tab was here first
        return lead(wanted, clean)
    if question.token is None:
        return refuse(NO_COOKIE, "no_cookie", question)
    entry = flows.enter(code, question.token, wanted.origin)
    if entry is None:
        return lead(wanted, clean)
    metrics.count_gate(name, "entered")
    response = lead(wanted, wanted.origin + entry.target)
    return with_cookie(response, wanted, entry.token, sessions.LIFETIME_DAYS * 86400)


def sign_out(wanted: Asked) -> Response:
    """Lead to the question whether to sign out here, which ends every gate."""
    return lead(wanted, f"{site().settings.base_url}/logout") if is_page(wanted) else challenge()


def lead(wanted: Asked, url: str) -> Response:
    """Send a browser on, in the way that its proxy passes on."""
    status = 401 if wanted.is_redirected_by_proxy else 302
    return Response(status=status, headers={"Location": url})


def challenge() -> Response:
    """Refuse what no person sees. Nothing is sent on: it would end at a page for people."""
    return Response(status=401, headers={"WWW-Authenticate": "Bearer"})


def refuse(problem: Problem, reason: str, question: Question) -> Response:
    """Refuse with a page for people, and a line for programs; both stand at the application's
    address."""
    origin = question.asked.origin if question.asked else None
    log.info("gate_refused_request", gate=question.name, reason=reason, origin=origin)
    metrics.count_refusal(None, reason)
    if question.asked and is_page(question.asked):
        return Response(render_template("gate/plain.html", problem=problem), 403)
    return Response(f"{problem.title}. {problem.advice}\n", 403, mimetype="text/plain")


def with_cookie(response: Response, wanted: Asked, value: str, seconds: int) -> Response:
    """Have the browser keep the one cookie of the gated host."""
    response.set_cookie(
        cookie_name_at(wanted.origin),
        value,
        seconds,
        secure=wanted.origin.startswith("https:"),
        httponly=True,
        samesite="Lax",
    )
    return response
