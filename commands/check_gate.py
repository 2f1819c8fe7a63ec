"""The check of a gate: attacks its public hosts, and tells what came through their proxy."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from commands.check_public import set_cookies
from commands.console import site
from errors import ProviderError
from gates import flows, probe
from gates.identity_headers import PREFIX
from providers.http.responses import Answer
from providers.http.transport import Transport
from storage import db
from web.checks.findings import Finding, Level

NAVIGATION = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "User-Agent": "Quickstep"}
SCRIPT = {"Accept": "application/json", "Sec-Fetch-Mode": "cors", "User-Agent": "Quickstep"}
PAGE = "/gates-check?a=1&b=2"
INTRUDER = "gates-check-intruder"
# Applications that read headers as CGI does take each of these for a dash.
SEPARATORS = ("_", ".")
IDENTITY_NAMES = tuple(f"{PREFIX}{name}" for name in probe.NAMES)
DEAD_COOKIE = "A" * 43


@dataclass(frozen=True)
class Front:
    """An origin of a gate, as everybody reaches it."""

    gate: str
    origin: str
    transport: Transport

    def ask(self, target: str, headers: Mapping[str, str]) -> Answer:
        """Send a GET. Raises ProviderError."""
        return self.transport.ask("GET", self.origin + target, headers=headers)

    def finding(self, check: str, level: Level, message: str) -> Finding:
        return Finding(self.gate, self.origin, check, level, message)

    @property
    def cookie_name(self) -> str:
        return "__Host-gate" if self.origin.startswith("https:") else "gate"


# Strangers.


def check_strangers(front: Front) -> Finding:
    """Open a page as a browser that is not signed in."""
    try:
        response = front.ask(PAGE, NAVIGATION)
    except ProviderError as error:
        message = f"{error.detail}; does its name lead to the proxy, and is that running?"
        return front.finding("strangers", "fail", message)
    if fault := fault_of(front, response):
        return front.finding("strangers", "fail", fault)
    message = "leads strangers to sign-in, and back to the page that they wanted"
    return front.finding("strangers", "ok", message)


def fault_of(front: Front, response: Answer) -> str | None:
    """Say why a navigation does not lead to sign-in and back; None if it does."""
    status, location = response.status_code, response.headers.get("Location", "")
    if status in (301, 302, 303, 307, 308) and location:
        return fault_of_redirect(front, response, location)
    if status < 300:
        return f"answers strangers with {status}: the proxy does not ask the gate"
    if status == 403:
        return f"answers 403: the proxy asks about another address than {front.origin}"
    if status == 401:
        return "answers 401 without a redirect: the proxy does not pass on Location"
    asked = f"/forward-auth/{front.gate}"
    return f"answers {status}: the proxy gets no answer from Quickstep at {asked}"


def fault_of_redirect(front: Front, response: Answer, location: str) -> str | None:
    """Check where a redirect leads: to our sign-in, for the page that was asked for."""
    if not location.startswith(f"{site().settings.base_url}/gate/{front.gate}?"):
        place = location.partition("?")[0]
        return f"leads to {place}, which is not the sign-in of these settings"
    flow_id = parse_qs(urlsplit(location).query).get("flow", [""])[0]
    db.session.rollback()  # see what the server has just written
    flow = flows.find(flow_id)
    if flow is None:
        return "the server there uses another database than these settings"
    flows.purge([flow_id])
    if flow.target != PAGE:
        return f"would lead back to {flow.target}, not to {PAGE}: the proxy asks about another page"
    if front.cookie_name not in set_cookies(response):
        return "redirects without the cookie: the proxy does not pass on Set-Cookie"
    return None


def check_scripts(front: Front) -> Finding:
    """Ask as fetch() does: 401, which a script understands."""
    response = front.ask(PAGE, SCRIPT)
    if response.status_code == 401 and "Location" not in response.headers:
        return front.finding("scripts", "ok", "answers scripts with 401, not with a redirect")
    message = f"answers scripts with {response.status_code}; they expect 401 without Location"
    return front.finding("scripts", "fail", message)


def check_cookie(front: Front) -> Finding:
    """Check that the cookie arrives as it was sent."""
    response = front.ask(PAGE, NAVIGATION)
    forget(response)
    _value, flags = set_cookies(response).get(front.cookie_name, ("", frozenset()))
    wanted = {"httponly", "samesite=lax", "path=/"}
    wanted |= {"secure"} if front.origin.startswith("https:") else set()
    lacks = sorted(wanted - flags)
    lacks += ["no Domain"] if any(flag.startswith("domain=") for flag in flags) else []
    if lacks:
        message = f"the cookie arrives without {', '.join(lacks)}; does the proxy rewrite cookies?"
        return front.finding("cookie", "fail", message)
    return front.finding("cookie", "ok", "the cookie arrives as it was sent")


def forget(response: Answer) -> None:
    """Delete the flow that a response began."""
    location = response.headers.get("Location", "")
    flows.purge(parse_qs(urlsplit(location).query).get("flow", []))


# Claims of visitors.


def claimed_names() -> list[str]:
    """Return the names of the identity headers, and those that applications take for them."""
    aliases = [name.replace("-", separator) for separator in SEPARATORS for name in IDENTITY_NAMES]
    mixed = [
        f"{PREFIX[:-1]}{separator}{name}" for separator in SEPARATORS for name in probe.NAMES[:2]
    ]
    return [*IDENTITY_NAMES, *aliases, *mixed]


def claims() -> dict[str, str]:
    return dict.fromkeys(claimed_names(), INTRUDER)


def check_claims(front: Front) -> Finding:
    """Claim to be somebody, with a cookie that opens nothing."""
    cookie = {"Cookie": f"{front.cookie_name}={DEAD_COOKIE}"}
    response = front.ask(PAGE, {**NAVIGATION, **claims(), **cookie})
    if fault := fault_of(front, response):
        message = f"with identity headers and a dead cookie, it {fault}"
        return front.finding("claims", "fail", message)
    return front.finding("claims", "ok", "lets nobody in by headers that claim to be somebody")


def forwarded_claims(origin: str) -> dict[str, str]:
    """Return what proxies tell each other, as a visitor of another address would send it."""
    return {
        "X-Forwarded-Host": "intruder.example",
        "X-Forwarded-Proto": "http" if origin.startswith("https:") else "https",
        "X-Forwarded-Uri": "/intruder",
        "X-Forwarded-Method": "POST",
        "X-Original-URL": "https://intruder.example/intruder",
        "X-Original-Method": "POST",
        "Forwarded": "host=intruder.example;proto=http",
    }


def check_forwarded(front: Front) -> Finding:
    """Send one header at a time, so that the message can name it."""
    trusted = [
        name
        for name, value in forwarded_claims(front.origin).items()
        if fault_of(front, front.ask(PAGE, {**NAVIGATION, name: value}))
    ]
    if trusted:
        # A visitor only shuts themself out by them; but applications may believe the first.
        level: Level = (
            "fail" if any(name.startswith("X-Forwarded-") for name in trusted) else "warn"
        )
        message = f"the proxy passes on a visitor's {', '.join(trusted)}; let it overwrite them"
        return front.finding("forwarded", level, message)
    message = "overwrites what visitors send as X-Forwarded-* and X-Original-*"
    return front.finding("forwarded", "ok", message)


def check_host(front: Front) -> Finding:
    """Ask the proxy for a host that it does not have."""
    response = front.ask(PAGE, {**NAVIGATION, "Host": "intruder.example"})
    forget(response)
    # Some proxies answer for unknown hosts with nothing.
    if response.status_code < 300 and response.content:
        message = f"answers {response.status_code} to strangers who name another host"
        return front.finding("host", "fail", message)
    return front.finding("host", "ok", "lets nobody in who names another host")


# Ways around the gate.


def answered_plainly(front: Front) -> list[Finding]:
    """Check that the same host without TLS leads to https, or is closed."""
    parts = urlsplit(front.origin)
    if parts.scheme != "https" or parts.port:
        return []
    try:
        response = front.transport.ask("GET", f"http://{parts.hostname}{PAGE}", headers=NAVIGATION)
    except ProviderError:
        return [front.finding("plain", "ok", "is closed without TLS")]
    if response.status_code < 300:
        message = f"answers {response.status_code} without TLS, past the gate"
        return [front.finding("plain", "fail", message)]
    return [front.finding("plain", "ok", "lets nobody in without TLS")]


def check_beside(gate: str, address: str) -> Finding:
    """Ask the application itself, at an address that only the proxy should reach."""
    try:
        response = Transport().ask("GET", address, headers={**NAVIGATION, **claims()})
    except ProviderError:
        return Finding(gate, address, "beside", "ok", "does not answer without the proxy")
    message = (
        f"answers {response.status_code} without the proxy, so whoever reaches it can claim to be "
        "anybody; close it to others, or let the application verify X-Auth-Request-Assertion"
    )
    return Finding(gate, address, "beside", "fail", message)
