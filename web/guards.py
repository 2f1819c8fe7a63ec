"""Guards: the conditions that requests must meet before a view sees them, in one list.

A blueprint names its guards where it is made (``protect``), and they run in that order. Answers
before Flask (views/api/session_check.py, views/oidc/before_flask.py) obey the same list.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Flask, request, url_for
from sqlalchemy import ColumnElement, and_, true
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from access.refusals import AccountPending
from accounts.sessions import LETS_IN
from web import csrf
from web.authentication import (
    current_login,
    current_session,
    current_user_id,
    is_signed_in,
    redirect_to_sign_in,
)
from web.context import Site, site
from web.place import lets_anybody_in, redirect_to_own_name, refuse_other_machines
from web.problem_details import problem_json
from web.reauthentication import ask_to_reauthenticate
from web.request_info import SAFE_METHODS, is_speculative
from web.request_state import request_state
from web.session import is_bound
from web.session_cookie import find_waiting_session
from web.text.messages import message

EVERYWHERE = ""


@dataclass(frozen=True)
class Guard:
    """A condition that a request must meet.

    ``check_request`` runs before the view: it returns None to let the request pass, else the
    response, or raises a Problem. ``predicate`` says in SQL, of the sessions and users joined,
    for whom a plain GET by session cookie passes; a guard without one cannot be obeyed before
    Flask runs, and switches that session check off. ``lets_programs_pass``: whether it lets every
    request pass for which no cookie counts, to the addresses that programs ask of the OpenID
    Provider; one that does not say so has their views answer. ``is_on``: whether this site has it
    at all.
    """

    name: str
    check_request: Callable[[], Response | None]
    predicate: ColumnElement[bool] | None = None
    is_on: Callable[[Site], bool] = lambda _site: True
    lets_programs_pass: bool = False


def require_bearer_to_hold() -> None:
    """Raises the Problem of a bearer token that was refused."""
    if problem := current_login().bearer_problem:
        raise problem


def require_sign_in() -> Response | None:
    return None if is_signed_in() else redirect_to_sign_in()


def require_api_sign_in() -> Response | None:
    """Answer 401 with the challenge of RFC 6750 3."""
    if request.method == "OPTIONS" or is_signed_in():
        return None
    if find_waiting_session():
        raise AccountPending
    code = "several_sessions" if request_state().has_ambiguous_session else "sign_in_first"
    response = problem_json(401, "unauthorized", "Unauthorized", message(code))
    about = f"{site().settings.base_url}/.well-known/oauth-protected-resource/api/v1"
    response.headers["WWW-Authenticate"] = f'Bearer realm="api", resource_metadata="{about}"'
    return response


def require_bound_session() -> Response | None:
    """Accept forms for a session of this very browser only; a reauthentication makes it one."""
    session = current_session()
    is_reauthentication = request.endpoint == "account.begin_reauth"
    if request.method != "POST" or session is None or is_reauthentication or is_bound(session):
        return None
    return ask_to_reauthenticate(url_for("account.show"))


def refuse_speculation() -> None:
    """Refuse what a browser loads before its person asks for it: a GET here signs somebody in to an
    application, or out. Raises BadRequest."""
    if is_speculative(request):
        raise BadRequest


def limit_actions() -> None:
    """Limit how often one account may be changed. Raises TooManyAttempts."""
    if request.method not in SAFE_METHODS and (user_id := current_user_id()):
        site().limits.count_action(user_id)


# For a plain GET by session cookie these let everybody pass. The session check answers no other
# request. On a local server, answers before Flask are for requests under its own name only.
THIS_MACHINE_ONLY = Guard("this_machine_only", refuse_other_machines, None, lets_anybody_in)
OWN_NAME = Guard("own_name", redirect_to_own_name, true(), lets_programs_pass=True)
BEARER_HOLDS = Guard("bearer_holds", require_bearer_to_hold, true())
CSRF_CHECKED = Guard("csrf_checked", csrf.require_csrf_header, true())
ASKED_FOR = Guard("asked_for", refuse_speculation)
LIMITED = Guard("limited", limit_actions, true())
BOUND = Guard("bound", require_bound_session, true())
# This one asks who it is.
SIGNED_IN = Guard("signed_in", require_sign_in, LETS_IN)
API_SIGNED_IN = Guard("api_signed_in", require_api_sign_in, LETS_IN)

# By blueprint, in the order in which they run.
GUARDS: dict[str, list[Guard]] = {EVERYWHERE: [THIS_MACHINE_ONLY, OWN_NAME]}


def protect(blueprint: Blueprint, *guards: Guard) -> None:
    """Put guards before every request of a blueprint."""
    GUARDS[blueprint.name] = list(guards)


def init_app(app: Flask) -> None:
    """Await the body; then check the guards of every request, the token of its form, and its
    blueprint's guards."""
    app.before_request(await_body)
    app.before_request(check_site_guards)
    csrf.init_app(app)
    app.before_request(check_blueprint_guards)


def await_body() -> None:
    """Read the body before anything asks the database or a provider: one that drips in would hold a
    connection all the while. Raises what a malformed or too large body does."""
    if request.method not in SAFE_METHODS:
        request.get_data()


def check_site_guards() -> Response | None:
    return _first_response(EVERYWHERE)


def check_blueprint_guards() -> Response | None:
    return _first_response(request.blueprint) if request.blueprint else None


def _first_response(where: str) -> Response | None:
    here = site()
    for guard in GUARDS.get(where, ()):
        if guard.is_on(here) and (response := guard.check_request()) is not None:
            return response
    return None


def guards_before(blueprint: str, here: Site) -> list[Guard]:
    """Return the guards that a request to a blueprint passes on this site."""
    return [
        guard
        for where in (EVERYWHERE, blueprint)
        for guard in GUARDS.get(where, ())
        if guard.is_on(here)
    ]


def predicate_of(guards: list[Guard]) -> ColumnElement[bool] | None:
    """Return what all of these guards demand, in SQL; None where one of them cannot say it."""
    predicates = [guard.predicate for guard in guards if guard.predicate is not None]
    return and_(true(), *predicates) if len(predicates) == len(guards) else None
