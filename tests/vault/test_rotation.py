"""A good refresh token is never replaced by nothing, nor lost with a bad id_token."""

import time
from typing import Any

import pytest

from simulator import openid
from tests.site import Site, Sites
from tests.vault.test_refresh import expire, held, refresh


@pytest.fixture
def offline(make_site: Sites) -> Site:
    return make_site(GOOGLE_OFFLINE_ACCESS="1")


@pytest.fixture
def ada(offline):
    browser = offline.browser()
    browser.sign_in("google", "ada")
    expire(offline)
    return browser


def answering(monkeypatch: pytest.MonkeyPatch, site: Site, **members: Any) -> None:
    """Have Google's token endpoint answer with these members in addition."""
    answer = openid.OpenIDLookAlike.refresh_token
    monkeypatch.setattr(
        type(site.simulator.google),
        "refresh_token",
        lambda self, code: answer(self, code) | members,
    )


EMPTY: list[Any] = [None, "", " ", 0, False, [], {}]


@pytest.mark.parametrize("nothing", EMPTY, ids=repr)
def test_an_empty_refresh_token_replaces_none(ada, offline, monkeypatch, nothing):
    before = held(offline)["refresh_token"]
    answering(monkeypatch, offline, refresh_token=nothing)
    offline.browser().sign_in("google", "ada")
    assert held(offline)["refresh_token"] == before
    expire(offline)
    offline.simulator.google.rotates = True  # the answer has the member
    assert refresh(ada).message == "Read again from Google."
    assert held(offline)["refresh_token"] == before


@pytest.mark.parametrize("name", ["token_type", "scope", "expires_in", "refresh_token", "error"])
@pytest.mark.parametrize("nothing", [None, ""], ids=repr)
def test_an_empty_member_of_a_token_response_is_absent(ada, offline, monkeypatch, name, nothing):
    answering(monkeypatch, offline, **{name: nothing})
    browser = offline.browser()
    assert browser.sign_in("google", "ada").path == "/account"
    assert name == "refresh_token" or name not in held(offline)
    assert "email" in offline.rows("SELECT scopes FROM oauth")[0][0]


@pytest.mark.parametrize("nothing", [None, ""], ids=repr)
def test_an_empty_id_token_of_a_refresh_is_absent(ada, offline, monkeypatch, nothing):
    offline.simulator.google.rotates = True
    answering(monkeypatch, offline, id_token=nothing)
    assert refresh(ada).message == "Read again from Google."


def test_a_rotated_refresh_token_survives_an_id_token_that_has_expired(ada, offline, caplog):
    google = offline.simulator.google
    google.rotates = True
    long_ago = int(time.time()) - 7200
    google.refreshed_claims = {"iat": long_ago, "exp": long_ago + 60}
    assert refresh(ada).message == "Read again from Google."
    assert list(google.refresh_tokens) == [held(offline)["refresh_token"]]
    assert "refreshed_id_token_ignored" in caplog.text
    expire(offline)
    assert refresh(ada).message == "Read again from Google."


@pytest.mark.parametrize("id_token", ["text", "a.b.c", "a.b.c.d.e"])
def test_a_rotated_refresh_token_survives_an_unreadable_id_token(
    ada, offline, monkeypatch, id_token
):
    google = offline.simulator.google
    google.rotates = True
    answering(monkeypatch, offline, id_token=id_token)
    assert refresh(ada).message == "Read again from Google."
    assert list(google.refresh_tokens) == [held(offline)["refresh_token"]]


def test_an_expired_id_token_of_another_user_is_still_refused(ada, offline):
    before = held(offline)
    long_ago = int(time.time()) - 7200
    offline.simulator.google.refreshed_claims = {"exp": long_ago, "sub": "1"}
    assert "Nothing was changed" in refresh(ada).message
    assert held(offline) == before
