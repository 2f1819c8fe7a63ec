"""The check of a gate from within: what the application behind a proxy receives."""

from collections.abc import Mapping
from typing import cast

from flask import current_app

from commands.check_gate import INTRUDER, NAVIGATION, Front, claims, forwarded_claims
from commands.gate_listener import Headers, Listener
from errors import ProviderError
from gates import probe
from gates.identity_headers import PREFIX
from keys.signing import Macs
from web.checks.findings import Finding


def check_received(front: Front, listener: Listener) -> Finding:
    """Send a request through the open gate, and look at what arrives behind the proxy."""
    try:
        return ask(front, listener, forwarded_claims(front.origin))
    except ProviderError as error:
        return front.finding("received", "fail", error.detail or "no answer")


def ask(front: Front, listener: Listener, forwarded: Mapping[str, str]) -> Finding:
    """Open the probe. A proxy that passes ``forwarded`` on is refused, so then ask without.
    Raises ProviderError."""
    macs = cast(Macs, current_app.extensions["macs"])
    target = f"{probe.PATH}?{probe.PASS_NAME}={probe.make_pass(macs, front.origin)}"
    status = front.ask(target, {**NAVIGATION, **claims(), **forwarded}).status_code
    headers = listener.received(target)
    if headers is not None:
        return judge(front, headers, probe.pass_of(target) or "")
    if status == 403 and forwarded:
        return ask(front, listener, {})
    message = (
        f"what the application receives was not seen: {probe.PATH} answered {status} and did not "
        "lead to this command; see --listen"
    )
    return front.finding("received", "warn", message)


def judge(front: Front, headers: Headers, name: str) -> Finding:
    """Say what a visitor could make the application believe."""
    claimed = sorted({key for key, value in headers if INTRUDER in value})
    forwarded = sorted({key for key, value in headers if "intruder" in value} - set(claimed))
    if claimed:
        message = f"the application receives a visitor's {', '.join(claimed)}; remove these names"
        return front.finding("received", "fail", message)
    if forwarded:
        message = f"the application receives a visitor's {', '.join(forwarded)}; overwrite them"
        return front.finding("received", "fail", message)
    if (f"{PREFIX}Name".lower(), name) not in {(key.lower(), value) for key, value in headers}:
        message = "the application does not receive the X-Auth-Request headers of the answer"
        return front.finding("received", "fail", message)
    message = "the application receives our identity headers, and nothing that visitors claim"
    return front.finding("received", "ok", message)
