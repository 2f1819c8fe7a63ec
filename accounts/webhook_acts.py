"""Acts of an administrator on webhooks, by command or on a page, each with its row in the
administrators' log."""

from collections.abc import Sequence
from datetime import timedelta

from accounts import admin_log
from accounts.activity import Caller
from accounts.admin_log import Act
from notices import endpoints, webhooks
from notices.endpoints import Endpoint, host_of
from storage import atomic


@atomic
def add(
    url: str, events: Sequence[str], caller: Caller, *, with_profile: bool
) -> tuple[Endpoint, str]:
    """Add a webhook; return it and its secret. ``events``: the types that it wants; none: all."""
    webhook, secret = endpoints.add(url, events, with_profile=with_profile)
    _record(caller, Act.WEBHOOK_ADDED, webhook)
    return webhook, secret


@atomic
def rotate_secret(webhook_id: str, overlap: timedelta, caller: Caller) -> str:
    """Give a webhook a new secret; the old one signs too for ``overlap``. Raises NotFound, or
    TokenUnreadable if the old one cannot be read and shall go on."""
    webhook = endpoints.get(webhook_id)
    secret = endpoints.rotate_secret(webhook_id, overlap)
    _record(caller, Act.WEBHOOK_SECRET, webhook)
    return secret


@atomic
def enable(webhook_id: str, caller: Caller) -> Endpoint:
    """Tell a webhook again what happens from now on. Raises NotFound."""
    webhook = endpoints.get(webhook_id)
    if not webhook.is_enabled:
        webhook = endpoints.enable(webhook_id)
        _record(caller, Act.WEBHOOK_ENABLED, webhook)
    return webhook


@atomic
def remove(webhook_id: str, caller: Caller) -> None:
    """Delete a webhook with everything that waits for it. Raises NotFound."""
    webhook = endpoints.get(webhook_id)
    endpoints.remove(webhook_id)
    _record(caller, Act.WEBHOOK_REMOVED, webhook)


@atomic
def replay(which: str, caller: Caller) -> list[str]:
    """Have a message sent again, or all that a webhook did not take; return the ids of the
    webhooks. Raises NotFound."""
    found = webhooks.replay(which)
    admin_log.record(caller, Act.WEBHOOK_REPLAYED, target=which)
    return found


@atomic
def retry(caller: Caller) -> int:
    """Have everything sent again now that waits for another attempt; return how many rows."""
    count = webhooks.retry()
    if count:
        admin_log.record(caller, Act.OUTBOX_RETRIED, target="webhooks", detail=str(count))
    return count


def _record(caller: Caller, act: Act, webhook: Endpoint) -> None:
    admin_log.record(caller, act, target=f"{host_of(webhook.url)} ({webhook.id})")
