"""The doctor's line about what a provider reports: whether it can, and when it was last heard."""

from collections.abc import Collection, Mapping
from datetime import datetime
from itertools import groupby

from accounts.export import iso_time
from commands.inbox import site_addresses
from inbox import receipts
from inbox.addresses import Address
from storage import schema
from web.checks.findings import Finding


def check_inbox(names: Collection[str]) -> list[Finding]:
    """Return one finding for each of these providers that can report something. Nothing is wrong
    with a provider that was never heard: it may have had nothing to say."""
    if schema.fault():  # the check of the database says so
        return []
    heard = receipts.last_heard()
    of_providers = groupby(site_addresses(), lambda address: address.provider)
    return [
        _finding(list(of_provider), heard) for name, of_provider in of_providers if name in names
    ]


def _finding(of_provider: list[Address], heard: Mapping[str, datetime]) -> Finding:
    first = of_provider[0]
    last = heard.get(first.provider)
    needed = next((each.variables for each in of_provider if not each.is_open), ())
    details = {"last_heard": iso_time(last), "open": [e.url for e in of_provider if e.is_open]}
    return Finding(
        first.provider, first.label, "inbox", "ok", f"inbox: {_state(last, needed)}", details
    )


def _state(last: datetime | None, needed: tuple[str, ...]) -> str:
    if last:
        return f"last heard at {iso_time(last)}"
    if needed:
        return f"off; set {' and '.join(needed)} to hear what it reports"
    return "never heard; flask --app app inbox urls says where to enter its address"
