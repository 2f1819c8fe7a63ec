"""``inbox``: what providers report to this site: where, what came, and whether it arrives."""

from collections.abc import Iterable
from typing import Any

import click
from flask.cli import AppGroup

from accounts.export import iso_time
from commands.console import json_option, needs_database, print_result, site
from inbox import receipts
from inbox.addresses import Address, addresses
from inbox.catalogue import build_dialects
from inbox.receipts import Receipt

LISTED, MOST = 50, 1000

inbox = AppGroup("inbox", help="What providers report: addresses, receipts, tests.")


@inbox.command("urls")
@json_option
def list_urls(*, as_json: bool) -> None:
    """List the addresses that providers report to.

    Enter each in the provider's console, where it says. A closed one has no route until the
    settings that it names are there.
    """
    found = site_addresses()
    lines = [line for each in found for line in _address_lines(each)]
    items = [_address_document(each) for each in found]
    nothing = ["None of the providers that are on reports anything."]
    print_result({"items": items}, lines or nothing, as_json=as_json)


def site_addresses() -> list[Address]:
    """Return the addresses of this site."""
    connectors, base_url = site().connectors, site().settings.base_url
    return addresses(connectors, build_dialects(connectors, base_url), base_url)


def _address_document(address: Address) -> dict[str, Any]:
    return {
        "provider": address.provider,
        "url": address.url,
        "open": address.is_open,
        "settings": list(address.variables),
        "where": address.where,
    }


def _address_lines(address: Address) -> list[str]:
    needed = f"closed: set {' and '.join(address.variables)}"
    return [
        f"{address.label}: {'open' if address.is_open else needed}",
        f"  address  {address.url}",
        f"  enter at {address.where}",
    ]


@inbox.command("list")
@click.option("--provider", default="", help="Only of this provider.")
@click.option("--limit", type=click.IntRange(1, MOST), default=LISTED, show_default=True)
@json_option
@needs_database
def list_receipts(provider: str, limit: int, *, as_json: bool) -> None:
    """List what providers reported, newest first.

    Receipts are kept for 180 days, and say nothing about the person.
    """
    found = receipts.recent(provider, limit)
    items = [_receipt_document(each) for each in found]
    lines = [*_receipt_lines(found)] or ["Nothing was reported."]
    print_result({"items": items}, lines, as_json=as_json)


def _receipt_document(receipt: Receipt) -> dict[str, Any]:
    return {
        "id": receipt.id,
        "provider": receipt.provider,
        "kind": receipt.kind,
        "effect": receipt.effect,
        "event_at": iso_time(receipt.event_at),
        "received_at": iso_time(receipt.received_at),
    }


def _receipt_lines(found: Iterable[Receipt]) -> Iterable[str]:
    for each in found:
        yield f"{iso_time(each.received_at)}  {each.provider}: {each.kind}, {each.effect}"
