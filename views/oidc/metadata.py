"""Discovery and keys: what applications read of us before anything else.

The usual GET is answered before Flask (views/oidc/before_flask.py).
"""

import json
from functools import lru_cache

import structlog
from flask import Blueprint, request
from werkzeug.wrappers import Response

from issuer import metadata as documents
from issuer.document_urls import admitted_hosts
from issuer.signing_keys import key_ring
from views.oidc.place import issuer
from web.request_state import request_state

log = structlog.get_logger()
metadata = Blueprint("metadata", __name__)

PUBLIC_SECONDS = 300
JSON, KEYS = "application/json", "application/jwk-set+json"
# The same document is at both (OpenID Connect Discovery 4, RFC 8414 3).
CONFIGURATION = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
RESOURCE = "/.well-known/oauth-protected-resource"
RESOURCES = (RESOURCE, f"{RESOURCE}/api/v1")
JWKS = "/oauth2/jwks"


@metadata.get(CONFIGURATION[0])
@metadata.get(CONFIGURATION[1])
def configuration() -> Response:
    """Say what we are and can."""
    return _public(write_configuration(issuer(), bool(admitted_hosts())), JSON)


@lru_cache
def write_configuration(our_name: str, has_documents: bool) -> bytes:
    document = documents.document(our_name, has_documents=has_documents)
    return json.dumps(document, indent=1).encode()


@metadata.get(RESOURCES[0])
@metadata.get(RESOURCES[1])
def resource() -> Response:
    """Say who issues the access tokens of our own API (RFC 9728 3)."""
    return _public(write_resource(issuer(), request.path), JSON)


@lru_cache
def write_resource(our_name: str, path: str) -> bytes:
    """``path``: one of RESOURCES, which names the resource."""
    document = documents.resource_document(our_name, our_name + path.removeprefix(RESOURCE))
    return json.dumps(document, indent=1).encode()


@metadata.get(JWKS)
def jwks() -> Response:
    """The public keys (RFC 7517)."""
    return _public(key_ring().ring().jwks, KEYS)


def _public(body: bytes, mimetype: str) -> Response:
    request_state().public_seconds = PUBLIC_SECONDS
    response = Response(body, mimetype=mimetype)
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
