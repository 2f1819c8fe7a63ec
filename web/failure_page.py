"""The page of a failed callback, at an address that can be reloaded.

The address of a callback holds a code and a state, which are spent: a reload would fail in
another way. So the browser is led to the sign-in page, which shows the failure that its query
holds, sealed. Too many attempts spend nothing: that callback may be reloaded itself.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from accounts import flows
from accounts.flows import Intent
from errors import Problem, ProviderDown, TokenUnreadable, TooManyAttempts
from providers.protocols.gate import sign_in_progress
from vault import tokens
from web.context import current_flow, site
from web.request_state import request_state

BOUND_TO = "failure page"
# After this the page is the usual one.
SHOWN_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Failure:
    """A failure as its page needs it; ``flow`` are its provider, intent and return path."""

    code: str
    status: int
    email: str
    reference: str
    provider: str
    flow: tuple[str, str, str, str | None] | None
    at: float
    wait_seconds: int | None


def is_spent_callback(error: Problem) -> bool:
    """Tell whether this request was a callback whose address is of no further use."""
    if isinstance(error, TooManyAttempts) or request.method != "GET":
        return False
    is_callback = request.blueprint in site().connectors and request.path.endswith("/authorized")
    return is_callback and bool(request.query_string)


def lead_to_failure_page(error: Problem) -> Response:
    """Redirect to the page that shows this failure."""
    flow = current_flow()
    failure = Failure(
        code=error.code,
        status=error.status,
        email=error.email,
        reference=request_state().reference,
        provider=request.blueprint or "",
        flow=(flow.provider, flow.intent, flow.return_to, flow.identity_id) if flow else None,
        at=time.time(),
        wait_seconds=getattr(error, "wait_seconds", None),
    )
    sealed = tokens.sealer().seal(asdict(failure), BOUND_TO)
    return redirect(url_for("login.choose", failed=sealed), 303)


def shown_failure() -> Problem | None:
    """Return the failure that this request's query holds, and put the request in its place; None
    if there is none, or it is old."""
    failure = _read(request.args.get("failed", ""))
    error = _problem_of(failure) if failure else None
    if failure is None or error is None:
        return None
    state = request_state()
    state.reference, state.failed_provider = failure.reference, failure.provider
    if failure.flow:
        provider, intent, return_to, identity_id = failure.flow
        sign_in_progress().flow = flows.Flow(
            id="",
            provider=provider,
            intent=Intent(intent),
            return_to=return_to,
            user_id=None,
            session_id=None,
            identity_id=identity_id,
        )
    return error


def _read(sealed: str) -> Failure | None:
    if not sealed:
        return None
    try:
        failure = Failure(**tokens.sealer().open(sealed, BOUND_TO))
    except TokenUnreadable:
        return None
    is_known = failure.provider in site().connectors
    return failure if is_known and time.time() - failure.at < SHOWN_SECONDS else None


def _problem_of(failure: Failure) -> Problem | None:
    """Return the error again; None where its person has waited long enough."""
    kinds = {kind.code: kind for kind in reversed(list(_kinds(Problem)))}
    error: Any = kinds[failure.code]()
    error.status, error.email = failure.status, failure.email
    if isinstance(error, ProviderDown) and failure.wait_seconds is not None:
        left = round(failure.at + failure.wait_seconds - time.time())
        if left <= 0:
            return None
        error.wait_seconds = left
    return error if isinstance(error, Problem) else None


def _kinds(kind: type[Problem]) -> Iterator[type[Problem]]:
    yield kind
    for each in kind.__subclasses__():
        yield from _kinds(each)
