"""What ends what: each cell of the table, in the transaction that ends it, on every instance.

Here the ends of sessions, identities and accounts; those of applications are in
``test_ends_of_apps.py``. What a provider reports ends as a removed identity does.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import accounts
from accounts import ended_sessions, sessions
from simulator.people import PEOPLE
from tests.accounts.desk import CALLER
from tests.commands.console import answer, run
from tests.issuer.pair import Pair, stop
from tests.issuer.stage import Stage, set_up


def session_id(stage: Stage) -> str:
    (row,) = stage.site.rows("SELECT id FROM sessions")
    return str(row[0])


def sign_out(stage: Stage) -> None:
    stage.browser.sign_out()


def revoke_session(stage: Stage) -> None:
    run(stage.site, "sessions", "revoke", session_id(stage))


def end_from_another_device(stage: Stage) -> None:
    path = f"/account/sessions/{session_id(stage)}/end"
    stage.another_browser().post(path)


def end_by_the_api(stage: Stage) -> None:
    path = f"/api/v1/sessions/{session_id(stage)}"
    there = stage.another_browser()
    headers = {"X-CSRF-Token": there.fetch("/api/v1/me").headers["X-CSRF-Token"]}
    assert there.fetch(path, "DELETE", headers=headers).status == 204


def end_session(stage: Stage) -> None:
    hint = stage.bound.document["id_token"]
    stage.browser.get("/oauth2/logout", params={"id_token_hint": hint})


def end_session_after_asking(stage: Stage) -> None:
    page = stage.browser.get("/oauth2/logout")
    form = {"csrf_token": page.csrf_token, "answer": "sign_out"}
    stage.browser.fetch(page.actions()[0], "POST", data=form)


def session_expired(stage: Stage) -> None:
    stage.site.execute("UPDATE sessions SET last_seen_at = '2026-01-01 00:00:00+00:00'")
    run(stage.site, "purge")


def somebody_else_signs_in_here(stage: Stage) -> None:
    page = stage.browser.sign_in("google", "linus", switch="1")
    if page.path == "/login/confirm":
        stage.browser.answer(page, "switch")


ENDS_OF_A_SESSION = [
    sign_out,
    revoke_session,
    end_from_another_device,
    end_by_the_api,
    end_session,
    end_session_after_asking,
    session_expired,
    somebody_else_signs_in_here,
]


@pytest.mark.parametrize("end", ENDS_OF_A_SESSION)
def test_the_end_of_a_session_ends_what_needs_it_and_is_told_by_sid(stage, end):
    user_id = stage.browser.user_id
    assert stage.is_bound_alive()
    end(stage)
    assert not stage.is_bound_alive()
    assert stage.is_offline_alive()
    assert stage.told() == {(True, user_id)}


def test_an_expired_session_ends_what_needs_it_before_anything_is_purged(stage):
    stage.site.execute("UPDATE sessions SET last_seen_at = '2026-01-01 00:00:00+00:00'")
    assert not stage.is_bound_alive()
    assert stage.is_offline_alive()


def everywhere_by_command(stage: Stage) -> None:
    run(stage.site, "sessions", "revoke", "--user", stage.browser.user_id or "")


def everybody_everywhere(stage: Stage) -> None:
    run(stage.site, "sessions", "revoke", "--all", "--yes")


def everywhere_else(stage: Stage) -> None:
    stage.another_browser().post("/account/sessions/end-others")


@pytest.mark.parametrize("end", [everywhere_by_command, everybody_everywhere, everywhere_else])
def test_signing_out_everywhere_ends_offline_access_too(stage, end):
    user_id = stage.browser.user_id
    end(stage)
    assert not stage.is_bound_alive()
    assert not stage.is_offline_alive()
    assert stage.told() == {(True, user_id)}


def test_signing_out_elsewhere_keeps_what_began_here(stage):
    elsewhere = stage.app.tokens(stage.another_browser(), scope="openid offline_access")
    stage.browser.post("/account/sessions/end-others")
    assert stage.is_bound_alive()
    assert stage.is_offline_alive()
    assert not stage.app.is_active(elsewhere.access)


def disabled(stage: Stage) -> None:
    answer(stage.site, "users", "disable", stage.browser.user_id or "")


def deleted(stage: Stage) -> None:
    run(stage.site, "users", "delete", stage.browser.user_id or "", "--yes")


def deleted_by_its_person(stage: Stage) -> None:
    page = stage.browser.get("/account/delete")
    stage.browser.post("/account/delete", page, confirm="DELETE")


@pytest.mark.parametrize("end", [disabled, deleted, deleted_by_its_person])
def test_the_end_of_an_account_ends_everything_and_is_told_by_sub(stage, end):
    user_id = stage.browser.user_id
    end(stage)
    assert not stage.is_bound_alive()
    assert not stage.is_offline_alive()
    assert (False, user_id) in stage.told()


def test_an_account_that_is_enabled_again_gets_nothing_back(stage):
    user_id = stage.browser.user_id
    answer(stage.site, "users", "disable", user_id)
    answer(stage.site, "users", "enable", user_id)
    assert not stage.is_bound_alive()
    assert not stage.is_offline_alive()


def test_an_account_that_is_made_again_has_another_sub(stage):
    gone_id = stage.browser.user_id
    run(stage.site, "users", "delete", gone_id, "--yes")
    stage.browser.sign_in("google", "grace")
    again = stage.app.tokens(stage.browser)
    assert stage.app.claims(again.document["id_token"])["sub"] != gone_id
    assert not stage.is_offline_alive()


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


def test_an_identity_that_is_moved_to_another_account_ends_what_it_began(stage):
    keeper = stage.site.browser()
    keeper.sign_in("github", "linus")
    kept = stage.app.tokens(keeper, scope="openid offline_access")
    moving, user_id = stage.browser.identity("google"), stage.browser.user_id
    answer(stage.site, "users", "move-identity", moving, keeper.user_id or "", "--yes")
    assert not stage.is_bound_alive()
    assert not stage.is_offline_alive()
    assert stage.app.is_active(kept.access)
    assert (True, user_id) in stage.told()


def test_a_merge_ends_what_the_other_account_had(stage):
    """The subject of the account that stays is the same as before; the other's is retired."""
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
    stage.browser.sign_in("google", "grace")
    after = stage.app.tokens(stage.browser)
    subs = {stage.app.claims(each.document["id_token"])["sub"] for each in (kept, after)}
    assert subs == {keeper.user_id}


