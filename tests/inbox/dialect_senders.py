"""Further providers as they send: each message is truly signed, with what a test changes."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import requests
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from tests.inbox.senders import post
from tests.site import Site

JSON = {"Content-Type": "application/json"}
SLACK_SECRET = "a signing secret of slack"
TWITCH_SECRET = "a secret for twitch"
ZOOM_SECRET = "a secret token of zoom"
KAKAO_KEY, KAKAO_APP = "the admin key of kakao", "704911"
DISCORD_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
DISCORD_PUBLIC = DISCORD_KEY.public_key().public_bytes_raw().hex()
SETTINGS = {
    "SLACK_SIGNING_SECRET": SLACK_SECRET,
    "TWITCH_WEBHOOK_SECRET": TWITCH_SECRET,
    "ZOOM_WEBHOOK_SECRET": ZOOM_SECRET,
    "KAKAO_ADMIN_KEY": KAKAO_KEY,
    "KAKAO_APP_ID": KAKAO_APP,
    "DISCORD_PUBLIC_KEY": DISCORD_PUBLIC,
}
PROVIDERS = ("discord", "kakao", "naver", "slack", "twitch", "zoom")


def mac(secret: str | bytes, message: bytes) -> str:
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.new(key, message, hashlib.sha256).hexdigest()


def stamp(at: float | None) -> str:
    return str(int(time.time() if at is None else at))


def slack(
    site: Site, document: object, *, secret: str = SLACK_SECRET, at: float | None = None
) -> requests.Response:
    body, when = json.dumps(document).encode(), stamp(at)
    signature = mac(secret, b"v0:" + when.encode() + b":" + body)
    headers = {"X-Slack-Request-Timestamp": when, "X-Slack-Signature": f"v0={signature}"}
    return post(site, "slack", body, headers=JSON | headers)


def zoom(
    site: Site, document: object, *, secret: str = ZOOM_SECRET, at: float | None = None
) -> requests.Response:
    body, when = json.dumps(document).encode(), stamp(at)
    signature = mac(secret, b"v0:" + when.encode() + b":" + body)
    headers = {"x-zm-request-timestamp": when, "x-zm-signature": f"v0={signature}"}
    return post(site, "zoom", body, headers=JSON | headers)


def discord(
    site: Site,
    document: object,
    *,
    key: Ed25519PrivateKey = DISCORD_KEY,
    at: float | None = None,
) -> requests.Response:
    body, when = json.dumps(document).encode(), stamp(at)
    signature = key.sign(when.encode() + body).hex()
    headers = {"X-Signature-Timestamp": when, "X-Signature-Ed25519": signature}
    return post(site, "discord", body, headers=JSON | headers)


def twitch(
    site: Site,
    kind: str,
    document: object,
    *,
    key: str = "msg-1",
    secret: str = TWITCH_SECRET,
    age: float = 0,
) -> requests.Response:
    body = json.dumps(document).encode()
    when = time.strftime("%Y-%m-%dT%H:%M:%S.123456789Z", time.gmtime(time.time() - age))
    name = "Twitch-Eventsub-Message-"
    signature = mac(secret, key.encode() + when.encode() + body)
    headers = {
        f"{name}Id": key,
        f"{name}Timestamp": when,
        f"{name}Signature": f"sha256={signature}",
        f"{name}Type": kind,
    }
    return post(site, "twitch", body, headers=JSON | headers)


def kakao(
    site: Site, *, key: str = f"KakaoAK {KAKAO_KEY}", method: str = "POST", **fields: str
) -> requests.Response:
    form = {"app_id": KAKAO_APP, "referrer_type": "UNLINK_FROM_APPS"} | fields
    headers = {"Authorization": key}
    if method == "GET":
        return post(site, "kakao/unlink", method=method, params=form, headers=headers)
    return post(site, "kakao/unlink", form, headers=headers)


def naver(
    site: Site,
    subject: str,
    *,
    secret: str = "",
    at: float | None = None,
    client_id: str = "",
    **changes: str,
) -> requests.Response:
    """``client_id`` is signed with the rest; ``changes`` come after the signature."""
    connector = site.app.extensions["quickstep"].connectors["naver"]
    key = hashlib.md5((secret or connector.registration.secret).encode()).digest()
    form = {
        "clientId": client_id or connector.client_id,
        "encryptUniqueId": encrypted(key, subject),
        "timestamp": stamp(at),
    }
    text = "&".join(f"{name}={value}" for name, value in form.items())
    digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
    form["signature"] = base64.urlsafe_b64encode(digest).decode()
    return post(site, "naver", form | changes)


def encrypted(key: bytes, subject: str) -> str:
    padder = padding.PKCS7(128).padder()
    padded = padder.update(subject.encode()) + padder.finalize()
    encryptor = Cipher(AES(key), CBC(bytes(16))).encryptor()
    held = bytes(16) + encryptor.update(padded) + encryptor.finalize()
    return base64.urlsafe_b64encode(held).decode()


def answers(document: Any) -> dict[str, Any]:
    return dict(document.json())
