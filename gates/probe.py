"""The probe: one path at each gated host, which opens for ``gates check`` alone.

The proxy sends that path to the command instead of the application, which so learns what an
application receives. A pass in its query, made with SECRET_KEY, opens it for a minute.
"""

import time
from urllib.parse import parse_qs, urlsplit

from gates.asked import Asked
from gates.identity_headers import PREFIX
from keys.signing import Macs, decode, encode

PATH = "/.quickstep/probe"
PASS_NAME = "pass"  # noqa: S105 (the name of a parameter)
PASS_SECONDS = 60
NAMES = ("User", "Email", "Name", "Groups", "Provider", "Assertion")


def make_pass(macs: Macs, origin: str) -> str:
    """Make a pass for an origin: the end of its life, and a code that proves who made it."""
    until = str(int(time.time()) + PASS_SECONDS)
    return f"{until}.{_code(macs, origin, until)}"


def _message(origin: str, until: str) -> bytes:
    return f"gate probe\n{origin}\n{until}".encode()


def _code(macs: Macs, origin: str, until: str) -> str:
    return encode(macs.make(_message(origin, until)))


def opens(macs: Macs, asked: Asked) -> bool:
    """Return whether this is the probe's path, with a pass for this origin."""
    return pass_of(asked.target) is not None and _is_valid(macs, asked)


def pass_of(target: str) -> str | None:
    """Return the pass in a path and query; None if this is another path, or has none."""
    parts = urlsplit(target)
    found = parse_qs(parts.query).get(PASS_NAME, []) if parts.path == PATH else []
    return found[0] if len(found) == 1 else None


def _is_valid(macs: Macs, asked: Asked) -> bool:
    until, _, code = (pass_of(asked.target) or "").partition(".")
    if not (until.isascii() and until.isdigit() and len(until) <= 12):
        return False
    if not 0 <= int(until) - time.time() <= PASS_SECONDS:
        return False
    try:
        given = decode(code)
    except ValueError:
        return False
    return macs.is_valid(_message(asked.origin, until), given)


def headers(target: str) -> list[tuple[str, str]]:
    """Return the identity headers of the answer: nobody's, so that no application that gets them
    by mistake makes an account, with the pass as the name."""
    name = {"Name": pass_of(target) or ""}
    return [(PREFIX + each, name.get(each, "")) for each in NAMES]
