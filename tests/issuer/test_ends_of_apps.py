"""What ends what an application has: its own sign-out, its person, its operator."""

import pytest

from tests.browser import Browser
from tests.commands.console import answer, run
from tests.issuer.relying_party import App
from tests.issuer.stage import Stage, set_up


def test_access_that_is_taken_away_ends_everything_of_that_application(stage):
    user_id = stage.browser.user_id
    other = App(stage.site, "Photos", "--backchannel-logout-uri", "https://photos.example/out")
    kept = other.tokens(stage.browser)
    stage.browser.post(f"/account/apps/{stage.app.client_id}/remove")
    assert not stage.is_bound_alive()
    assert not stage.is_offline_alive()
    assert stage.pair.is_active(other, kept.access)
    assert stage.told() == {(True, user_id)}
    (row,) = stage.site.rows("SELECT DISTINCT client_id FROM logouts")
    assert row[0] == stage.app.client_id


def test_a_disabled_client_is_refused_and_works_again_once_enabled(stage):
    code = stage.app.sign_in(stage.browser)["code"]
    answer(stage.site, "clients", "disable", stage.app.client_id)
    for tokens in (stage.bound, stage.offline):
        assert stage.pair.refresh(stage.app, tokens.refresh)["error"] == "invalid_client"
        assert stage.app.refresh(tokens.refresh).status == 401
        assert stage.app.userinfo(tokens.access).status_code == 401
    assert stage.pair.exchange(stage.app, code)["error"] == "invalid_client"
    assert stage.app.ask(stage.browser).status == 400
    assert stage.told() == set()
    answer(stage.site, "clients", "enable", stage.app.client_id)
    assert stage.is_bound_alive()
    assert stage.is_offline_alive()
    assert "access_token" in stage.pair.exchange(stage.app, code)


def test_what_ended_while_a_client_was_disabled_stays_ended(stage):
    answer(stage.site, "clients", "disable", stage.app.client_id)
    stage.browser.sign_out()
    answer(stage.site, "clients", "enable", stage.app.client_id)
    assert not stage.is_bound_alive()
    assert stage.is_offline_alive()


def test_a_deleted_client_leaves_no_row_and_nothing_works(stage):
    other = App(stage.site, "Other")
    code = stage.app.sign_in(stage.browser)["code"]
    run(stage.site, "clients", "delete", stage.app.client_id, "--yes")
    assert stage.pair.exchange(stage.app, code)["error"] == "invalid_client"
    for tokens in (stage.bound, stage.offline):
        assert stage.pair.refresh(stage.app, tokens.refresh)["error"] == "invalid_client"
        assert stage.app.userinfo(tokens.access).status_code == 401
        assert not stage.pair.is_active(other, tokens.access)
    assert stage.app.ask(stage.browser).status == 400
    for table in ("grants", "access_tokens", "consents", "logouts"):
        assert stage.site.rows(f"SELECT count(*) FROM {table}")[0][0] == 0
    assert "Notes" not in stage.browser.get("/account/apps").text


# Rules.


@pytest.fixture
def ruled(pair) -> Stage:
    return set_up(pair, "--allow", "provider=github", "--allow", "domain=navy.example")


def test_a_person_who_loses_what_a_rule_asks_for_is_refused_at_the_next_use(ruled):
    code = ruled.app.sign_in(ruled.browser)["code"]
    ruled.site.execute("UPDATE oauth SET email_verified = false")
    assert ruled.pair.exchange(ruled.app, code)["error"] == "invalid_grant"
    assert not ruled.is_bound_alive()
    assert not ruled.is_offline_alive()
    assert ruled.told() == set()
    assert ruled.app.ask(ruled.browser).status == 403
    ruled.browser.link("github", "grace")
    assert ruled.is_bound_alive()
    assert ruled.is_offline_alive()


def test_a_rule_that_the_operator_takes_away_ends_what_it_allowed_and_is_told(ruled):
    """Whom another rule admits goes on."""
    other = ruled.site.browser()
    other.sign_in("github", "linus")
    kept = ruled.app.tokens(other)
    user_id = ruled.browser.user_id
    answer(ruled.site, "clients", "set", ruled.app.client_id, "--allow", "provider=github")
    assert not ruled.is_bound_alive()
    assert not ruled.is_offline_alive()
    assert ruled.told() == {(True, user_id)}
    assert ruled.pair.is_active(ruled.app, kept.access)


# Revocation (RFC 7009).


def test_revoking_a_refresh_token_takes_its_access_tokens_along(stage):
    assert stage.app.post("revoke", {"token": stage.bound.refresh}).status_code == 200
    assert not stage.is_bound_alive()
    assert stage.is_offline_alive()


def test_a_client_revokes_its_own_tokens_only(stage):
    other = App(stage.site, "Other")
    for token in (stage.bound.refresh, stage.bound.access, "frog"):
        assert other.post("revoke", {"token": token}).status_code == 200
    assert stage.is_bound_alive()


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "frog"])
def test_a_wrong_token_type_hint_changes_nothing(stage, hint):
    form = {"token": stage.bound.access, "token_type_hint": hint}
    assert stage.app.post("revoke", form).status_code == 200
    assert not stage.app.is_active(stage.bound.access)
    assert stage.app.refresh(stage.bound.refresh).status == 200


def test_a_client_learns_of_its_own_tokens_only(stage):
    other = App(stage.site, "Other")
    for token in (stage.bound.refresh, stage.bound.access):
        assert other.introspect(token) == {"active": False}


# Several applications.


def subject(app: App, browser: Browser) -> str:
    tokens = app.tokens(browser, scope="openid offline_access")
    return str(app.claims(tokens.document["id_token"])["sub"])


def test_every_application_of_a_session_is_told_each_once(stage):
    """Also one that has offline access only."""
    uri = "https://photos.example/out"
    other = App(stage.site, "Photos", "--backchannel-logout-uri", uri, "--pairwise")
    sub = subject(other, stage.browser)
    user_id = stage.browser.user_id
    assert sub != user_id
    stage.browser.sign_out()
    rows = stage.site.rows("SELECT client_id, sub FROM logouts")
    assert sorted(map(tuple, rows)) == sorted(
        [(stage.app.client_id, user_id), (other.client_id, sub)]
    )
