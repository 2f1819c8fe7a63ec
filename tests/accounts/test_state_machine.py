"""Users act in any order; the statements of docs/understand/linking.md hold throughout."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.decisions import (
    AlreadyLinked,
    Create,
    Join,
    Known,
    Link,
    NeedsMerge,
    NeedsOwnership,
    NeedsSwitch,
    Refused,
)
from accounts.rules import Policy
from errors import LastWayIn, NotFound, Problem, StateMismatch
from providers.base import Assertion
from tests.accounts.desk import ASK, AUTO, SEPARATE, Desk, Seat, assertion, key, outcome_of


@dataclass(frozen=True)
class Way:
    """An identity that a person controls."""

    person: str
    provider: str
    number: int = 1

    def assertion(self, claim: tuple[str | None, Any] = (None, "no")) -> Assertion:
        email, proved = claim
        return assertion(self.provider, f"{self.person} {self.number}", email, proved)


WAYS = [
    *(Way("ada", "google"), Way("ada", "facebook"), Way("ada", "github"), Way("ada", "github", 2)),
    *(Way("mallory", "facebook"), Way("mallory", "github"), Way("mallory", "google")),
    *(Way("grace", "google"), Way("grace", "github")),
    *(Way("linus", "google"), Way("linus", "facebook")),
]
# Grace and Linus share a mailbox, so automatic joining may make them share an account.
MAILBOXES = {
    "ada": ["ada@gmail.com", "ADA@gmail.com", "ada@work.example"],
    "mallory": ["mallory@evil.example"],
    "grace": ["grace@navy.example", "family@home.example"],
    "linus": ["family@home.example"],
}
HOUSEHOLDS = {"ada": "ada", "mallory": "mallory", "grace": "home", "linus": "home"}
ALL_ADDRESSES = [email for emails in MAILBOXES.values() for email in emails]
Browser = tuple[str, int]
BROWSERS = [(person, number) for person in MAILBOXES for number in (1, 2)]
NO_FACEBOOK = frozenset((name, f"https://{name}.example") for name in ("google", "github"))


def claims(person: str) -> Any:
    """A provider's claim about a person's address: verified only for a mailbox they can read,
    otherwise anything."""
    claimed = st.tuples(st.sampled_from([None, *ALL_ADDRESSES]), st.just("no"))
    own = st.sampled_from(MAILBOXES[person])
    return st.tuples(own, st.sampled_from(["verified", "trusted"])) | claimed


def somebody_is_in(town: "Town") -> bool:
    return any(map(town.user_of, BROWSERS))


class Town(RuleBasedStateMachine):
    """People who act in their own browsers with their own identities, with good or bad intent.
    ``owner`` is the expected account of each identity, ``people`` holds who has signed in to each
    account, ``seats`` the account of each browser and the identity it signed in with."""

    def __init__(self, desk: Desk, policy: Policy) -> None:
        super().__init__()
        self.desk, self.policy = desk, policy
        desk.site.execute("DELETE FROM users")
        self.owner: dict[Way, str] = {}
        self.people: dict[str, set[str]] = {}
        self.off: set[str] = set()
        self.seats: dict[Browser, tuple[Seat, str, Way | None]] = {}
        self.looks = 0

    # The model.

    def user_of(self, browser: Browser) -> str | None:
        """The account that a browser is signed in to, unless it is disabled."""
        user_id = self.seats[browser][1] if browser in self.seats else None
        return None if user_id in self.off else user_id

    def is_known(self, way: Way, decision: Any) -> bool:
        """Whether the owner of a known identity should get this decision."""
        if self.owner[way] in self.off:
            return isinstance(decision, Refused)
        return bool(decision == Known(self.owner[way]))

    def take(self, way: Way, user_id: str) -> None:
        assert way not in self.owner
        self.owner[way] = user_id
        self.people.setdefault(user_id, set()).add(way.person)

    def problem_of(self, verb: Callable[..., Any], *facts: Any) -> Problem | None:
        """The Problem that a verb ends in, if any; then it must not have written."""
        before = self.desk.everything()
        outcome = outcome_of(partial(verb, *facts))
        if not isinstance(outcome, Problem):
            return None
        assert self.desk.everything() == before
        return outcome

    def draw_way(self, data: Any, browser: Browser) -> tuple[Way, Any]:
        """An identity of the person at a browser, and its provider's claim."""
        way = data.draw(st.sampled_from([way for way in WAYS if way.person == browser[0]]))
        return way, data.draw(claims(way.person))

    def draw_seat(self, data: Any) -> tuple[Browser, str]:
        """A signed-in browser, and its account."""
        browser = data.draw(st.sampled_from([each for each in BROWSERS if self.user_of(each)]))
        return browser, self.seats[browser][1]

    # Actions.

    @initialize(data=st.data())
    def everybody_comes(self, data: Any) -> None:
        for browser in BROWSERS:
            self.enter(browser, *self.draw_way(data, browser))

    @rule(data=st.data(), browser=st.sampled_from(BROWSERS), leaves=st.booleans())
    def sign_in(self, data: Any, browser: Browser, leaves: bool) -> None:
        apart = data.draw(st.booleans())
        self.enter(browser, *self.draw_way(data, browser), leaves=leaves, apart=apart)

    def enter(
        self, browser: Browser, way: Way, claim: Any, *, leaves: bool = False, apart: bool = False
    ) -> None:
        here, old = self.user_of(browser), self.seats.get(browser)
        decision, seat = self.desk.try_to_enter(
            way.assertion(claim),
            self.policy,
            signed_in_as=None if leaves else here,
            separate=apart,
            replaces=old[0].session_id if old and here else None,
        )
        self.check_decision(decision, way, claim, None if leaves else here)
        if seat:
            if way not in self.owner:
                self.take(way, seat.user_id)
            self.seats[browser] = (seat, seat.user_id, way)

    def check_decision(self, decision: Any, way: Way, claim: Any, here: str | None) -> None:
        """A known identity always opens its account; nothing else opens an existing one."""
        if isinstance(decision, NeedsSwitch):
            assert here
            decision = decision.then
        elif here and isinstance(decision, Known | Create | Join):
            assert getattr(decision, "user_id", None) == here
        if way in self.owner:
            assert self.is_known(way, decision)
        elif isinstance(decision, Join):
            self.check_join(decision.user_id, way, claim)
        elif isinstance(decision, NeedsOwnership):
            assert self.policy.account_linking != "separate"
            assert claim[1] != "no"
        else:
            assert isinstance(decision, Create)

    def check_join(self, user_id: str, way: Way, claim: Any) -> None:
        assert self.policy.account_linking == "auto"
        assert claim[1] == "trusted"
        assert user_id not in self.off
        people = self.people[user_id] | {way.person}
        assert len({HOUSEHOLDS[person] for person in people}) == 1

    @precondition(somebody_is_in)
    @rule(data=st.data())
    def link(self, data: Any) -> None:
        browser, here = self.draw_seat(data)
        way, claim = self.draw_way(data, browser)
        decision = self.desk.link(here, way.assertion(claim))
        owner = self.owner.get(way)
        if owner is None:
            assert decision == Link()
            self.take(way, here)
        elif owner == here:
            assert decision == AlreadyLinked()
        else:
            assert isinstance(decision, Refused if owner in self.off else NeedsMerge)

    @precondition(somebody_is_in)
    @rule(data=st.data())
    def connect(self, data: Any) -> None:
        """Connects even where it was never offered."""
        browser, here = self.draw_seat(data)
        way, claim = self.draw_way(data, browser)
        offered = self.desk.preview(way.assertion(claim), self.policy)
        theirs = offered.user_ids if isinstance(offered, NeedsOwnership) else ()
        problem = self.problem_of(self.desk.connect, here, way.assertion(claim), self.policy)
        is_theirs = here in theirs and claim[1] != "no"
        assert problem is None if is_theirs else isinstance(problem, StateMismatch)
        if problem is None:
            self.take(way, here)

    @precondition(somebody_is_in)
    @rule(data=st.data())
    def merge(self, data: Any) -> None:
        browser, here = self.draw_seat(data)
        way, claim = self.draw_way(data, browser)
        other = self.owner.get(way)
        problem = self.problem_of(self.desk.merge, here, way.assertion(claim))
        if other is None or other == here or other in self.off:
            assert isinstance(problem, StateMismatch)
        else:
            assert problem is None
            self.bring_over(other, here)

    def bring_over(self, other: str, here: str) -> None:
        self.people[here] |= self.people.pop(other)
        self.owner |= {way: here for way, owner in self.owner.items() if owner == other}
        for browser, (seat, user_id, _) in list(self.seats.items()):
            if user_id == other:
                assert self.desk.whose(seat) is None
                del self.seats[browser]

    @precondition(somebody_is_in)
    @rule(data=st.data(), few=st.booleans())
    def unlink(self, data: Any, few: bool) -> None:
        """On a site with all providers or without one; sometimes another user's identity."""
        browser, here = self.draw_seat(data)
        own = [way for way in WAYS if self.owner.get(way) == here]
        way = data.draw(st.sampled_from(own or WAYS) | st.sampled_from(WAYS))
        others = [each for each in own if each != way and not (few and each.provider == "facebook")]
        policy = replace(self.policy, usable=NO_FACEBOOK if few else None)
        seat = self.seats[browser][0]
        problem = self.problem_of(self.desk.unlink, seat, way.assertion(), policy, here)
        if way not in own:
            assert isinstance(problem, NotFound)
        elif not others:
            assert isinstance(problem, LastWayIn)
        else:
            assert problem is None
            self.forget(way, browser)

    def forget(self, way: Way, this: Browser) -> None:
        del self.owner[way]
        for browser, (seat, user_id, came_with) in list(self.seats.items()):
            if came_with == way and browser != this:
                assert self.desk.whose(seat) is None
                del self.seats[browser]
            elif came_with == way:
                self.seats[browser] = (seat, user_id, None)

    @rule(data=st.data())
    def switch(self, data: Any) -> None:
        """The operator disables an account, or enables it again."""
        way = data.draw(st.sampled_from([way for way in WAYS if way in self.owner]))
        user_id = self.owner[way]
        self.off ^= {user_id}
        self.desk.switch(user_id, off=user_id in self.off)

    # Invariants.

    @invariant()
    def identities_are_where_they_belong(self) -> None:
        """No identity has two users, is lost or was moved; no account is incomplete."""
        assert self.desk.owners() == {
            key(way.assertion()): user_id for way, user_id in self.owner.items()
        }
        self.desk.check_nobody_is_half_made()

    @invariant()
    def nobody_is_where_they_have_not_proved_themselves(self) -> None:
        for browser, (seat, user_id, _way) in self.seats.items():
            assert self.desk.whose(seat) == self.user_of(browser)
            assert browser[0] in self.people[user_id]
        for people in self.people.values():
            if self.policy.account_linking == "auto":
                assert len({HOUSEHOLDS[person] for person in people}) == 1
            else:
                assert len(people) == 1

    @precondition(lambda town: town.owner)
    @invariant()
    def nobody_is_locked_out(self) -> None:
        # One identity per step: a user who is locked out stays so, and is found a few steps later.
        self.looks += 1
        way = list(self.owner)[self.looks % len(self.owner)]
        assert self.is_known(way, self.desk.preview(way.assertion(), self.policy))


@pytest.mark.parametrize("policy", [ASK, AUTO, SEPARATE], ids=lambda policy: policy.account_linking)
def test_the_linking_rules_hold_for_any_sequence_of_actions(make_site, policy):
    """docs/understand/linking.md: no identity has two users; nobody reaches an account without
    having signed in with one of its identities or passed the confirm step; nobody is locked out."""
    town = partial(Town, Desk(make_site()), policy)
    run_state_machine_as_test(
        town,  # type: ignore[arg-type]
        settings=settings(
            max_examples=15,
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