# ALLOWED_EMAIL_DOMAINS.


@pytest.fixture
def listed(both) -> Any:
    """A person whom the allow-list admits by one of two identities."""
    both.restart(ALLOWED_EMAIL_DOMAINS="navy.example")
    pair = Pair(both)
    yield set_up(pair)
    stop(pair.second)


def test_an_identity_that_the_allow_list_does_not_admit_any_more_ends_what_it_began(
    listed, monkeypatch
):
    user_id = listed.browser.user_id
    moved = replace(PEOPLE["grace"], email="grace@elsewhere.example")
    monkeypatch.setitem(PEOPLE, "grace", moved)
    assert listed.is_bound_alive()
    page = listed.site.browser().sign_in("google", "grace")
    assert page.alert == "This account can't sign in here"
    assert not listed.is_bound_alive()
    assert not listed.is_offline_alive()
    assert listed.told() == {(True, user_id)}
    assert "is no longer allowed on this site" in listed.browser.get("/account").text


def test_people_whom_a_new_allow_list_leaves_out_are_refused_at_their_next_use(listed):
    listed.site.restart(ALLOWED_EMAIL_DOMAINS="chemistry.example")
    listed.site.app.extensions["jobs"].stop()
    assert not listed.app.is_active(listed.offline.access)
    for tokens in (listed.bound, listed.offline):
        assert listed.app.refresh(tokens.refresh).error == "invalid_grant"
    assert listed.told() == set()
    listed.site.restart(ALLOWED_EMAIL_DOMAINS="navy.example")
    assert listed.is_bound_alive()


# What does not end.


def test_a_session_that_is_replaced_by_the_same_person_keeps_applications_signed_in(stage):
    """Signing in again in the same browser makes another session with the same sid."""
    stage.browser.sign_in("google", "grace")
    assert stage.is_bound_alive()
    assert stage.told() == set()
    again = stage.app.tokens(stage.browser)
    sids = {stage.app.claims(each.document["id_token"])["sid"] for each in (stage.bound, again)}
    assert len(sids) == 1


# The transaction.


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
