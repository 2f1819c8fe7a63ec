"""JSON answers to applications: documents, and the errors of RFC 6749 5.2 and RFC 6750 3."""

import json
from typing import Any

import structlog
from flask import request
from werkzeug.wrappers import Response

from issuer.faults import Refused
from telemetry import metrics

log = structlog.get_logger()

RETRY_AFTER_SECONDS = 5
JSON = "application/json"
NO_CACHE = ("Pragma", "no-cache")
ANY_ORIGIN = ("Access-Control-Allow-Origin", "*")
CORS = (
    ANY_ORIGIN,
    ("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP"),
    ("Access-Control-Allow-Methods", "GET, POST"),
    ("Access-Control-Expose-Headers", "WWW-Authenticate, DPoP-Nonce"),
    ("Access-Control-Max-Age", "600"),
)


def answer(document: dict[str, Any], status: int = 200) -> Response:
    """Answer with JSON. Any origin may read it: nothing here counts cookies."""
    return Response(write(document), status, mimetype=JSON, headers=[NO_CACHE])


def write(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def refuse(refused: Refused) -> Response:
    """Answer with the error of a fault."""
    fault = refused.fault
    log.info("app_request_refused", reason=refused.name, detail=refused.detail)
    metrics.count_app((request.endpoint or "").rpartition(".")[2], refused.name)
    document = {"error": fault.error, "error_description": fault.description}
    response = answer(
        {name: value for name, value in document.items() if fault.error}, fault.status
    )
    if refused.name == "client_refused":
        response.headers["WWW-Authenticate"] = 'Basic realm="clients"'
    elif refused.name.startswith("bearer_"):
        response.headers["WWW-Authenticate"] = _challenge(refused)
    elif refused.name in ("unavailable", "keys_away"):
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _challenge(refused: Refused) -> str:
    """RFC 6750 3: no error where there was no token."""
    fault = refused.fault
    if not fault.error:
        return "Bearer"
    return f'Bearer error="{fault.error}", error_description="{fault.description}"'


def refuse_name(name: str) -> Response:
    return refuse(Refused(name))


def allow_any_origin(response: Response) -> Response:
    """Let pages of any origin read the answer (https://fetch.spec.whatwg.org/#http-cors-protocol)."""
    if ANY_ORIGIN[0] not in response.headers:  # an answer to a failure has them already
        response.headers.extend(CORS)
    return response
