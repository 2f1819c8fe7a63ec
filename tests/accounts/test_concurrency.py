"""Verbs that run concurrently: each ends in a value or a Problem, and no identity is lost."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

import accounts
from accounts import identities
from accounts.decisions import Create, Known
from accounts.rules import Policy
from errors import LastWayIn, NotFound, Problem, StateMismatch
from models import OAuth
from providers.base import Assertion
from simulator.people import PEOPLE
from storage import atomic, db
from tests.accounts.desk import ASK, AUTO, CALLER, NEWCOMER, SEPARATE, Desk, _enter, assertion
from vault import tokens

ROUNDS = 8


def test_concurrent_first_sign_ins_create_one_account(desk):
    for number in range(ROUNDS):
        who = assertion(subject=str(number))
        seats = desk.at_once(*[partial(desk.enter, who)] * 10)
        assert {desk.whose(seat) for seat in seats} == {desk.owner(who)}
    assert desk.site.user_count() == ROUNDS
    desk.check_nobody_is_half_made()
    desk.check_nobody_was_in_deadlock()


def test_after_a_conflict_the_row_is_found_by_identity_and_never_by_address(desk):
    """social-app-django CVE-2025-61783 opened the account that had the same address."""
    victim = desk.enter(assertion("google", "victim", "ada@gmail.com", "trusted"))
    newcomer = assertion("github", "new", "ada@gmail.com", "trusted")
    first, second = desk.overtake(
        lambda: _enter(newcomer, SEPARATE, None),
        lambda: desk.enter(newcomer, SEPARATE),
    )
    assert first[1].user_id == second.user_id != victim.user_id
    assert desk.site.user_count() == 2


@pytest.mark.parametrize("look", [Desk.sign_in, Desk.preview])
def test_a_concurrent_first_sign_in_is_not_asked_to_verify_its_own_new_account(desk, look):
    """The second of two first sign-ins looks for the identity before the first one's account
    exists, and for accounts with the address after."""
    ada = assertion("google", "ada", "ada@gmail.com", "trusted")

    def quicker() -> None:
        if desk.is_postgres:  # lets the other transaction read identities, but not yet accounts
            db.session.execute(text("LOCK TABLE users"))
        accounts.sign_in(ada, ASK, CALLER)

    _, decision = desk.overtake(quicker, lambda: look(desk, ada))
    # On SQLite a read does not wait.
    assert decision in (Known(desk.owner(ada)), Create())


def test_a_sign_in_that_is_rolled_back_does_not_block_the_next(desk):
    """The first of two is rolled back; the second creates the account."""

    def fails() -> None:
        accounts.sign_in(assertion(), ASK, CALLER)
        raise NotFound("something goes wrong after the account was made")

    ready, seat = desk.overtake(fails, lambda: desk.enter(assertion()))
    assert isinstance(ready, NotFound)
    assert desk.whose(seat) == desk.owner(assertion())
    assert desk.site.user_count() == 1


@pytest.mark.parametrize("policy", [ASK, SEPARATE])
def test_a_sign_in_during_a_merge_opens_the_merged_account(desk, policy):
    one = assertion("google", "1", "ada@gmail.com", "trusted")
    two = assertion("github", "2", "ada@gmail.com", "trusted")
    kept, _gone = desk.account(one), desk.account(two)
    _, decision = desk.overtake(
        lambda: accounts.merge(kept.user_id, two, CALLER), lambda: desk.sign_in(two, policy)
    )
    assert decision == Known(kept.user_id)


def test_a_sign_in_that_waited_for_a_merge_sees_the_merged_account(make_site):
    """Otherwise the account could lose its last identity meanwhile."""
    desk = Desk(make_site("postgresql"))
    one, two = assertion("google", "1"), assertion("github", "2")
    kept, _gone = desk.account(one), desk.account(two)

    @atomic
    def hold() -> None:
        assert identities.lock(two)
        desk.site.rows("SELECT id FROM users WHERE id = :id FOR UPDATE NOWAIT", id=kept.user_id)

    with pytest.raises(OperationalError, match="could not obtain lock"):
        desk.overtake(
            lambda: accounts.merge(kept.user_id, two, CALLER), lambda: desk.site.inside(hold)
        )


def test_a_sign_in_during_a_token_refresh_loses_no_token(make_site):
    """The sign-in waits until the refreshed token is stored, and keeps the newer refresh token."""
    desk = Desk(make_site("postgresql"))
    who = replace(assertion("google", "1"), token={"access_token": "a1", "refresh_token": "r1"})
    again = replace(who, token={"access_token": "a3"})
    desk.account(who)
    row = desk.identity(who)

    def renew() -> None:
        identity = tokens._locked(row)
        assert identity
        tokens._store(identity, {"access_token": "a2", "refresh_token": "r2"})
        db.session.flush()

    desk.overtake(renew, lambda: desk.sign_in(again))
    found = desk.site.inside(lambda: tokens.read(db.session.get_one(OAuth, row)))
    assert found == {"access_token": "a3", "refresh_token": "r2"}


def test_a_sign_in_during_a_merge_works_with_closed_sign_ups(desk):
    one, two = assertion("google", "1"), assertion("github", "2")
    kept, _gone = desk.account(one), desk.account(two)
    closed = Policy(signups="closed")
    _, decision = desk.overtake(
        lambda: accounts.merge(kept.user_id, two, CALLER), lambda: desk.sign_in(two, closed)
    )
    assert decision == Known(kept.user_id)


def test_a_sign_in_during_unlinking_is_that_of_an_unknown_identity(desk):
    one, two = assertion("google", "1"), assertion("github", "2")
    here = desk.account(one, two)
    removed = desk.identity(two)
    _, seat = desk.overtake(
        lambda: accounts.unlink(here.user_id, removed, ASK, here.session_id, CALLER),
        lambda: desk.enter(two),
    )
    assert desk.whose(seat) == desk.owner(two) != here.user_id
    desk.check_nobody_is_half_made()


def test_unlinking_during_a_sign_in_ends_the_new_session_too(desk):
    one, two = assertion("google", "1"), assertion("github", "2")
    here = desk.account(one, two)
    (_, seat), _ = desk.overtake(lambda: _enter(two, ASK, None), lambda: desk.unlink(here, two))
    assert desk.owner(two) is None
    assert desk.whose(seat) is None


def test_an_identity_that_another_user_linked_meanwhile_is_not_connected(desk):
    """The page does not claim that it was, either."""
    ada = assertion("google", "ada", "ada@gmail.com", "trusted")
    seat = desk.enter(ada)

    def take() -> None:
        accounts.sign_in(ada, ASK, CALLER)  # locks her account, so that connecting waits for it
        accounts.sign_in(NEWCOMER, SEPARATE, CALLER)

    _, outcome = desk.overtake(take, lambda: desk.connect(seat.user_id, NEWCOMER))
    assert isinstance(outcome, StateMismatch)
    assert desk.owner(NEWCOMER) != seat.user_id


def test_switching_accounts_ends_the_old_session_even_after_a_retry(desk):
    """Another browser of the same user is a moment faster, so the database makes the transaction
    retry. The session that it replaces is still the one that the browser came with."""
    browser = desk.site.browser()
    browser.sign_in("google", "grace")
    old = browser.cookie("session")
    question = browser.sign_in("github", "linus")
    issuer = desk.site.app.extensions["quickstep"].connectors["github"].identity_issuer
    linus = assertion("github", PEOPLE["linus"].subject("github", 8), issuer=issuer)
    desk.overtake(
        lambda: accounts.sign_in(linus, ASK, CALLER), lambda: browser.answer(question, "switch")
    )
    assert browser.user_id == desk.owner(linus)
    thief = desk.site.browser()
    thief.http.cookies.set("session", old)
    assert thief.me() is None
    assert desk.site.rows("SELECT count(*) FROM sessions")[0][0] == 1


def test_two_concurrent_unlinkings_leave_one_identity(desk):
    """Supabase and better-auth count outside the delete."""
    for number in range(ROUNDS):
        one, two = assertion("google", str(number)), assertion("github", str(number))
        here = desk.account(one, two)
        outcomes = desk.at_once(*[partial(desk.unlink, here, each) for each in (one, two)])
        assert [type(each) for each in outcomes].count(LastWayIn) == 1
        assert list(desk.owners().values()).count(here.user_id) == 1


def test_a_concurrent_unlinking_counts_the_first(desk):
    one, two = assertion("google", "1"), assertion("github", "2")
    here = desk.account(one, two)
    first = desk.identity(one)
    _, second = desk.overtake(
        lambda: accounts.unlink(here.user_id, first, ASK, here.session_id, CALLER),
        lambda: desk.unlink(here, two),
    )
    assert isinstance(second, LastWayIn)
    assert desk.owner(two) == here.user_id


def test_two_accounts_that_merge_each_other_concurrently_leave_one(desk):
    for number in range(ROUNDS):
        one, two = assertion("google", str(number)), assertion("github", str(number))
        ada, too = desk.account(one), desk.account(two)
        outcomes = desk.at_once(
            partial(desk.merge, ada.user_id, two), partial(desk.merge, too.user_id, one)
        )
        assert [isinstance(each, StateMismatch) for each in outcomes].count(True) == 1
        assert desk.owner(one) == desk.owner(two)
        assert {desk.whose(ada), desk.whose(too)} == {desk.owner(one), None}
    desk.check_nobody_is_half_made()


@dataclass
class Scene:
    """Two accounts of one person with two identities each, and all verbs on them."""

    desk: Desk
    name: str
    ways: list[Assertion] = field(init=False)
    ids: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.ways = [
            assertion(provider, self.name, f"{self.name.replace(' ', '.')}@ada.example", "trusted")
            for provider in ("google", "github", "facebook", "gitlab")
        ]
        self.kept = self.desk.account(*self.ways[:2])
        self.gone = self.desk.account(*self.ways[2:])
        self.ids = [self.desk.identity(way) for way in self.ways]

    def verbs(self) -> dict[str, Callable[[], Any]]:
        """To be called in an application context. All of them concern the third identity."""
        kept, gone, ways, ids = self.kept, self.gone, self.ways, self.ids
        fresh = replace(ways[2], profile=replace(ways[2].profile, subject=f"new {self.name}"))
        return {
            "sign in": lambda: _enter(ways[2], ASK, None),
            "sign in otherwise": lambda: _enter(ways[3], AUTO, gone.session_id),
            "sign in new": lambda: _enter(fresh, SEPARATE, None),
            "link": lambda: accounts.link(kept.user_id, ways[2], CALLER),
            "link new": lambda: accounts.link(gone.user_id, fresh, CALLER),
            "connect new": lambda: accounts.connect(gone.user_id, fresh, ASK, CALLER),
            "reauthenticate": lambda: accounts.reauthenticate(
                gone.user_id, ids[2], ways[2], CALLER
            ),
            "merge": lambda: accounts.merge(kept.user_id, ways[2], CALLER),
            "merge back": lambda: accounts.merge(gone.user_id, ways[0], CALLER),
            "unlink": lambda: accounts.unlink(gone.user_id, ids[2], ASK, gone.session_id, CALLER),
            "delete": lambda: accounts.delete(gone.user_id, CALLER, gone.session_id),
            "rename": lambda: accounts.rename(gone.user_id, "A.", CALLER, gone.session_id),
            "choose": lambda: accounts.choose_email(gone.user_id, ids[2], CALLER, gone.session_id),
            "download": lambda: accounts.download(gone.user_id, CALLER, gone.session_id),
            "sign out": lambda: accounts.sign_out(gone.user_id, gone.session_id, CALLER),
            "end others": lambda: accounts.end_other_sessions(
                gone.user_id, CALLER, gone.session_id
            ),
            "unlink other": lambda: accounts.unlink(
                gone.user_id, ids[3], ASK, gone.session_id, CALLER
            ),
        }

    def check(self, done: list[tuple[str, Any]]) -> None:
        """Only unlinked identities are gone, and every other still opens its account."""
        did = [verb for verb, outcome in done if not isinstance(outcome, Problem)]
        owners = [self.desk.owner(way) for way in self.ways]
        if "delete" in did:  # after it, others may use its identities
            return
        assert owners[0], done
        assert owners[1], done
        assert owners[2] or "unlink" in did, done
        assert owners[3] or "unlink other" in did, done
        for way, owner in zip(self.ways, owners, strict=True):
            assert owner is None or self.desk.sign_in(way) == Known(owner)
        self.desk.check_nobody_is_half_made()


def test_any_two_verbs_can_overlap(desk):
    """One begins when the other has written and not committed. Neither fails, and no identity is
    lost."""
    names = list(Scene(desk, "names").verbs())
    for first in names:
        desk.site.execute("DELETE FROM users")  # the desk reads all identities that there are
        for second in names:
            scene = Scene(desk, f"{first} {second}")
            verbs = scene.verbs()
            outcomes = desk.overtake(verbs[first], partial(desk.site.inside, verbs[second]))
            scene.check(list(zip((first, second), outcomes, strict=True)))


def test_all_verbs_can_run_concurrently(desk):
    for number in range(ROUNDS // 2):
        scene = Scene(desk, str(number))
        verbs = scene.verbs()
        outcomes = desk.at_once(*[partial(desk.site.inside, verb) for verb in verbs.values()])
        scene.check(list(zip(verbs, outcomes, strict=True)))
