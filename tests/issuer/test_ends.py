"""What ends what: each cell of the table, in the transaction that ends it, on every instance."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import accounts
from accounts import ended_sessions, sessions
from tests.accounts.desk import CALLER
from tests.browser import Browser
from tests.commands.console import answer, run
from tests.issuer.relying_party import App, Tokens
from tests.site import Site

BACK = "https://notes.example/backchannel"


@dataclass
class Stage:
    """A person with an application that ends with the session, and one that does not."""

    site: Site
    browser: Browser
    app: App
    bound: Tokens
    offline: Tokens

    def is_bound_alive(self) -> bool:
        return self._is_alive(self.bound)

    def is_offline_alive(self) -> bool:
        return self._is_alive(self.offline)

    def _is_alive(self, tokens: Tokens) -> bool:
        """Ask introspection, userinfo and the token endpoint, which always agree."""
        active = self.app.is_active(tokens.access)
        assert (self.app.userinfo(tokens.access).status_code == 200) is active
        refreshed = self.app.refresh(tokens.refresh)
        assert (refreshed.status == 200) is active, refreshed.document
        return active

    def told(self) -> set[tuple[bool, str]]:
        """The logouts in the outbox: whether each names a sid, and its sub."""
        return {
            (row[0] is not None, row[1]) for row in self.site.rows("SELECT sid, sub FROM logouts")
        }


@pytest.fixture
def stage(both: Site) -> Stage:
    both.app.extensions["jobs"].stop()
    browser = both.browser()
    browser.sign_in("google", "grace")
    app = App(both, "Notes", "--backchannel-logout-uri", BACK)
    bound = app.tokens(browser)
    offline = app.tokens(browser, scope="openid email offline_access")
    return Stage(both, browser, app, bound, offline)


def sign_out(stage: Stage) -> None:
    stage.browser.sign_out()


def revoke_session(stage: Stage) -> None:
    (row,) = stage.site.rows("SELECT id FROM sessions")
    run(stage.site, "sessions", "revoke", row[0])


def end_session(stage: Stage) -> None:
    hint = stage.bound.document["id_token"]
    stage.browser.get("/oauth2/logout", params={"id_token_hint": hint})


def session_expired(stage: Stage) -> None:
    stage.site.execute("UPDATE sessions SET last_seen_at = '2026-01-01 00:00:00+00:00'")
    run(stage.site, "purge")


@pytest.mark.parametrize("end", [sign_out, revoke_session, end_session, session_expired])
def test_the_end_of_a_session_ends_what_needs_it_and_is_told_by_sid(stage, end):
    user_id = stage.browser.user_id
    assert stage.is_bound_alive()
    end(stage)
    assert not stage.is_bound_alive()
    assert stage.is_offline_alive()
    assert stage.told() == {(True, user_id)}


def everywhere_by_command(stage: Stage) -> None:
    run(stage.site, "sessions", "revoke", "--user", stage.browser.user_id or "")


def everybody_everywhere(stage: Stage) -> None:
    run(stage.site, "sessions", "revoke", "--all", "--yes")


@pytest.mark.parametrize("end", [everywhere_by_command, everybody_everywhere])
def test_signing_out_everywhere_ends_offline_access_too(stage, end):
    user_id = stage.browser.user_id
    end(stage)
    assert not stage.is_bound_alive()
    assert not stage.is_offline_alive()
    assert stage.told() == {(True, user_id)}


def test_signing_out_elsewhere_keeps_what_began_here(stage):
    other = stage.site.browser()
    other.sign_in("google", "grace")
    elsewhere = stage.app.tokens(other, scope="openid offline_access")
    stage.browser.post("/account/sessions/end-others")
    assert stage.is_bound_alive()
    assert stage.is_offline_alive()
    assert not stage.app.is_active(elsewhere.access)


def disabled(stage: Stage) -> None:
    answer(stage.site, "users", "disable", stage.browser.user_id or "")


def deleted(stage: Stage) -> None:
    run(stage.site, "users", "delete", stage.browser.user_id or "", "--yes")


@pytest.mark.parametrize("end", [disabled, deleted])
def test_the_end_of_an_account_ends_everything_and_is_told_by_sub(stage, end):
    user_id = stage.browser.user_id
    end(stage)
    assert not stage.is_bound_alive()
    assert not stage.is_offline_alive()
    assert (False, user_id) in stage.told()


def test_a_removed_identity_ends_what_it_began(stage):
    stage.browser.link("github", "grace")
    user_id = stage.browser.user_id
    by_github = stage.site.browser()
    by_github.sign_in("github", "grace")
    kept = stage.app.tokens(by_github, scope="openid offline_access")
    stage.browser.unlink(stage.browser.identity("google"))
    assert not stage.is_bound_alive()
    assert not stage.is_offline_alive()
    assert stage.app.is_active(kept.access)
    assert stage.told() == {(True, user_id)}


def test_a_merge_ends_what_the_other_account_had(stage):
    gone_id = stage.browser.user_id
    keeper = stage.site.browser()
    keeper.sign_in("github", "linus")
    kept = stage.app.tokens(keeper, scope="openid offline_access")
    page = keeper.link("google", "grace")
    keeper.answer(page, "merge")
    assert keeper.providers() == ["github", "google"]
    assert not stage.is_bound_alive()
    assert not stage.is_offline_alive()
    assert stage.app.is_active(kept.access)
    assert (False, gone_id) in stage.told()
    assert {sub for _sid, sub in stage.told()} == {gone_id}


def test_a_disabled_client_is_refused_and_works_again_once_enabled(stage):
    answer(stage.site, "clients", "disable", stage.app.client_id)
    assert stage.app.refresh(stage.bound.refresh).status == 401
    assert stage.app.userinfo(stage.bound.access).status_code == 401
    assert stage.told() == set()
    answer(stage.site, "clients", "enable", stage.app.client_id)
    assert stage.is_bound_alive()
    assert stage.is_offline_alive()


def test_a_session_that_is_replaced_by_the_same_person_keeps_applications_signed_in(stage):
    """Signing in again in the same browser makes another session with the same sid."""
    stage.browser.sign_in("google", "grace")
    assert stage.is_bound_alive()
    assert stage.told() == set()
    again = stage.app.tokens(stage.browser)
    sids = {stage.app.claims(each.document["id_token"])["sid"] for each in (stage.bound, again)}
    assert len(sids) == 1


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


def test_nothing_is_told_if_the_transaction_fails(stage, monkeypatch):
    """The outbox is written in the transaction that ends the session, or not at all."""

    def fail(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError

    (row,) = stage.site.rows("SELECT id, user_id FROM sessions")
    monkeypatch.setattr(ended_sessions, "delete", fail)
    end: Callable[..., Any] = sessions.end
    with pytest.raises(RuntimeError):
        stage.site.inside(end, row[1], row[0])
    assert stage.told() == set()
    monkeypatch.undo()
    assert stage.is_bound_alive()


def test_a_person_who_is_deleted_leaves_no_row(stage):
    stage.site.inside(accounts.delete, stage.browser.user_id, CALLER)
    for table in ("grants", "access_tokens", "consents", "authorization_requests"):
        assert stage.site.rows(f"SELECT count(*) FROM {table}")[0][0] == 0
