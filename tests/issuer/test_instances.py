"""Two instances on one database: what one has spent or ended, the other refuses in its next
answer, and nothing that is made meanwhile survives an end."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import accounts
from accounts import sessions
from accounts.admission import Admission
from accounts.rules import Policy
from issuer import clients, consents, exchanges, grants, refresh_tokens, revocation
from issuer.exchanges import Issued, Use
from issuer.grants import Basis
from tests.accounts.desk import CALLER, Desk
from tests.accounts.test_races import at_once
from tests.browser import query_of
from tests.issuer.pair import code_form
from tests.issuer.relying_party import challenge_of
from tests.issuer.stage import Stage

MANY = 50
End = Callable[[Stage], Any]


def test_one_code_gives_tokens_once_on_two_instances(stage):
    app = stage.app
    code = app.sign_in(stage.browser)["code"]
    here = [lambda: app.token(**code_form(app, code)).document] * (MANY // 2)
    there = [lambda: stage.pair.exchange(app, code)] * (MANY // 2)
    answers = at_once([*here, *there])
    assert sorted(each.get("error", "") for each in answers) == [""] + ["invalid_grant"] * (
        MANY - 1
    )
    (won,) = [each for each in answers if "error" not in each]
    assert not stage.pair.is_active(app, won["access_token"])
    assert app.refresh(won["refresh_token"]).error == "invalid_grant"


def test_one_refresh_token_has_one_successor_on_two_instances(stage):
    app, token = stage.app, stage.bound.refresh
    here = [lambda: app.refresh(token).document] * (MANY // 2)
    there = [lambda: stage.pair.refresh(app, token)] * (MANY // 2)
    answers = at_once([*here, *there])
    (heir,) = {each["refresh_token"] for each in answers}
    assert "access_token" in stage.pair.refresh(app, heir)


def test_a_thief_on_one_instance_and_the_owner_on_the_other_lose_the_family(stage, caplog):
    app, token = stage.app, stage.bound.refresh
    heir = app.refresh(token)
    again = app.refresh(heir.refresh)
    assert stage.pair.refresh(app, token)["error"] == "invalid_grant"
    assert not app.is_active(again.access)
    assert app.refresh(again.refresh).error == "invalid_grant"
    assert "used twice" in stage.browser.get("/account").text
    assert "grant_reused" in caplog.text
    assert {has_sid for has_sid, _sub in stage.told()} == {True}
    assert stage.is_offline_alive(), "another sign-in of the same application"


# An end, and something that is made at the same moment.


def sign_out(stage: Stage) -> Any:
    return accounts.sign_out(stage.session["user_id"], stage.session["id"], CALLER)


def sign_out_everywhere(stage: Stage) -> Any:
    return accounts.end_other_sessions(stage.session["user_id"], CALLER)


def disable(stage: Stage) -> Any:
    return accounts.disable(stage.session["user_id"], CALLER)


def delete(stage: Stage) -> Any:
    return accounts.delete(stage.session["user_id"], CALLER)


def sign_everybody_out(stage: Stage) -> Any:
    return sessions.end_all()


def take_access_away(stage: Stage) -> Any:
    return consents.take_away(stage.session["user_id"], stage.app.client_id, CALLER)


def revoke(stage: Stage) -> Any:
    client = clients.get(stage.app.client_id)
    return [revocation.revoke(client, each.refresh) for each in (stage.bound, stage.offline)]


def delete_client(stage: Stage) -> Any:
    return clients.remove(stage.app.client_id)


OF_ACCOUNTS = [sign_out_everywhere, sign_everybody_out, disable, delete]
ENDS = [sign_out, *OF_ACCOUNTS, take_access_away, revoke, delete_client]


def assert_dead(stage: Stage, *documents: dict[str, Any]) -> None:
    """Check that none of these tokens is worth anything, here or there."""
    for document in documents:
        if "access_token" in document:
            assert stage.app.userinfo(document["access_token"]).status_code == 401
            refreshed = stage.pair.refresh(stage.app, document["refresh_token"])
            assert "access_token" not in refreshed


@pytest.mark.parametrize("end", ENDS)
def test_a_refresh_that_waits_for_an_end_is_refused(stage, end: End):
    token = stage.bound.refresh
    _ended, answer = Desk(stage.site).overtake(
        lambda: end(stage), lambda: stage.pair.refresh(stage.app, token)
    )
    assert "access_token" not in answer
    assert_dead(stage, stage.bound.document)


def use(stage: Stage) -> Use:
    return Use(clients.get(stage.app.client_id), Admission(Policy("ask")), CALLER)


@pytest.mark.parametrize("end", ENDS)
def test_what_a_refresh_made_just_before_an_end_does_not_survive_it(stage, end: End):
    presented = refresh_tokens.read(stage.bound.refresh)
    assert presented
    issued, _ended = Desk(stage.site).overtake(
        lambda: exchanges.refresh(use(stage), presented, None),
        lambda: stage.site.inside(end, stage),
    )
    assert isinstance(issued, Issued)
    made = {"access_token": issued.access_token, "refresh_token": issued.refresh_token}
    assert_dead(stage, stage.bound.document, made)


def begin(stage: Stage) -> str:
    """Begin an offline grant as the authorization endpoint does; return its code."""
    session = stage.session
    asked: dict[str, Any] = {
        **{name: session[name] for name in ("user_id", "identity_id", "sid", "provider")},
        "auth_time": datetime.now(UTC),
        "scopes": ("openid", "offline_access"),
        "redirect_uri": stage.app.redirect_uri,
        "challenge": challenge_of(stage.app.verifier),
    }
    basis = Basis(**asked)
    return grants.begin(clients.get(stage.app.client_id), basis, CALLER)


@pytest.mark.parametrize("end", OF_ACCOUNTS)
def test_a_code_that_was_given_just_before_an_end_does_not_survive_it(stage, end: End):
    code, _ended = Desk(stage.site).overtake(
        lambda: begin(stage), lambda: stage.site.inside(end, stage)
    )
    assert "access_token" not in stage.pair.exchange(stage.app, code)


@pytest.mark.parametrize("end", OF_ACCOUNTS)
def test_an_authorization_that_waits_for_an_end_gives_no_code(stage, end: End):
    """Without a second look at the session, the code would open offline access that outlives
    "sign out everywhere"."""
    app, browser = stage.app, stage.browser
    asked = app.authorization(scope="openid offline_access")
    _ended, page = Desk(stage.site).overtake(
        lambda: end(stage), lambda: browser.fetch("/oauth2/authorize", params=asked)
    )
    assert "code" not in query_of(page.location), page
    assert page.status < 500, page


@pytest.mark.parametrize("end", [sign_out, delete, delete_client])
def test_of_many_refreshes_around_an_end_nothing_survives(stage, end: End):
    app, token = stage.app, stage.bound.refresh
    here = [lambda: app.refresh(token).document] * 8
    there = [lambda: stage.pair.refresh(app, token)] * 8
    ending = [lambda: stage.site.inside(end, stage) and {}]
    answers = at_once([*here, *ending, *there])
    assert_dead(stage, *(each for each in answers if each))


def test_a_client_that_is_disabled_around_refreshes_is_refused_and_loses_nobody(stage):
    app, token = stage.app, stage.bound.refresh
    calls = [lambda: stage.pair.refresh(app, token)] * 8
    disabling = [lambda: stage.site.inside(clients.disable, app.client_id) or {}]
    answers = at_once([*calls, *disabling, *calls])
    assert_dead(stage, *answers)
    stage.site.inside(clients.enable, app.client_id)
    assert stage.is_bound_alive()
