"""Trials: harmless messages, signed as a provider signs where this site holds what it signs with,
that show whether a report would arrive."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode
from uuid import uuid4

from inbox.dialects.facebook import make_signed_request
from inbox.notices import Dialect
from providers.protocols.connector import Connector

# The id of nobody at any provider.
NOBODY = "quickstep-test"


@dataclass(frozen=True)
class Trial:
    """A request to a route. ``is_signed``: whether the route must take it, and leave a receipt;
    otherwise it must refuse it."""

    method: str = "POST"
    query: str = ""
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)
    form: Mapping[str, str] | None = field(repr=False, default=None)
    document: Mapping[str, object] | None = field(repr=False, default=None)
    is_signed: bool = True


def trial_of(dialect: Dialect, connector: Connector) -> Trial:
    """Return the trial of a route: unsigned, where only the provider can sign."""
    build = BUILDERS.get(dialect.path)
    if build is not None:
        return build(connector)
    if "application/x-www-form-urlencoded" in dialect.mimetypes:
        return Trial(form={}, is_signed=False)
    headers = {"Content-Type": next(iter(dialect.mimetypes), "application/json")}
    return Trial(headers=headers, document={}, is_signed=False)


def _mac(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _body(document: Mapping[str, object]) -> bytes:
    """Return a document's bytes as Transport sends them."""
    return json.dumps(document).encode()


def _facebook(connector: Connector) -> Trial:
    payload = {"algorithm": "HMAC-SHA256", "user_id": NOBODY, "issued_at": int(time.time())}
    signed = make_signed_request(payload, connector.registration.secret)
    return Trial(form={"signed_request": signed})


def _github(connector: Connector) -> Trial:
    document = {"zen": NOBODY}
    secret = connector.registration.webhook_secret
    assert secret is not None
    signature = _mac(secret.get_secret_value(), _body(document))
    headers = {
        "X-GitHub-Event": "ping",
        "X-GitHub-Delivery": str(uuid4()),
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    return Trial(headers=headers, document=document)


def _slack(connector: Connector) -> Trial:
    document = {"type": "url_verification", "challenge": NOBODY}
    secret, stamp = connector.registration.signing_secret, str(int(time.time()))
    assert secret is not None
    message = b"v0:" + stamp.encode() + b":" + _body(document)
    signature = f"v0={_mac(secret.get_secret_value(), message)}"
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
    return Trial(headers=headers, document=document)


def _zoom(connector: Connector) -> Trial:
    document = {"event": "endpoint.url_validation", "payload": {"plainToken": uuid4().hex}}
    secret, stamp = connector.registration.webhook_secret, str(int(time.time()))
    assert secret is not None
    message = b"v0:" + stamp.encode() + b":" + _body(document)
    signature = f"v0={_mac(secret.get_secret_value(), message)}"
    headers = {"x-zm-request-timestamp": stamp, "x-zm-signature": signature}
    return Trial(headers=headers, document=document)


def _twitch(connector: Connector) -> Trial:
    document = {"challenge": NOBODY}
    secret, key = connector.registration.webhook_secret, str(uuid4())
    assert secret is not None
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    message = key.encode() + stamp.encode() + _body(document)
    name = "Twitch-Eventsub-Message-"
    headers = {
        f"{name}Id": key,
        f"{name}Timestamp": stamp,
        f"{name}Signature": f"sha256={_mac(secret.get_secret_value(), message)}",
        f"{name}Type": "webhook_callback_verification",
    }
    return Trial(headers=headers, document=document)


def _kakao(connector: Connector) -> Trial:
    registration = connector.registration
    assert registration.admin_key is not None
    form = {
        "app_id": registration.app_id or "",
        "user_id": f"{NOBODY}-{uuid4().hex}",
        "referrer_type": "UNLINK_FROM_APPS",
    }
    headers = {"Authorization": f"KakaoAK {registration.admin_key.get_secret_value()}"}
    if registration.unlink_method == "GET":
        return Trial("GET", f"?{urlencode(form)}", headers)
    return Trial(headers=headers, form=form)


BUILDERS: Mapping[str, Callable[[Connector], Trial]] = {
    "facebook/deauthorize": _facebook,
    "facebook/delete": _facebook,
    "github": _github,
    "kakao/unlink": _kakao,
    "slack": _slack,
    "twitch": _twitch,
    "zoom": _zoom,
}
