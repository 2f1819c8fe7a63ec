"""The check of an OpenID Connect issuer's metadata and keys: readable, and nothing that we lack."""

import base64
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from cryptography import x509

from errors import ProviderError
from keys.jwk_set import ALGORITHMS, import_jwk_set
from providers.profile import value_at
from providers.protocols.client_auth import METHODS
from providers.protocols.connector import Connector
from web.checks.findings import Said
from web.checks.network import DAY_SECONDS

PUSHED = "pushed_authorization_request_endpoint"


def check_metadata(connector: Connector) -> Said | None:
    """Check that an OpenID Connect issuer's metadata and keys can be read; report the keys."""
    if connector.issuer is None:
        return None
    try:
        connector.issuer.prepare()
        metadata = connector.http.get_json(connector.issuer.metadata_url)
        answer = connector.http.get_json(connector.issuer.metadata().jwks_uri)
        usable = len(import_jwk_set(answer))
    except ProviderError as error:
        return "fail", f"{error.detail}; without metadata and keys nobody can sign in with it", {}
    if unmet := demands_of(metadata, connector):
        return "fail", f"{'; '.join(unmet)}; nobody can sign in with it until that is changed", {}
    published = value_at(answer, "keys")
    rows = (
        [row for row in published if isinstance(row, dict)] if isinstance(published, list) else []
    )
    kinds = Counter(kind_of(row) for row in rows)
    words = ", ".join(f"{kind} ({count})" for kind, count in sorted(kinds.items()))
    ages = [age for row in rows if (age := age_days(row)) is not None]
    old = f"; the oldest is {max(ages):.0f} days old" if ages else ""
    left = len(rows) - usable
    unused = f"; {left} of them cannot verify a sign-in" if left else ""
    details = {"keys": dict(kinds), "oldest_key_days": round(max(ages)) if ages else None}
    return "ok", f"metadata and keys can be read: {words}{unused}{old}", details


def kind_of(row: Mapping[str, Any]) -> str:
    """Return the type of a published key (RFC 7518 6): RSA 2048, EC P-256."""
    kind = str(row.get("kty"))
    if kind == "RSA" and isinstance(row.get("n"), str):
        return f"RSA {len(row['n']) * 6 // 256 * 256}"  # base64 length, rounded to a usual size
    return f"{kind} {row['crv']}"[:20] if "crv" in row else kind[:20]


def age_days(row: Mapping[str, Any]) -> float | None:
    """Return the age of a key, if it has a certificate (RFC 7517 4.7) or says so (iat, nbf)."""
    chain = row.get("x5c")
    try:
        if isinstance(chain, list) and chain:
            certificate = x509.load_der_x509_certificate(base64.b64decode(chain[0]))
            since = certificate.not_valid_before_utc.timestamp()
        else:
            since = float(row["iat"] if "iat" in row else row["nbf"])
    except (KeyError, TypeError, ValueError):
        return None
    return (time.time() - since) / DAY_SECONDS


def demands_of(metadata: object, connector: Connector) -> list[str]:
    """Return what an issuer demands and we cannot do, by its metadata (OpenID Connect Discovery 3,
    RFC 8414 2, RFC 9101 10.5, RFC 9126 5), each with what to change there."""
    said = metadata if isinstance(metadata, dict) else {}
    found = []
    algorithms = _listed(said, "id_token_signing_alg_values_supported")
    if algorithms and not ALGORITHMS & algorithms:
        words = f"it signs id_tokens with {_words(algorithms)} only, which is never accepted"
        found.append(f"{words}; choose an RSA or EC key there")
    methods = _listed(said, "token_endpoint_auth_methods_supported")
    if methods and not methods & set(METHODS.values()):
        found.append(f"it authenticates clients by {_words(methods)} only, which we cannot do")
    elif methods == {"private_key_jwt"} and not connector.registration.private_key:
        variable = f"{connector.registration.key.upper()}_PRIVATE_KEY"
        found.append(f"it authenticates clients by private_key_jwt only: set {variable}")
    types = _listed(said, "response_types_supported")
    if types and "code" not in types:
        found.append("it does not offer the authorization code flow (response_type code)")
    grants = _listed(said, "grant_types_supported")
    if grants and "authorization_code" not in grants:
        found.append("it does not offer the grant authorization_code")
    if said.get("require_pushed_authorization_requests") is True and not said.get(PUSHED):
        found.append("it demands pushed authorization requests (RFC 9126) and names no endpoint")
    if said.get("require_signed_request_object") is True:
        found.append("it demands signed request objects (RFC 9101), which we cannot do")
    return found


def _listed(metadata: Mapping[str, Any], name: str) -> set[str]:
    values = metadata.get(name)
    return {each for each in values if isinstance(each, str)} if isinstance(values, list) else set()


def _words(names: set[str]) -> str:
    return ", ".join(sorted(ascii(name)[1:-1][:40] for name in names))
