"""``webhooks``: addresses that are told what happens, with signed messages."""

import ipaddress
import sys
from collections import Counter
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import click
from flask.cli import AppGroup

from accounts import webhook_acts
from accounts.activity import COMMAND_LINE
from accounts.export import iso_time
from commands.console import (
    confirm_action,
    format_time,
    json_option,
    needs_database,
    print_note,
    print_result,
    site,
    yes_option,
)
from errors import TokenUnreadable
from notices import deliveries, endpoints
from notices.deliveries import SendFailed
from notices.endpoints import Endpoint
from notices.webhook_events import WebhookType
from providers.http.public import is_public
from providers.http.receivers import is_private

webhooks = AppGroup("webhooks", help="Tell other systems what happens, with signed messages.")

URL_MAX_CHARACTERS = 2000
TYPES = tuple(kind.value for kind in WebhookType)


def _fault(url: str, *, allows_private: bool) -> str | None:
    """Return what is wrong with an address."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "is no address"
    schemes = ("https", "http") if allows_private else ("https",)
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > URL_MAX_CHARACTERS:
        return "must be printable ASCII of at most 2000 characters"
    if parts.scheme not in schemes or not host:
        more = "" if allows_private else "; http only with WEBHOOK_ALLOW_PRIVATE=1"
        return f"must begin with https://{more}"
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "must have no user, password or fragment"
    if _is_address(host) and not (is_public(host) or (allows_private and is_private(host))):
        return "is not a public address; WEBHOOK_ALLOW_PRIVATE=1 allows private ones"
    return None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def check_events(
    _context: click.Context, _option: click.Parameter, texts: tuple[str, ...]
) -> list[str]:
    """Return types of messages; several may stand in one text, and user.* means all that begin so.
    Raises BadParameter."""
    found: list[str] = []
    for name in (name.strip() for text in texts for name in text.split(",")):
        start = name.removesuffix("*")
        meant = [
            kind
            for kind in TYPES
            if kind == name or (name.endswith(".*") and kind.startswith(start))
        ]
        if not meant:
            raise click.BadParameter(f"there is no type {name!r}. Types: {', '.join(TYPES)}")
        found += meant
    return sorted(set(found))


@webhooks.command("add")
@click.argument("url")
@click.option(
    "--events",
    metavar="TYPES",
    multiple=True,
    callback=check_events,
    help="Only these types, such as user.created,session.*. Default: all.",
)
@click.option(
    "--with-profile",
    is_flag=True,
    help="With what events say of people, such as e-mail addresses; otherwise ids only.",
)
@json_option
@needs_database
def add(url: str, events: list[str], *, with_profile: bool, as_json: bool) -> None:
    """Have URL told what happens, and print the secret that signs the messages, once."""
    if found := _fault(url, allows_private=site().settings.webhook_allow_private):
        raise click.BadParameter(found, param_hint="URL")
    webhook, secret = webhook_acts.add(url, events, COMMAND_LINE, with_profile=with_profile)
    lines = [f"id: {webhook.id}", f"secret: {secret}"]
    print_result({**describe(webhook), "secret": secret}, lines, as_json=as_json)


@webhooks.command("list")
@json_option
@needs_database
def list_webhooks(*, as_json: bool) -> None:
    """List the webhooks, and whether they take what they are sent."""
    found = endpoints.every()
    lines = [_format_row(each) for each in found] or ["No webhooks."]
    print_result({"items": [describe(each) for each in found]}, lines, as_json=as_json)


@webhooks.command("test")
@click.argument("webhook")
@json_option
@needs_database
def test(webhook: str, *, as_json: bool) -> None:
    """Send a message of the type webhook.test now, once.

    Exits with 1 if the webhook does not answer with 2xx. WEBHOOK is an id.
    """
    try:
        response = deliveries.send_test(webhook, deliveries.of_site().send)
    except SendFailed as error:
        raise click.ClickException(f"The message was not delivered: {error}.") from None
    except TokenUnreadable:
        raise click.ClickException("No key opens its secret: rotate it.") from None
    if not response.is_success:
        raise click.ClickException(f"The webhook answered {response.status}.")
    document = {"id": webhook, "status": response.status}
    print_result(document, [f"The webhook answered {response.status}."], as_json=as_json)


@webhooks.command("replay")
@click.argument("which")
@json_option
@needs_database
def replay(which: str, *, as_json: bool) -> None:
    """Send a message again now, under the same id.

    WHICH is the id of a message, msg_…, or of a webhook: then all messages of the last 7 days that
    it did not take. Exits with 1 if one must be tried again later.
    """
    found = webhook_acts.replay(which, COMMAND_LINE)
    ends = Counter(deliveries.deliver_due(deliveries.of_site().send, found))
    lines = [f"{end}: {count}" for end, count in ends.items()]
    print_result({"ended": dict(ends)}, lines, as_json=as_json)
    sys.exit(0 if set(ends) <= {"delivered"} else 1)


@webhooks.command("rotate-secret")
@click.argument("webhook")
@click.option(
    "--overlap",
    type=click.IntRange(0, 168),
    default=24,
    show_default=True,
    help="Hours for which the old secret signs too; 0: it leaked.",
)
@json_option
@needs_database
def rotate_secret(webhook: str, overlap: int, *, as_json: bool) -> None:
    """Make a new secret, and print it, once.

    Each message has a signature of both secrets for so long. WEBHOOK is an id.
    """
    try:
        secret = webhook_acts.rotate_secret(webhook, timedelta(hours=overlap), COMMAND_LINE)
    except TokenUnreadable:
        raise click.ClickException("No key opens its old secret: use --overlap 0.") from None
    until = endpoints.get(webhook).overlap_until
    lines = [f"secret: {secret}"]
    if until:
        print_note(f"The old secret signs too until {iso_time(until)}.")
    document = {"id": webhook, "secret": secret, "overlap_until": iso_time(until)}
    print_result(document, lines, as_json=as_json)


@webhooks.command("enable")
@click.argument("webhook")
@json_option
@needs_database
def enable(webhook: str, *, as_json: bool) -> None:
    """Tell a webhook again what happens, after it was disabled because it took nothing.

    Messages that it missed can be sent again: webhooks replay. WEBHOOK is an id.
    """
    found = webhook_acts.enable(webhook, COMMAND_LINE)
    print_result(describe(found), ["The webhook is enabled."], as_json=as_json)


@webhooks.command("remove")
@click.argument("webhook")
@yes_option
@json_option
@needs_database
def remove(webhook: str, *, yes: bool, as_json: bool) -> None:
    """Remove a webhook, and what waits for it. WEBHOOK is an id."""
    url = endpoints.get(webhook).url
    confirm_action(f"Remove the webhook {url}, with what waits for it?", yes=yes)
    webhook_acts.remove(webhook, COMMAND_LINE)
    print_result({"id": webhook}, ["The webhook is removed."], as_json=as_json)


def describe(webhook: Endpoint) -> dict[str, Any]:
    """Return what --json shows of a webhook."""
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": list(webhook.events),
        "with_profile": webhook.with_profile,
        "created_at": iso_time(webhook.created_at),
        "overlap_until": iso_time(webhook.overlap_until),
        "delivered_at": iso_time(webhook.delivered_at),
        "failing_since": iso_time(webhook.failing_since),
        "fault": webhook.fault,
        "disabled_at": iso_time(webhook.disabled_at),
    }


def _format_row(webhook: Endpoint) -> str:
    parts = [" ".join(webhook.events) or "all events"]
    if webhook.with_profile:
        parts.append("with profiles")
    parts.append(f"last delivered {format_time(webhook.delivered_at)}")
    if webhook.failing_since:
        parts.append(f"failing since {iso_time(webhook.failing_since)} ({webhook.fault})")
    if not webhook.is_enabled:
        parts.append(f"disabled {iso_time(webhook.disabled_at)}")
    return f"{webhook.id}  {webhook.url}  {', '.join(parts)}"
