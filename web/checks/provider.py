"""The checks of one provider: metadata and keys, client secret, certificates, clock; and all."""

import base64
import json
import ssl
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from errors import ProviderError
from providers.http.transport import goes_through_proxy
from providers.parts import AuthorizationCode
from providers.protocols import firebase
from providers.protocols.connector import Connector
from providers.protocols.firebase import Firebase
from web.checks.client import check_client
from web.checks.findings import Finding, Level, Said, run_checks, server_finding
from web.checks.metadata import check_metadata
from web.checks.network import certificate_days, clock_offset
from web.context import site
from web.text.words import count_of

CERTIFICATE_WARN_DAYS = 14
CLOCK_WARN_SECONDS = 30
CLOCK_FAIL_SECONDS = 300
ENDPOINTS = ("authorization", "token", "userinfo")


@dataclass(frozen=True)
class Check:
    """A check of a provider. ``run`` returns None if it does not apply."""

    about: str
    label: str
    name: str
    run: Callable[[], Said | None]

    def finding(self) -> Finding | None:
        said = self.run()
        return said and Finding(self.about, self.label, self.name, *said)

    def late(self) -> Finding:
        return Finding(self.about, self.label, self.name, "fail", "did not respond in time")


def check_all(connectors: Iterable[Connector], project: Firebase | None) -> list[Finding]:
    """Run all checks of these providers concurrently, and check our clock against theirs."""
    connectors = list(connectors)
    checks = [check for connector in connectors for check in checks_of(connector)]
    if project:
        checks.append(
            Check(firebase.NAME, "Firebase", "keys", lambda: check_firebase_keys(project))
        )

    def late(number: int) -> Finding | float | None:
        return checks[number].late() if number < len(checks) else None

    work: list[Callable[[], Finding | float | None]] = [check.finding for check in checks]
    work += [partial(measure_offset, connector) for connector in connectors]
    found = run_checks(work, late)
    offsets = [each for each in found if isinstance(each, float)]
    findings = [each for each in found if isinstance(each, Finding)]
    return [*findings, *([check_clock(offsets)] if offsets else [])]


def checks_of(connector: Connector) -> list[Check]:
    checks: dict[str, Callable[[], Said | None]] = {
        "client": partial(check_client, connector),
        "metadata": partial(check_metadata, connector),
        "made_secret": partial(check_made_secret, connector),
        "email": partial(check_email, connector),
        "certificates": partial(check_certificates, connector),
    }
    return [Check(connector.name, connector.label, name, run) for name, run in checks.items()]


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def check_made_secret(connector: Connector) -> Said | None:
    """Check that a client secret can be signed with the private key, and how long it is valid."""
    protocol = connector.provider.protocol
    make = protocol.make_secret if isinstance(protocol, AuthorizationCode) else None
    if make is None:
        return None
    try:
        claims = json.loads(_decode(make(connector.registration, int(time.time())).split(".")[1]))
    except ValueError as error:
        return "fail", f"no client secret can be signed with the private key ({error})", {}
    seconds = claims["exp"] - claims["iat"]
    key_id = connector.registration.key_id
    message = f"client secrets can be signed with key {key_id}; each is valid for {seconds} seconds"
    return "ok", message, {"seconds": seconds}


def check_email(connector: Connector) -> Said | None:
    """Check that ALLOWED_EMAIL_DOMAINS does not refuse everybody who comes with this provider."""
    if connector.verifies_email or not site().settings.allowed_email_domains:
        return None
    message = "never verifies an address, so with ALLOWED_EMAIL_DOMAINS nobody new can come in with"
    key = connector.registration.key
    remedy = f"; set {key.upper()}_TRUST_EMAIL=1 if it does" if key.startswith("oidc_") else ""
    return "warn", f"{message} it; its button is left out{remedy}", {}


def check_certificates(connector: Connector) -> Said | None:
    """Check how long the certificates of a provider's hosts are still valid."""
    urls = origins(connector)
    if not urls:
        return None
    if any(goes_through_proxy(url) for url in urls):
        return "ok", "certificates are not checked: requests go through a proxy", {}
    days = {}
    for url in urls:
        host = urlsplit(url).netloc
        try:
            days[host] = int(certificate_days(url))
        except ssl.SSLCertVerificationError as error:
            return "fail", f"the certificate of {host} is invalid: {error.verify_message}", {}
        except OSError as error:
            return (
                "warn",
                f"the certificate of {host} could not be read ({type(error).__name__})",
                {},
            )
    host, least = min(days.items(), key=lambda pair: pair[1])
    if least < CERTIFICATE_WARN_DAYS:
        ends = count_of(least, "day")
        message = f"the certificate of {host} expires in {ends}; its owner must renew it"
        return "warn", message, {"days": days}
    return "ok", f"certificates are valid for {count_of(least, 'day')} or more", {"days": days}


def origins(connector: Connector) -> list[str]:
    """Return the https origins that sign-ins with a provider need."""
    urls = []
    for name in ENDPOINTS:
        try:
            urls.append(connector.endpoint_url(name))
        except (ProviderError, KeyError):  # not reachable now, or missing
            continue
    parts = [urlsplit(url) for url in [*urls, connector.api_url]]
    return sorted({f"https://{part.netloc}/" for part in parts if part.scheme == "https"})


def check_firebase_keys(project: Firebase) -> Said:
    """Check that the keys for ID tokens can be fetched. The project's id cannot be checked."""
    try:
        project.keys.read()
    except ProviderError as error:
        return "fail", f"{error.detail}; without its keys no app can sign in", {}
    return "ok", f"its keys can be read; tokens of project {project.project_id} are accepted", {}


def measure_offset(connector: Connector) -> float | None:
    """Return the offset of our clock from this provider's."""
    try:
        return clock_offset(connector.http, connector.endpoint_url("token"))
    except ProviderError:
        return None


def check_clock(offsets: list[float]) -> Finding:
    """Judge our clock by the median of the providers that answered."""
    offset = statistics.median(offsets)
    away = abs(offset)
    way = "ahead of" if offset > 0 else "behind"
    level: Level = "ok"
    message = f"agrees with the providers, by {len(offsets)} that answered"
    if away > CLOCK_WARN_SECONDS:
        level = "fail" if away > CLOCK_FAIL_SECONDS else "warn"
        message = (
            f"{away:.0f} seconds {way} those of the providers; set it by NTP: "
            "their ID tokens are refused as expired or from the future"
        )
    return server_finding("clock", "Clock", level, message, seconds=round(offset, 1))
