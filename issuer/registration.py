"""Registration: what a client may be registered with, with all faults together."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from accounts import admission
from issuer import redirects, scopes
from issuer.clients import CODE, DEVICE, MACHINE, REFRESH
from keys.client_assertions import jwk_set_fault
from keys.signing import ALGORITHMS

NAME_MAX_CHARACTERS = 200
GRANT_TYPES = (CODE, REFRESH, MACHINE, DEVICE)
ACCESS_SECONDS = (300, 3600)


def faults(values: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the columns of a client, each fault in one line."""
    is_public = bool(values.get("is_public"))
    return [
        *_name_faults(values.get("name", "")),
        *_redirect_faults(values, is_public=is_public),
        *_backchannel_faults(values.get("backchannel_uri")),
        *_key_faults(values, is_public=is_public),
        *_choice_faults(values, is_public=is_public),
        *(
            f"--allow {rule}: {fault}"
            for rule in values["allow"]
            if (fault := admission.fault(rule))
        ),
    ]


def _name_faults(name: str) -> list[str]:
    if not name.strip() or len(name) > NAME_MAX_CHARACTERS or not name.isprintable():
        return [f"NAME: 1 to {NAME_MAX_CHARACTERS} characters that can be printed"]
    return []


def _redirect_faults(values: Mapping[str, Any], *, is_public: bool) -> list[str]:
    found = []
    for option, column in (
        ("--redirect-uri", "redirect_uris"),
        ("--post-logout-redirect-uri", "post_logout_uris"),
    ):
        found += [
            f"{option} {uri}: {fault}"
            for uri in values[column]
            if (fault := redirects.fault(uri, is_public=is_public))
        ]
    if CODE in values["grant_types"] and not values["redirect_uris"]:
        found.append("--redirect-uri: at least one, where people come back to")
    return found


def _backchannel_faults(uri: str | None) -> list[str]:
    if uri is None:
        return []
    try:
        parts = urlsplit(uri)
        is_good = parts.scheme in ("https", "http") and bool(parts.hostname) and not parts.fragment
        is_good = is_good and parts.username is None and uri.isascii() and uri.isprintable()
    except ValueError:
        is_good = False
    return [] if is_good else [f"--backchannel-logout-uri {uri}: must be an http or https address"]


def _key_faults(values: Mapping[str, Any], *, is_public: bool) -> list[str]:
    jwks, uri = values["jwks"], values["jwks_uri"]
    found = []
    if jwks and uri:
        found.append("--jwks, --jwks-uri: one of them")
    if is_public and (jwks or uri):
        found.append("--jwks, --jwks-uri: a public client cannot authenticate")
    if jwks and (fault := jwk_set_fault(jwks)):
        found.append(f"--jwks: {fault}")
    if uri and (fault := redirects.fault(uri, is_public=False)):
        found.append(f"--jwks-uri {uri}: {fault}")
    return found


def _choice_faults(values: Mapping[str, Any], *, is_public: bool) -> list[str]:
    found = []
    unknown = [each for each in values["grant_types"] if each not in GRANT_TYPES]
    if unknown:
        names = (*(each for each in GRANT_TYPES if each != DEVICE), "device")
        found.append(f"--grant {', '.join(unknown)}: one of {', '.join(names)}")
    if is_public and MACHINE in values["grant_types"]:
        found.append("--grant client_credentials: a public client cannot authenticate")
    if is_public and not values["needs_pkce"]:
        found.append("--no-pkce: a public client needs PKCE")
    if values["id_token_alg"] not in ALGORITHMS:
        found.append(f"--id-token-alg: one of {', '.join(ALGORITHMS)}")
    named = [
        scope for scope in values["scopes"] if not re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]+", scope)
    ]
    strange = [
        scope for scope in values["scopes"] if scope not in scopes.KNOWN and scope not in named
    ]
    if named or strange:
        known = ", ".join(scopes.KNOWN)
        found.append(f"--scope {', '.join([*named, *strange])}: one of {known}")
    if scopes.ADMIN in values["scopes"] and MACHINE not in values["grant_types"]:
        found.append(f"--scope {scopes.ADMIN}: only with --grant {MACHINE}")
    least, most = ACCESS_SECONDS
    if not least <= values["access_seconds"] <= most:
        found.append(f"--access-seconds: {least} to {most}")
    return found
