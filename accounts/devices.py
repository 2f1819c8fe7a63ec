"""Devices: a browser and its system, as people call them, and which of them a person's sign-ins
came from lately."""

import functools
import ipaddress
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from ua_parser import parse

from accounts.activity import KEPT_DAYS, Caller, EventKind
from models import Event
from storage import db, now

UNKNOWN_BROWSER = "Unknown browser"
ON = "{browser} on {system}"
# Long names and their usual short forms.
SHORT_NAMES = {"Mac OS X": "macOS", "Chrome Mobile": "Chrome", "Mobile Safari": "Safari"}
# The latest sign-ins that are compared.
COMPARED = 500
# The part of an address that a household shares, by version of the protocol.
PREFIXES = {4: 24, 6: 48}


@dataclass(frozen=True)
class Device:
    """A browser and its system, without versions; an empty text is not known."""

    browser: str
    system: str


@functools.lru_cache(maxsize=1024)
def read(user_agent: str) -> Device:
    """Read a User-Agent header."""
    known = parse(user_agent)
    browser = known.user_agent.family if known.user_agent else ""
    system = known.os.family if known.os else ""
    return Device(SHORT_NAMES.get(browser, browser), SHORT_NAMES.get(system, system))


def name(user_agent: str) -> str:
    """Return a browser and its system, such as "Firefox on Windows"."""
    device = read(user_agent)
    browser = device.browser or UNKNOWN_BROWSER
    return ON.format(browser=browser, system=device.system) if device.system else browser


def is_new(user_id: str, caller: Caller) -> bool:
    """Tell whether no sign-in of the last 90 days came from this device, and none from this
    network. Call before the sign-in is recorded, with the account locked."""
    device, network = read(caller.user_agent), _network(caller.address)
    query = select(Event.user_agent, Event.address).where(
        Event.user_id == user_id,
        Event.kind == EventKind.SIGNED_IN,
        Event.at > now() - timedelta(days=KEPT_DAYS),
    )
    query = query.order_by(Event.at.desc()).limit(COMPARED)
    return not any(
        read(user_agent) == device or (network and _network(address) == network)
        for user_agent, address in db.session.execute(query)
    )


def _network(address: str) -> str:
    """Return the network of an address; empty if it is none."""
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        return ""
    return str(ipaddress.ip_network((address, PREFIXES[version]), strict=False))
