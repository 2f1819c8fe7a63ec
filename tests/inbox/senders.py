"""Providers as they send: each message is truly signed, unless a test says how it is wrong."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import requests

from tests.site import Site

GITHUB_SECRET = "a webhook secret of a GitHub App"


def secret_of(site: Site, provider: str) -> str:
    return str(site.app.extensions["quickstep"].connectors[provider].registration.secret)


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def post(site: Site, path: str, body: Any = b"", **kwargs: Any) -> requests.Response:
    """Send to the inbox; a mapping is sent as a form."""
    return requests.request(
        kwargs.pop("method", "POST"),
        f"{site.url}/inbox/{path}",
        data=body,
        timeout=60,
        allow_redirects=False,
        **kwargs,
    )


def signed_request(secret: str, payload: object) -> str:
    """https://developers.facebook.com/docs/games/gamesonfacebook/login#parsingsr"""
    encoded = encode(json.dumps(payload).encode())
    signature = hmac.new(secret.encode(), encoded.encode(), hashlib.sha256).digest()
    return f"{encode(signature)}.{encoded}"


def facebook(site: Site, act: str, subject: str | int, **changes: Any) -> requests.Response:
    """``act``: deauthorize or delete. ``at``: when it happened."""
    payload = {
        "algorithm": "HMAC-SHA256",
        "issued_at": int(changes.pop("at", time.time())),
        "user_id": subject,
    }
    secret = changes.pop("secret", secret_of(site, "facebook"))
    signed = signed_request(secret, payload | changes)
    return post(site, f"facebook/{act}", {"signed_request": signed})


def github(site: Site, document: object, **changes: Any) -> requests.Response:
    """A GitHub App's webhook of a revoked authorization."""
    body = json.dumps(document).encode()
    secret = changes.pop("secret", GITHUB_SECRET)
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "github_app_authorization",
        "X-GitHub-Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "X-Hub-Signature-256": f"sha256={digest}",
    }
    return post(site, "github", body, headers=headers | changes)
