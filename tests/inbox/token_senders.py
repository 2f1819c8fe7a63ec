"""Security event tokens and logout tokens, truly signed by the fake providers."""

import json
import time
from typing import Any
from uuid import uuid4

import requests

from inbox.events import CAEP, OAUTH, RISC, SSF
from tests.inbox.senders import post
from tests.site import Site

__all__ = ["CAEP", "OAUTH", "RISC", "SSF"]
NAMED = "acme"
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
AUTHORIZATION = "Bearer chosen by us"


def without(claims: dict[str, Any]) -> dict[str, Any]:
    """Leave out what a test sets to None."""
    return {name: value for name, value in claims.items() if value is not None}


def google(site: Site, uri: str, subject: object, **changes: Any) -> requests.Response:
    """``subject``: a sub, or the whole subject of the event."""
    fake = site.simulator.google
    about = {"subject_type": "iss-sub", "iss": fake.events_issuer, "sub": subject}
    event = {"subject": about if isinstance(subject, str) else subject} | changes.pop("event", {})
    claims = {
        "iss": fake.events_issuer,
        "aud": fake.client.client_id,
        "iat": int(time.time()),
        "jti": uuid4().hex,
        "events": {uri: event},
    }
    token = changes.pop("token", None) or fake.sign(
        without(claims | changes.pop("claims", {})), **changes
    )
    return post(site, "google", token, headers={"Content-Type": "application/secevent+jwt"})


def apple(site: Site, kind: str, subject: str, **changes: Any) -> requests.Response:
    fake = site.simulator.apple
    event = {"type": kind, "sub": subject, "event_time": int(time.time() * 1000)}
    as_text = changes.pop("as_text", True)
    claims = {
        "iss": fake.url,
        "aud": fake.client.client_id,
        "iat": int(time.time()),
        "jti": uuid4().hex,
        "events": json.dumps(event) if as_text else event,
    }
    token = fake.sign(without(claims | changes.pop("claims", {})), **changes)
    body = json.dumps({"payload": token})
    return post(site, "apple", body, headers={"Content-Type": "application/json"})


def kakao(site: Site, uri: str, subject: str, **changes: Any) -> requests.Response:
    fake = site.simulator.kakao
    about = {"subject_type": "iss-sub", "iss": fake.url, "sub": subject}
    event = {"subject": about} | changes.pop("event", {})
    claims = {
        "iss": fake.url,
        "aud": fake.client.client_id,
        "iat": int(time.time()),
        "jti": uuid4().hex,
        "sub": subject,
        "events": {uri: event},
    }
    header = {"typ": "secevent+jwt"} | changes.pop("header", {})
    token = fake.signer.sign(without(claims | changes.pop("claims", {})), **header)
    return post(site, "kakao", token, headers={"Content-Type": "application/secevent+jwt"})


def issuer_of(site: Site) -> Any:
    return getattr(site.simulator, NAMED)


def logout(site: Site, *, token: str = "", header: Any = None, **claims: Any) -> requests.Response:
    """A back-channel logout of the named issuer; ``claims`` that are None are left out."""
    token = token or logout_token(site, header, **claims)
    return post(site, f"{NAMED}/logout", {"logout_token": token})


def logout_token(site: Site, header: Any = None, age: int = 0, **claims: Any) -> str:
    """``age``: how many seconds ago it was issued."""
    fake = issuer_of(site)
    now = int(time.time()) - age
    usual = {
        "iss": fake.url,
        "aud": fake.client.client_id,
        "iat": now,
        "exp": now + 120,
        "jti": uuid4().hex,
        "events": {LOGOUT: {}},
    }
    return str(fake.sign(without(usual | claims), **({"typ": "logout+jwt"} | (header or {}))))


def stream(site: Site, uri: str, **changes: Any) -> requests.Response:
    """A push of the named issuer's stream."""
    fake = issuer_of(site)
    claims = {
        "iss": fake.url,
        "aud": fake.client.client_id,
        "iat": int(time.time()),
        "jti": uuid4().hex,
        "sub_id": changes.pop("sub_id", None),
        "events": {uri: changes.pop("event", {})},
    }
    header = {"typ": "secevent+jwt"} | changes.pop("header", {})
    token = fake.sign(without(claims | changes.pop("claims", {})), **header)
    sent = {"Content-Type": "application/secevent+jwt"}
    authorization = changes.pop("authorization", AUTHORIZATION)
    return post(site, NAMED, token, headers=sent | without({"Authorization": authorization}))
