"""Discovery and keys: what applications read of us before anything else."""

import json
from functools import lru_cache

import structlog
from flask import Blueprint, request
from werkzeug.wrappers import Response

from issuer import metadata as documents
from issuer.signing_keys import key_ring
from views.oidc.place import issuer
from web.request_state import request_state

log = structlog.get_logger()
metadata = Blueprint("metadata", __name__)

PUBLIC_SECONDS = 300
JSON = "application/json"


@metadata.get("/.well-known/openid-configuration")
@metadata.get("/.well-known/oauth-authorization-server")
def configuration() -> Response:
    """OpenID Connect Discovery 4, RFC 8414 3: the same document at both addresses."""
    return _public(_configuration(issuer()), JSON)


@lru_cache
def _configuration(our_name: str) -> bytes:
    return json.dumps(documents.document(our_name), indent=1).encode()


@metadata.get("/.well-known/oauth-protected-resource")
@metadata.get("/.well-known/oauth-protected-resource/api/v1")
def resource() -> Response:
    """Say who issues the access tokens of our own API (RFC 9728 3)."""
    path = request.path.partition("/.well-known/oauth-protected-resource")[2]
    document = documents.resource_document(issuer(), issuer() + path)
    return _public(json.dumps(document, indent=1).encode(), JSON)


@metadata.get("/oauth2/jwks")
def jwks() -> Response:
    """The public keys (RFC 7517)."""
    return _public(key_ring().ring().jwks, "application/jwk-set+json")


def _public(body: bytes, mimetype: str) -> Response:
    request_state().public_seconds = PUBLIC_SECONDS
    response = Response(body, mimetype=mimetype)
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
