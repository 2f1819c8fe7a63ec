"""Introspection: what a token is worth now, and to whom that is said (RFC 7662)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from issuer.signing_keys import key_ring
from tests.browser import Browser
from tests.commands.console import answer
from tests.issuer.relying_party import App
from tests.site import Site

API, OTHER_API = "https://api.example/v1", "https://other.example"
INACTIVE = {"active": False}


@dataclass
class Stage:
    """An application with a token for an API, the API's own client, and the token's person."""

    site: Site
    photos: App
    server: App
    person: Browser
    token: str
    refresh: str

    def seen(self, token: str = "") -> list[dict[str, Any]]:
        """What the application and the API learn of a token."""
        return [each.introspect(token or self.token) for each in (self.photos, self.server)]

    def forged(self, **changed: Any) -> str:
        """The same token with other claims, signed with our key."""
        claims = {**self.photos.claims(self.token), **changed}
        given = {name: value for name, value in claims.items() if value is not None}
        return str(self.site.inside(lambda: key_ring().sign("RS256", given, "at+jwt")))


@pytest.fixture
def stage(site: Site, grace: Browser) -> Stage:
    server = App(site, "The API", "--grant", "client_credentials")
    for uri, owner in ((API, server), (OTHER_API, App(site, "Another API"))):
        answer(site, "resources", "add", uri, "--scope", "read", "--client", owner.client_id)
    resources = ("--resource", API, "--resource", OTHER_API)
    photos = App(site, "Photos", *resources, "--access-seconds", "3600")
    tokens = photos.tokens(grace, scope="openid offline_access read", resource=API)
    return Stage(site, photos, server, grace, tokens.access, tokens.refresh)


def test_a_token_for_an_api_is_described_to_its_client_and_the_api(stage):
    claims = stage.photos.claims(stage.token)
    for seen in stage.seen():
        assert seen["active"] is True
        for name in ("iss", "aud", "sub", "client_id", "scope", "iat", "exp"):
            assert seen[name] == claims[name]
    assert App(stage.site, "Stranger").introspect(stage.token) == INACTIVE


def test_an_api_learns_of_no_token_that_is_for_another(stage):
    token = stage.photos.tokens(stage.person, scope="openid read", resource=OTHER_API).access
    assert stage.server.introspect(token) == INACTIVE
    assert stage.photos.is_active(token)
    plain = stage.photos.tokens(stage.person, scope="openid").access
    assert stage.server.introspect(plain) == INACTIVE


def test_a_token_of_other_claims_than_it_was_made_with_is_inactive(stage):
    moment = int(time.time())
    for changed in (
        {"exp": moment - 1},
        {"exp": None},
        {"exp": "later"},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": OTHER_API},
        {"aud": [API, OTHER_API]},
        {"aud": None},
        {"jti": "frog"},
        {"client_id": stage.server.client_id},
    ):
        assert stage.seen(stage.forged(**changed)) == [INACTIVE] * 2, changed
    assert all(seen["active"] for seen in stage.seen(stage.forged()))


def account_disabled(stage: Stage) -> None:
    answer(stage.site, "users", "disable", stage.person.user_id or "")


def client_disabled(stage: Stage) -> None:
    answer(stage.site, "clients", "disable", stage.photos.client_id)


def access_taken_away(stage: Stage) -> None:
    stage.person.post(f"/account/apps/{stage.photos.client_id}/remove")


def token_revoked(stage: Stage) -> None:
    stage.photos.post("revoke", {"token": stage.token})


def grant_revoked(stage: Stage) -> None:
    stage.photos.post("revoke", {"token": stage.refresh})


def not_admitted(stage: Stage) -> None:
    answer(stage.site, "clients", "set", stage.photos.client_id, "--allow", "provider=github")


def resource_removed(stage: Stage) -> None:
    answer(stage.site, "resources", "remove", API)


def resource_taken_from_client(stage: Stage) -> None:
    answer(stage.site, "clients", "set", stage.photos.client_id, "--resource", OTHER_API)


@pytest.mark.parametrize(
    "end",
    [
        account_disabled,
        client_disabled,
        access_taken_away,
        token_revoked,
        grant_revoked,
        not_admitted,
        resource_removed,
        resource_taken_from_client,
    ],
)
def test_a_token_for_an_api_is_inactive_after(stage: Stage, end: Callable[[Stage], None]) -> None:
    askers = [stage.server] if end is client_disabled else [stage.server, stage.photos]
    assert all(each.is_active(stage.token) for each in askers)
    end(stage)
    assert [each.introspect(stage.token) for each in askers] == [INACTIVE] * len(askers)
