"""The checks of ourselves as OpenID Provider: our keys, and what applications read of us."""

import json
from collections.abc import Mapping
from typing import Any

from commands.console import site
from errors import ProviderError
from issuer import key_health, signing_keys
from issuer.metadata import PATHS, WELL_KNOWN
from providers.http.transport import Transport
from storage import schema
from web.checks.findings import Finding, Level, server_finding

DISCOVERY, JWKS = WELL_KNOWN[0], PATHS["jwks_uri"]


def check_signing_keys() -> list[Finding]:
    """Check that our keys can sign. The check of the database speaks for it where it is away."""
    if schema.fault():
        return []
    fault = key_health.fault()
    if fault:
        return [_signing("fail", f"{fault}; docs/operate/operation.md says what to do")]
    current = _current_keys()
    if not current:
        return [_signing("ok", "none yet: the first request for one makes them")]
    return [_signing("ok", f"{', '.join(current.values())}: those that sign now can be opened")]


def _signing(level: Level, message: str) -> Finding:
    return server_finding("signing_keys", "Signing keys", level, message)


def _current_keys() -> dict[str, str]:
    """Return the algorithms of the keys that sign now, by kid."""
    return {key.id: key.alg for key in signing_keys.every() if key.state == "current"}


def check_issuer(transport: Transport) -> list[Finding]:
    """Read our metadata and keys at PUBLIC_URL, as applications do."""
    url = site().settings.base_url
    document = _read(transport, url + DISCOVERY, "issuer")
    if isinstance(document, Finding):
        return [document]
    if document.get("issuer") != url:
        message = f"{url}{DISCOVERY} names the issuer {document.get('issuer')}, not {url}"
        return [_provider("fail", f"{message}; restart the server there with these settings")]
    published = _read(transport, url + JWKS, "keys")
    if isinstance(published, Finding):
        return [published]
    rows = published.get("keys")
    rows = rows if isinstance(rows, list) else []
    kids = [row.get("kid") for row in rows if isinstance(row, dict)]
    # Only now: that request makes the first keys.
    current = {} if schema.fault() else _current_keys()
    if absent := [kid for kid in current if kid not in kids]:
        message = f"{url}{JWKS} lacks the key that signs now ({', '.join(sorted(absent))})"
        return [_provider("fail", f"{message}; does a cache there keep it too long?")]
    return [_provider("ok", "applications find its metadata and keys there")]


def _read(transport: Transport, url: str, member: str) -> Mapping[str, Any] | Finding:
    """Return a JSON object that has this member, or what is there instead."""
    try:
        answer = transport.ask("GET", url)
    except ProviderError as error:
        return _provider("warn", f"{error.detail}; no application can sign people in")
    try:
        document = json.loads(answer.content) if answer.status_code == 200 else None
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict) and member in document:
        return document
    message = f"{url} answered {answer.status_code}, without {member}"
    return _provider("warn", f"{message}; does a proxy keep it from this server?")


def _provider(level: Level, message: str) -> Finding:
    return server_finding("issuer", "OpenID Provider", level, message)
