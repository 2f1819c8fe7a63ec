"""Metadata: what we are and can, for applications (OpenID Connect Discovery 3, RFC 8414 2)."""

from typing import Any

from issuer import scopes
from issuer.clients import CODE, DEVICE, MACHINE, REFRESH
from keys.client_assertions import ALGORITHMS as ASSERTION_ALGORITHMS
from keys.proofs import ALGORITHMS as PROOF_ALGORITHMS
from keys.signing import ALGORITHMS

# Endpoints by their name in the metadata.
PATHS = {
    "authorization_endpoint": "/oauth2/authorize",
    "token_endpoint": "/oauth2/token",
    "userinfo_endpoint": "/oauth2/userinfo",
    "jwks_uri": "/oauth2/jwks",
    "revocation_endpoint": "/oauth2/revoke",
    "introspection_endpoint": "/oauth2/introspect",
    "end_session_endpoint": "/oauth2/logout",
    "device_authorization_endpoint": "/oauth2/device_authorization",
    "pushed_authorization_request_endpoint": "/oauth2/par",
}
WELL_KNOWN = (
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/api/v1",
)
CLIENT_AUTHENTICATION = ["client_secret_basic", "client_secret_post", "private_key_jwt"]
CLAIMS = [
    *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid"),
    *("name", "picture", "updated_at", "email", "email_verified"),
]


def endpoints(issuer: str) -> dict[str, str]:
    return {name: issuer + path for name, path in PATHS.items()}


def document(issuer: str, *, has_documents: bool) -> dict[str, Any]:
    """Return the metadata, which both well-known addresses have."""
    return {
        "issuer": issuer,
        **endpoints(issuer),
        "scopes_supported": list(scopes.OF_PEOPLE),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": [CODE, REFRESH, MACHINE, DEVICE],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [*CLIENT_AUTHENTICATION, "none"],
        "revocation_endpoint_auth_methods_supported": [*CLIENT_AUTHENTICATION, "none"],
        "introspection_endpoint_auth_methods_supported": CLIENT_AUTHENTICATION,
        **{
            f"{endpoint}_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS)
            for endpoint in ("token", "revocation", "introspection")
        },
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": list(ALGORITHMS),
        "claims_supported": CLAIMS,
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "prompt_values_supported": ["none", "login", "consent", "select_account", "create"],
        "authorization_response_iss_parameter_supported": True,
        "require_pushed_authorization_requests": False,
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        # Applications choose it only where it is announced.
        **({"client_id_metadata_document_supported": True} if has_documents else {}),
    }


def resource_document(issuer: str, resource: str) -> dict[str, Any]:
    """Return the metadata of our API as a protected resource (RFC 9728 2)."""
    return {
        "resource": resource,
        "authorization_servers": [issuer],
        "scopes_supported": [scopes.ACCOUNT],
        "bearer_methods_supported": ["header"],
    }
