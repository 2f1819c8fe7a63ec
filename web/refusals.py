"""The traces of a refusal: a log line, counts, its weight against the address, an event."""

import structlog

from access.refusals import AccountPending
from accounts import users
from accounts.activity import EventKind
from accounts.flows import Intent
from errors import (
    CodeRefused,
    CrossSite,
    Misconfigured,
    Problem,
    ProviderDown,
    ProviderError,
    SignedOut,
    SignInError,
)
from telemetry import metrics
from web.bearer import is_bearer
from web.context import current_flow, site
from web.cookies import is_in_flow
from web.limits import FAILURE, REFUSAL
from web.request_info import caller

log = structlog.get_logger()

# The kind of event, by the intent of the flow that was refused.
REFUSED = {
    Intent.LINK: EventKind.LINK_REFUSED,
    Intent.REAUTHENTICATE: EventKind.REAUTH_REFUSED,
}


def record_refusal(error: Problem, provider: str | None, *, is_program: bool) -> None:
    """Log and count a refusal; a person who was signed in finds it in their activity."""
    flow = current_flow()
    write = log.error if isinstance(error, Misconfigured) else log.warning
    write(
        "refused",
        reason=error.code,
        provider=provider,
        intent=flow.intent.value if flow else None,
        detail=error.detail,
        address=caller().address,
    )
    metrics.count_refusal(provider, error.code)
    if provider and isinstance(error, SignInError):
        metrics.count_sign_in(provider, "refused")
    if weight := weight_of(error):
        in_flow = is_in_flow() or is_program  # programs have no flows
        site().limits.count_refusal(caller().address, in_flow=in_flow, weight=weight)
    if flow and flow.user_id and isinstance(error, SignInError):
        kind = REFUSED.get(flow.intent, EventKind.REFUSED)
        users.note_refusal(flow.user_id, kind, caller(), provider=flow.provider, reason=error.code)


def weight_of(error: Problem) -> int:
    """Return what a failure counts against its address.

    A refusal counts whole, whether ours or the provider's (for an invented code). Any other failure
    of a provider counts a little, so that nobody can drive calls to it without end. While the
    provider is down it counts nothing, so that nobody is locked out. What another site has its
    visitors' browsers send counts nothing either, and neither does a session that ended meanwhile
    or that waits for approval.
    """
    if isinstance(error, AccountPending | CrossSite | SignedOut):
        return 0
    if is_bearer():  # many phones behind one address may each have an expired token
        return 0
    if isinstance(error, CodeRefused) or error.status in (400, 401, 403):
        return REFUSAL
    is_failure = isinstance(error, ProviderError) and not isinstance(error, ProviderDown)
    return FAILURE if is_failure else 0
