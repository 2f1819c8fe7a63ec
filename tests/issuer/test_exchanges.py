"""Codes and refresh tokens: spent once, whoever comes at the same time; replays end the grant."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from tests.issuer.relying_party import App, Tokens
from tests.issuer.times import set_back
from tests.site import Site

MANY = 50


def at_once(verb: Callable[[], Tokens], count: int = MANY) -> list[Tokens]:
    barrier = threading.Barrier(count)

    def run(_number: int) -> Tokens:
        barrier.wait(60)
        return verb()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.fixture
def app(both: Site) -> App:
    return App(both)


@pytest.fixture
def browser(both: Site) -> Any:
    browser = both.browser()
    browser.sign_in("google", "grace")
    return browser


def grant(site: Site) -> Any:
    """The one grant's row."""
    (row,) = site.rows("SELECT generation, ended_at, end_reason FROM grants")
    return row


# Codes.


def test_fifty_concurrent_exchanges_of_one_code_give_tokens_once(app, both, browser):
    code = app.sign_in(browser)["code"]
    answers = at_once(partial(app.exchange, code))
    assert sorted(each.status for each in answers) == [200] + [400] * (MANY - 1)
    assert {each.error for each in answers if each.status == 400} == {"invalid_grant"}
    # All others were replays.
    (won,) = [each for each in answers if each.status == 200]
    assert app.userinfo(won.access).status_code == 401
    assert app.refresh(won.refresh).error == "invalid_grant"
    assert grant(both).end_reason == "code_reused"


def test_a_code_that_is_used_twice_ends_its_grant(app, both, browser):
    code = app.sign_in(browser)["code"]
    tokens = app.exchange(code)
    assert app.is_active(tokens.access)
    assert app.exchange(code).error == "invalid_grant"
    assert not app.is_active(tokens.access)
    assert not app.is_active(tokens.refresh)
    assert "used twice" in browser.get("/account").text


def test_a_code_lasts_sixty_seconds(app, both, browser):
    code = app.sign_in(browser)["code"]
    set_back(both, "code_expires_at", 61)
    assert app.exchange(code).error == "invalid_grant"
    assert both.rows("SELECT count(*) FROM access_tokens")[0][0] == 0


def test_another_client_cannot_use_a_code(app, both, browser):
    thief = App(both, "Thief")
    code = app.sign_in(browser)["code"]
    stolen = thief.exchange(code, code_verifier=app.verifier)
    assert (stolen.status, stolen.error) == (400, "invalid_grant")
    assert app.exchange(code).status == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "https://notes.example/other"},
        {"redirect_uri": None},
        {"code_verifier": "x" * 43},
        {"code_verifier": None},
    ],
)
def test_a_code_is_spent_by_a_wrong_verifier_or_redirect_uri(app, browser, changed):
    code = app.sign_in(browser)["code"]
    assert app.exchange(code, **changed).error == "invalid_grant"
    assert app.exchange(code).error == "invalid_grant"


def test_a_verifier_without_a_challenge_is_refused(both, browser):
    app = App(both, "Old", "--no-pkce")
    asked = {"code_challenge": None, "code_challenge_method": None}
    assert app.exchange(app.sign_in(browser, **asked)["code"]).error == "invalid_grant"
    code = app.sign_in(browser, **asked)["code"]
    assert app.exchange(code, code_verifier=None).status == 200


# Refresh tokens.


def test_fifty_concurrent_refreshes_of_one_token_have_one_successor(app, both, browser):
    tokens = app.tokens(browser)
    answers = at_once(partial(app.refresh, tokens.refresh))
    assert {each.status for each in answers} == {200}
    assert len({each.refresh for each in answers}) == 1
    assert len({each.access for each in answers}) == MANY
    assert grant(both).generation == 1
    heir = answers[0]
    assert app.refresh(heir.refresh).status == 200


def test_a_client_that_lost_the_answer_to_a_refresh_gets_the_same_successor(app, browser):
    tokens = app.tokens(browser)
    lost = app.refresh(tokens.refresh)
    again = app.refresh(tokens.refresh)
    assert again.refresh == lost.refresh
    assert app.refresh(again.refresh).status == 200


def test_a_spent_refresh_token_ends_the_family_once_its_successor_was_used(app, both, browser):
    first = app.tokens(browser)
    second = app.refresh(first.refresh)
    third = app.refresh(second.refresh)
    assert app.refresh(first.refresh).error == "invalid_grant"
    assert app.refresh(third.refresh).error == "invalid_grant"
    assert not app.is_active(third.access)
    assert grant(both).end_reason == "refresh_reused"
    assert "used twice" in browser.get("/account").text


def test_a_spent_refresh_token_ends_the_family_after_the_grace(app, both, browser):
    tokens = app.tokens(browser)
    heir = app.refresh(tokens.refresh)
    set_back(both, "rotated_at", 61)
    assert app.refresh(tokens.refresh).error == "invalid_grant"
    assert app.refresh(heir.refresh).error == "invalid_grant"


def test_without_grace_a_second_use_ends_the_family(both, browser):
    app = App(both, "Strict", "--grace", "0")
    tokens = app.tokens(browser)
    heir = app.refresh(tokens.refresh)
    assert app.refresh(tokens.refresh).error == "invalid_grant"
    assert app.refresh(heir.refresh).error == "invalid_grant"


@pytest.mark.parametrize("place", [0, 20, 26, 40, -1])
def test_an_altered_refresh_token_is_refused_and_harms_nobody(app, both, browser, place):
    tokens = app.tokens(browser)
    letter = "A" if tokens.refresh[place] != "A" else "Q"
    altered = list(tokens.refresh)
    altered[place] = letter
    assert app.refresh("".join(altered)).error == "invalid_grant"
    assert grant(both).ended_at is None
    assert app.refresh(tokens.refresh).status == 200


def test_another_client_cannot_use_a_refresh_token(app, both, browser):
    tokens = app.tokens(browser)
    assert App(both, "Thief").refresh(tokens.refresh).error == "invalid_grant"
    assert app.refresh(tokens.refresh).status == 200


def test_a_refresh_may_ask_for_less_and_not_for_more(app, browser):
    tokens = app.tokens(browser)
    less = app.refresh(tokens.refresh, scope="openid")
    assert less.document["scope"] == "openid"
    assert "email" not in app.userinfo(less.access).json()
    assert app.refresh(less.refresh, scope="openid account").error == "invalid_scope"
    assert app.refresh(less.refresh).document["scope"] == "openid profile email"


def test_a_refreshed_id_token_names_the_same_sign_in_without_a_nonce(app, browser):
    tokens = app.tokens(browser)
    before = app.claims(tokens.document["id_token"])
    after = app.claims(app.refresh(tokens.refresh).document["id_token"])
    same = ("iss", "sub", "aud", "auth_time", "sid")
    assert {name: before[name] for name in same} == {name: after[name] for name in same}
    assert "nonce" not in after


def test_an_unused_refresh_token_ends_after_the_idle_days(app, both, browser):
    tokens = app.tokens(browser)
    set_back(both, "idle_until", 31 * 86400)
    assert app.refresh(tokens.refresh).error == "invalid_grant"


def test_refreshing_does_not_last_beyond_the_absolute_end(app, both, browser):
    tokens = app.refresh(app.tokens(browser).refresh)
    set_back(both, "expires_at", 91 * 86400)
    assert app.refresh(tokens.refresh).error == "invalid_grant"
