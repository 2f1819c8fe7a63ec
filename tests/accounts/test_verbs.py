"""People and their identities on real databases: what each verb writes, and what races leave.

The state machine at the end holds the whole to the sentences of docs/linking.md.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

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
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

import accounts
from accounts import activity, identities, sessions
from accounts.activity import Caller
from accounts.rules import (
    AlreadyLinked,
    Create,
    Join,
    Known,
    Link,
    NeedsMerge,
    NeedsOwnership,
    NeedsSwitch,
    Policy,
    Refused,
    SignInDecision,
)
from accounts.verbs import SignIn
from errors import LastWayIn, NotFound, Problem, StateMismatch
from models import OAuth
from providers.base import Assertion, make_profile
from simulator.people import PEOPLE
from storage import atomic, db
from tests.processes import until
from tests.site import Site
from vault import tokens

CALLER = Caller(address="192.0.2.1", user_agent="a browser")
ASK, AUTO, SEPARATE = Policy("ask"), Policy("auto"), Policy("separate")
ROUNDS = 8


def assertion(
    provider: str = "google",
    subject: str = "1",
    email: str | None = None,
    proved: Literal["no", "verified", "trusted"] = "no",
    issuer: str | None = None,
) -> Assertion:
    """What a flow brings. ``proved``: how far the provider's word for the address goes."""
    return Assertion(
        provider=provider,
        issuer=issuer or f"https://{provider}.example",
        profile=make_profile(
            subject=subject,
            email=email,
            email_verified=proved != "no",
            email_trusted=proved == "trusted",
        ),
        token={"access_token": f"token of {subject}"},
    )


@dataclass(frozen=True)
class Seat:
    """A browser's place in an account."""

    user_id: str
    session_id: str
    token: str


def with_picture(who: Assertion, name: str) -> Assertion:
    return replace(who, profile=replace(who.profile, picture=f"https://pictures.example/{name}"))


@atomic
def _enter(who: Assertion, policy: Policy, replaces: str | None, **asked: Any) -> Any:
    """Account and session in one transaction, as views/login.py has it."""
    result = accounts.sign_in(who, policy, CALLER, **asked)
    if result.identity is None:
        return result.decision, None
    session, token = sessions.start(result.identity, CALLER, replaces=replaces)
    return result.decision, Seat(session.user_id, session.id, token)


class Desk:
    """The verbs of accounts.py on one site, each in an application context of its own."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.is_postgres = "postgresql" in str(site.app.config["SQLALCHEMY_DATABASE_URI"])

    def try_to_enter(
        self, who: Assertion, policy: Policy = ASK, *, replaces: str | None = None, **asked: Any
    ) -> tuple[SignInDecision, Seat | None]:
        return self.site.inside(_enter, who, policy, replaces, **asked)  # type: ignore[no-any-return]

    def enter(self, who: Assertion, policy: Policy = ASK, **asked: Any) -> Seat:
        decision, seat = self.try_to_enter(who, policy, **asked)
        assert seat, decision
        return seat

    def sign_in(self, who: Assertion, policy: Policy = ASK, **asked: Any) -> SignInDecision:
        result: SignIn = self.site.inside(accounts.sign_in, who, policy, CALLER, **asked)
        return result.decision

    def preview(self, who: Assertion, policy: Policy = ASK) -> SignInDecision:
        return self.site.inside(accounts.sign_in_preview, who, policy)  # type: ignore[no-any-return]

    def link(self, user_id: str, who: Assertion) -> Any:
        return self.site.inside(accounts.link, user_id, who, CALLER)

    def connect(self, user_id: str, who: Assertion, policy: Policy = ASK) -> None:
        self.site.inside(accounts.connect, user_id, who, policy, CALLER)

    def confirm(self, user_id: str, identity_id: str, who: Assertion) -> bool:
        return bool(self.site.inside(accounts.confirm, user_id, identity_id, who, CALLER))

    def merge(self, user_id: str, who: Assertion) -> None:
        self.site.inside(accounts.merge, user_id, who, CALLER)

    def unlink(
        self, seat: Seat, who: Assertion | str, policy: Policy = ASK, user_id: str | None = None
    ) -> None:
        identity_id = who if isinstance(who, str) else self.identity(who)
        user_id = user_id or seat.user_id
        self.site.inside(accounts.unlink, user_id, identity_id, policy, seat.session_id, CALLER)

    def account(self, *ways: Assertion) -> Seat:
        """Somebody with these identities, signed in with the first."""
        seat = self.enter(ways[0], SEPARATE)
        for way in ways[1:]:
            assert self.link(seat.user_id, way) == Link()
        return seat

    def switch(self, user_id: str, *, off: bool) -> None:
        moment = "'2026-01-01 00:00:00'" if off else "NULL"
        self.site.execute(f"UPDATE users SET disabled_at = {moment} WHERE id = :id", id=user_id)

    # What there is to see.

    def whose(self, seat: Seat) -> str | None:
        """Whose account a browser is in now."""
        session = self.site.inside(sessions.find, seat.token)
        return session.user_id if session else None

    def identity(self, who: Assertion) -> str:
        rows = self.site.rows(
            "SELECT id FROM oauth WHERE provider = :p AND issuer = :i AND subject = :s",
            p=who.provider,
            i=who.issuer,
            s=who.profile.subject,
        )
        return str(rows[0][0]) if rows else ""

    def owners(self) -> dict[tuple[str, str, str], str]:
        """The account of each identity."""
        rows = self.site.rows("SELECT provider, issuer, subject, user_id FROM oauth")
        owners = {(row[0], row[1], row[2]): str(row[3]) for row in rows}
        assert len(owners) == len(rows)
        return owners

    def owner(self, who: Assertion) -> str | None:
        return self.owners().get(key(who))

    def events(self, user_id: str) -> list[tuple[str, str, str]]:
        """The newest first: kind, reason, detail."""
        rows: Sequence[Any] = self.site.inside(activity.recent, user_id)
        return [(row.kind, row.reason, row.detail) for row in rows]

    def everything(self) -> list[Any]:
        """All rows that a verb could have written."""
        tables = ("users", "oauth", "sessions", "events")
        return [sorted(map(repr, self.site.rows(f"SELECT * FROM {name}"))) for name in tables]

    def check_nobody_is_half_made(self) -> None:
        users = {str(row[0]) for row in self.site.rows("SELECT id FROM users")}
        assert users == set(self.owners().values())

    def check_nobody_was_in_deadlock(self) -> None:
        """PostgreSQL ends a deadlock after a second: who waits behind it may have to give up."""
        if not self.is_postgres:
            return
        with self.site.app.app_context():
            db.engine.dispose()  # a connection tells what it counted when it ends, at the latest
        here = "datname = current_database()"
        own = "backend_type = 'client backend' AND pid <> pg_backend_pid()"
        others = f"SELECT 1 FROM pg_stat_activity WHERE {here} AND {own}"
        until(lambda: not self.site.rows(others))
        assert self.site.rows(f"SELECT deadlocks FROM pg_stat_database WHERE {here}") == [(0,)]

    # Several at once.

    def at_once(self, *verbs: Callable[[], Any]) -> list[Any]:
        """Run verbs in threads that start together: what each returned, or its Problem."""
        barrier = threading.Barrier(len(verbs))

        def run(verb: Callable[[], Any]) -> Any:
            barrier.wait(30)
            return outcome_of(verb)

        with ThreadPoolExecutor(len(verbs)) as pool:
            return list(pool.map(run, verbs))

    def overtake(self, first: Callable[[], Any], second: Callable[[], Any]) -> list[Any]:
        """Begin ``second`` when ``first`` has done its work and not yet committed it."""
        done, commit = threading.Event(), threading.Event()

        @atomic
        def slowly() -> Any:
            result = first()
            done.set()
            assert commit.wait(30)
            return result

        with ThreadPoolExecutor(2) as pool:
            one = pool.submit(outcome_of, lambda: self.site.inside(slowly))
            one.add_done_callback(lambda _: done.set())
            assert done.wait(30)
            two = pool.submit(outcome_of, second)
            self._wait_until_blocked(two)
            commit.set()
            return [one.result(30), two.result(30)]

    def _wait_until_blocked(self, verb: Future[Any]) -> None:
        """PostgreSQL tells who waits for a lock; SQLite lets no second writer begin at all."""
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        here = " AND datname = current_database()"
        while self.is_postgres and not verb.done() and not self.site.rows(waiting + here):
            pass


def outcome_of(verb: Callable[[], Any]) -> Any:
    try:
        return verb()
    except Problem as problem:
        return problem


def key(who: Assertion) -> tuple[str, str, str]:
    return who.provider, who.issuer, who.profile.subject


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request, make_site) -> Desk:
    return Desk(make_site(request.param))


# Who is who.


def test_an_identity_opens_its_account_again(desk):
    first = desk.enter(assertion(email="ada@gmail.com", proved="trusted"))
    again = desk.enter(assertion(email="ada@gmail.com", proved="trusted"))
    assert first.user_id == again.user_id
    assert first.token != again.token
    assert [event[:2] for event in desk.events(first.user_id)] == [
        ("signed_in", "identity_known"),
        ("signed_in", "identity_unknown"),
    ]


# Each differs from the first, or from another one, in a way that some comparison overlooks.
SUBJECTS = (
    *("abc", "ABC", "abc ", " abc", "abc\u200b", "ab", "ab%", "ab_"),
    *("k", "K", "\u212a", "i", "I", "\u0131", "\u0130", "ss", "\u00df"),
    *("\u00e9", "e\u0301", "1", "01", "1.0", "+1", "\u0661", "None", "null"),
)


def test_a_picture_follows_its_provider_unless_another_was_chosen(desk):
    def shown() -> list[str | None]:
        return [row[0] for row in desk.site.rows("SELECT picture FROM users")]

    one, two = (
        with_picture(assertion("google", "1"), "1"),
        with_picture(assertion("github", "2"), "2"),
    )
    desk.account(one, two)
    assert shown() == ["https://pictures.example/1"]
    desk.sign_in(with_picture(one, "1b"))
    assert shown() == ["https://pictures.example/1b"]
    desk.sign_in(with_picture(two, "2b"))
    assert shown() == ["https://pictures.example/1b"]


def test_subjects_are_compared_byte_by_byte(desk):
    """CVE-2024-32879: compared without case, two people were one."""
    people = [assertion(subject=subject) for subject in SUBJECTS]
    assert {desk.sign_in(who) for who in people} == {Create()}
    assert len({desk.owner(who) for who in people}) == len(people)
    assert [desk.sign_in(who) for who in people] == [Known(desk.owner(who)) for who in people]


def test_a_subject_of_255_characters_of_any_script_is_kept_whole(desk):
    long = assertion(subject="\U0001f600" * 255)
    assert desk.sign_in(long) == Create()
    assert desk.owner(long)


def test_the_same_subject_elsewhere_is_another_person(desk):
    """42 at github.com is not 42 at a company's own GitHub, nor 42 at Google."""
    everywhere = [
        assertion("github", "42"),
        assertion("github", "42", issuer="https://github.company.example"),
        assertion("github", "42", issuer="https://github.example/"),
        assertion("google", "42"),
    ]
    assert [desk.sign_in(who) for who in everywhere] == [Create()] * 4
    assert len(set(desk.owners().values())) == 4


KNOWN_ADDRESSES = (
    *("ada@gmail.com", "a_a@gmail.com", "mike@ada.example", "strasse@ada.example"),
    *("\u00c5sa@ada.example", "e\u0301@ada.example"),
)
SAME_ADDRESSES = ("Ada@GMail.com", "aDA@gmaiL.COM", "MIKE@ada.example", "\u00c5SA@ada.example")
OTHER_ADDRESSES = (
    *("mi\u212ae@ada.example", "m\u0131ke@ada.example", "M\u0130KE@ada.example"),
    *("stra\u00dfe@ada.example", "\u00e5sa@ada.example", "\u212bsa@ada.example"),
    *("\u00e9@ada.example", "\uff41da@gmail.com", "ad\u0430@gmail.com", "axa@gmail.com"),
    *("a.d.a@gmail.com", "ada+x@gmail.com", "ada@googlemail.com", "ada@gmail.com."),
)


def test_addresses_are_equal_but_for_ascii_case_only(desk):
    """Kelvin sign and dotless i; GitHub's case-mapping takeover of 2019."""
    for email in KNOWN_ADDRESSES:
        desk.enter(assertion("google", email, email, "trusted"))
    for email in KNOWN_ADDRESSES + SAME_ADDRESSES:
        newcomer = assertion("github", "new", email, "trusted")
        assert isinstance(desk.preview(newcomer, ASK), NeedsOwnership), email
        assert isinstance(desk.preview(newcomer, AUTO), Join), email
    for email in OTHER_ADDRESSES:
        newcomer = assertion("github", "new", email, "trusted")
        assert newcomer.profile.email == email
        assert desk.preview(newcomer, ASK) == desk.preview(newcomer, AUTO) == Create(), email


def test_several_accounts_without_an_address_have_nothing_in_common(desk):
    desk.enter(assertion("google", "1"))
    assert desk.sign_in(assertion("github", "2"), AUTO) == Create()


# The address.

PLANTED = [
    # An attacker claims Ada's address and proves nothing,
    (assertion("facebook", "m", "ada@gmail.com"),),
    # or proves another address of theirs beside it,
    (
        assertion("facebook", "m", "ada@gmail.com"),
        assertion("google", "m", "m@gmail.com", "trusted"),
    ),
    # or has the word of a provider that does not answer for such an address.
    (assertion("github", "m", "ada@gmail.com", "verified"),),
]


@pytest.mark.parametrize("ways", PLANTED)
def test_an_account_that_did_not_prove_the_address_is_never_joined(desk, ways):
    """Account pre-hijacking; allauth 64.2.1 let the attacker keep their way in."""
    planted = desk.account(*ways)
    before = desk.everything()
    ada = assertion("google", "ada", "ada@gmail.com", "trusted")
    decision = desk.sign_in(ada, AUTO)
    assert isinstance(decision, NeedsOwnership)
    assert decision.user_ids == (planted.user_id,)
    assert desk.everything() == before


@pytest.mark.parametrize("proved", ["no", "verified"])
def test_who_did_not_prove_the_address_joins_nobody(desk, proved):
    """nOAuth; better-auth #9578."""
    desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    before = desk.everything()
    decision = desk.sign_in(assertion("facebook", "m", "ada@gmail.com", proved), AUTO)
    assert isinstance(decision, NeedsOwnership)
    assert decision.may_connect is (proved == "verified")
    assert desk.everything() == before


def test_two_that_proved_it_to_trusted_providers_are_joined(desk):
    ada = desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    joined = desk.enter(assertion("github", "ada", "Ada@gmail.com", "trusted"), AUTO)
    assert joined.user_id == ada.user_id
    assert desk.events(ada.user_id)[:2] == [
        ("signed_in", "email_verified_on_both_sides", "Ada@gmail.com"),
        ("linked", "email_verified_on_both_sides", "Ada@gmail.com"),
    ]


def test_a_switched_off_account_is_not_joined(desk):
    ada = desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    desk.switch(ada.user_id, off=True)
    decision = desk.sign_in(assertion("github", "ada", "ada@gmail.com", "trusted"), AUTO)
    assert isinstance(decision, NeedsOwnership)


def test_an_address_that_was_given_up_is_nobodys(desk):
    """What counts is what the provider said last."""
    desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    desk.enter(assertion("google", "ada", "lovelace@gmail.com", "trusted"))
    assert desk.sign_in(assertion("github", "heir", "ada@gmail.com", "trusted"), AUTO) == Create()


def test_a_proof_that_was_taken_back_joins_nobody(desk):
    desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    desk.enter(assertion("google", "ada", "ada@gmail.com"))
    decision = desk.sign_in(assertion("github", "heir", "ada@gmail.com", "trusted"), AUTO)
    assert isinstance(decision, NeedsOwnership)


def changes_of_address(desk: Desk, user_id: str) -> list[str]:
    return [detail for kind, _, detail in desk.events(user_id) if kind == "email_changed"]


def test_a_new_address_is_noted(desk):
    ada = desk.enter(assertion(email="ada@gmail.com", proved="trusted"))
    desk.enter(assertion(email="ada@gmail.com", proved="trusted"))
    assert changes_of_address(desk, ada.user_id) == []
    desk.enter(assertion(email="lovelace@gmail.com", proved="trusted"))
    assert changes_of_address(desk, ada.user_id) == ["lovelace@gmail.com"]


def test_a_new_address_of_an_identity_that_does_not_count_is_not_noted(desk):
    first = assertion("google", "1", "ada@gmail.com", "trusted")
    ada = desk.account(first, assertion("github", "2", "work@ada.example", "verified"))
    desk.enter(assertion("github", "2", "new@ada.example", "verified"))
    assert changes_of_address(desk, ada.user_id) == []


def test_an_address_that_lost_its_proof_gives_way_and_that_is_noted(desk):
    first = assertion("google", "1", "ada@gmail.com", "trusted")
    ada = desk.account(first, assertion("github", "2", "work@ada.example", "verified"))
    desk.enter(assertion("google", "1", "ada@gmail.com"))
    assert changes_of_address(desk, ada.user_id) == ["work@ada.example"]


# Nothing is written unless it is meant.


def test_a_question_or_a_refusal_of_a_stranger_writes_nothing(desk):
    desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    before = desk.everything()
    closed, listed = Policy(signups_open=False), Policy(allowed_email_domains=("navy.example",))
    assert isinstance(
        desk.sign_in(assertion("github", "2", "ada@gmail.com", "trusted")), NeedsOwnership
    )
    assert isinstance(desk.sign_in(assertion("github", "2", "ada@gmail.com")), NeedsOwnership)
    assert isinstance(desk.sign_in(assertion("github", "2"), closed), Refused)
    assert isinstance(desk.sign_in(assertion("github", "2"), listed), Refused)
    assert isinstance(desk.sign_in(assertion("github", "2"), signed_in_as="another"), NeedsSwitch)
    assert isinstance(desk.sign_in(assertion("google", "ada"), signed_in_as="another"), NeedsSwitch)
    assert desk.everything() == before


def test_a_look_ahead_writes_nothing_and_says_the_same(desk):
    desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    before = desk.everything()
    newcomers = [
        assertion("google", "ada", "ada@gmail.com", "trusted"),
        assertion("github", "2", "ada@gmail.com", "trusted"),
        assertion("github", "2", "ada@gmail.com"),
    ]
    previews = [desk.preview(who) for who in newcomers]
    assert desk.everything() == before
    assert previews == [desk.sign_in(who) for who in newcomers]


def test_a_refusal_stands_in_the_activity_of_whoever_it_concerns(desk):
    ada = desk.enter(assertion())
    desk.switch(ada.user_id, off=True)
    assert isinstance(desk.sign_in(assertion()), Refused)
    assert desk.events(ada.user_id)[0][:2] == ("refused", "disabled")


def test_a_list_of_domains_counts_all_identities_of_an_account(desk):
    policy = Policy(allowed_email_domains=("navy.example",))
    navy = assertion("google", "1", "grace@navy.example", "verified")
    grace = desk.account(navy, assertion("github", "2"))
    assert desk.sign_in(assertion("github", "2"), policy) == Known(grace.user_id)
    desk.unlink(grace, navy)
    assert isinstance(desk.sign_in(assertion("github", "2"), policy), Refused)


# Link, connect, confirm.


def test_linking_gives_one_account_two_ways_in(desk):
    ada = desk.enter(assertion("google", "1"))
    assert desk.link(ada.user_id, assertion("github", "2")) == Link()
    assert desk.link(ada.user_id, assertion("github", "2")) == AlreadyLinked()
    assert desk.link(ada.user_id, assertion("github", "3")) == Link()
    assert {desk.enter(assertion("github", each)).user_id for each in "23"} == {ada.user_id}


def test_linking_takes_nothing_from_another_account(desk):
    """Supabase #1762: an identity that belongs to somebody is never moved silently."""
    ada, grace = desk.enter(assertion("google", "1")), desk.enter(assertion("github", "2"))
    before = desk.everything()
    assert desk.link(ada.user_id, assertion("github", "2")) == NeedsMerge(grace.user_id)
    assert desk.everything() == before


def test_nothing_is_linked_to_an_account_that_is_gone(desk):
    assert isinstance(outcome_of(lambda: desk.link("0" * 32, assertion())), StateMismatch)
    assert desk.owners() == {}


NEWCOMER = assertion("github", "new", "ada@gmail.com", "verified")


def test_a_proved_account_is_connected(desk):
    ada = desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    desk.connect(ada.user_id, NEWCOMER)
    assert desk.enter(NEWCOMER).user_id == ada.user_id
    assert desk.events(ada.user_id)[1][0] == "linked"


@pytest.mark.parametrize(
    ("who", "policy"),
    [
        (assertion("github", "new", "ada@gmail.com"), ASK),  # its address was never proved
        (assertion("github", "new", "other@gmail.com", "trusted"), ASK),  # not this address
        (assertion("github", "new"), ASK),
        (NEWCOMER, SEPARATE),  # no longer asked
        (NEWCOMER, Policy(allowed_email_domains=("navy.example",))),
        (assertion("google", "ada", "ada@gmail.com", "trusted"), ASK),  # known
    ],
)
def test_what_no_rule_asks_to_connect_is_not_connected(desk, who, policy):
    ada = desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    before = desk.everything()
    with pytest.raises(StateMismatch):
        desk.connect(ada.user_id, who, policy)
    assert desk.everything() == before


def test_an_account_without_the_address_is_not_connected(desk):
    desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    mallory = desk.enter(assertion("google", "mallory", "mallory@gmail.com", "trusted"))
    before = desk.everything()
    with pytest.raises(StateMismatch):
        desk.connect(mallory.user_id, NEWCOMER)
    assert desk.everything() == before


def test_only_the_identity_that_was_asked_for_confirms(desk):
    """Flask-Security GHSA-97r5, GHSA-f66q."""
    one, two, strangers = (
        assertion("google", "1"),
        assertion("google", "2"),
        assertion("google", "3"),
    )
    ada, eve = desk.account(one, two), desk.enter(strangers)
    before = desk.everything()
    asked = desk.identity(one)
    assert not desk.confirm(ada.user_id, asked, two)
    assert not desk.confirm(ada.user_id, asked, strangers)
    assert not desk.confirm(ada.user_id, asked, assertion("google", "4"))
    assert not desk.confirm(eve.user_id, asked, one)
    assert not desk.confirm(ada.user_id, desk.identity(strangers), strangers)
    assert desk.everything() == before
    assert desk.confirm(ada.user_id, asked, one)
    assert desk.events(ada.user_id)[0][0] == "confirmed"


# Unlink.


def test_unlinking_ends_what_the_identity_began_elsewhere(desk):
    one, two = assertion("google", "1"), assertion("github", "2")
    here = desk.account(one, two)
    laptop, phone = desk.enter(one), desk.enter(two)
    desk.unlink(here, one)
    assert desk.whose(laptop) is None
    assert desk.whose(here) == desk.whose(phone) == here.user_id
    assert desk.owner(one) is None
    assert desk.events(here.user_id)[0][0] == "unlinked"


def test_an_unlinked_identity_is_a_stranger(desk):
    one, two = assertion("google", "1"), assertion("github", "2")
    here = desk.account(one, two)
    desk.unlink(here, one)
    assert desk.enter(one).user_id != here.user_id


def test_a_strangers_identity_is_unlinked_like_a_missing_one(desk):
    """better-auth CVE-2025-61928."""
    ada = desk.account(assertion("google", "1"), assertion("github", "2"))
    eve = desk.account(assertion("google", "3"), assertion("github", "4"))
    before = desk.everything()
    missing = outcome_of(lambda: desk.unlink(eve, "0" * 32))
    strangers = outcome_of(lambda: desk.unlink(eve, assertion("google", "1")))
    assert isinstance(missing, NotFound)
    assert isinstance(strangers, NotFound)
    assert str(missing) == str(strangers)
    assert desk.everything() == before
    assert desk.whose(ada) == ada.user_id


def test_the_last_way_in_stays(desk):
    one, two = assertion("google", "1"), assertion("github", "2")
    ada = desk.account(one, two)
    desk.unlink(ada, two)
    with pytest.raises(LastWayIn):
        desk.unlink(ada, one)
    assert desk.enter(one).user_id == ada.user_id


def test_a_way_in_that_the_site_does_not_offer_is_none(desk):
    one, two = assertion("google", "1"), assertion("google", "1", issuer="https://old.example")
    ada = desk.account(one, two)
    only_google = Policy(usable=frozenset({(one.provider, one.issuer)}))
    with pytest.raises(LastWayIn):
        desk.unlink(ada, one, only_google)
    desk.unlink(ada, two, only_google)
    assert desk.owner(one) == ada.user_id


# Merge.


def test_a_merge_brings_everything_over(desk):
    one, two, three = assertion("google", "1"), assertion("github", "2"), assertion("facebook", "3")
    kept, gone = desk.account(one), desk.account(two, three)
    elsewhere = desk.enter(three)
    theirs = desk.events(gone.user_id)
    desk.merge(kept.user_id, two)
    assert set(desk.owners().values()) == {kept.user_id}
    assert {desk.whose(seat) for seat in (kept, gone, elsewhere)} == {kept.user_id}
    assert set(theirs) < set(desk.events(kept.user_id))
    assert desk.events(kept.user_id)[0] == ("merged", "", f"account {gone.user_id}")
    assert desk.site.user_count() == 1
    assert {desk.enter(each).user_id for each in (one, two, three)} == {kept.user_id}


def test_a_merged_identity_can_be_unlinked_and_its_sessions_end(desk):
    one, two = assertion("google", "1"), assertion("github", "2")
    kept, gone = desk.account(one), desk.account(two)
    desk.merge(kept.user_id, two)
    desk.unlink(kept, two)
    assert desk.whose(gone) is None


def test_a_merge_that_is_asked_twice_happens_once(desk):
    kept, _gone = desk.account(assertion("google", "1")), desk.account(assertion("github", "2"))
    desk.merge(kept.user_id, assertion("github", "2"))
    before = desk.everything()
    with pytest.raises(StateMismatch):
        desk.merge(kept.user_id, assertion("github", "2"))
    assert desk.everything() == before


def test_an_unknown_identity_merges_nothing(desk):
    kept = desk.account(assertion("google", "1"))
    with pytest.raises(StateMismatch):
        desk.merge(kept.user_id, assertion("github", "unlinked meanwhile"))
    with pytest.raises(StateMismatch):
        desk.merge("0" * 32, assertion("google", "1"))
    assert desk.owner(assertion("google", "1")) == kept.user_id


@pytest.mark.parametrize("which", ["kept", "gone"])
def test_a_switched_off_account_is_not_merged(desk, which):
    """Neither away, which would switch it on, nor into, which would lock the other one out."""
    seats = {
        "kept": desk.account(assertion("google", "1")),
        "gone": desk.account(assertion("github", "2")),
    }
    desk.switch(seats[which].user_id, off=True)
    before = desk.everything()
    with pytest.raises(StateMismatch):
        desk.merge(seats["kept"].user_id, assertion("github", "2"))
    assert desk.everything() == before


# Switched off.


def test_a_switched_off_person_is_out_from_that_moment(desk):
    """Pocket-ID CVE-2026-43983, allauth 65.13."""
    one, two = assertion("google", "1"), assertion("github", "2")
    here = desk.account(one, two)
    seats = [here, desk.enter(one), desk.enter(two)]
    desk.switch(here.user_id, off=True)
    assert [desk.whose(seat) for seat in seats] == [None] * 3
    assert [desk.try_to_enter(way)[1] for way in (one, two)] == [None] * 2
    eve = desk.enter(assertion("google", "eve"))
    assert isinstance(desk.link(eve.user_id, one), Refused)
    desk.switch(here.user_id, off=False)
    assert desk.enter(one).user_id == here.user_id


# Races, with real threads. Each ends in values and Problems: anything else fails the test.


def test_first_sign_ins_at_once_make_one_account(desk):
    for number in range(ROUNDS):
        who = assertion(subject=str(number))
        seats = desk.at_once(*[partial(desk.enter, who)] * 10)
        assert {desk.whose(seat) for seat in seats} == {desk.owner(who)}
    assert desk.site.user_count() == ROUNDS
    desk.check_nobody_is_half_made()
    desk.check_nobody_was_in_deadlock()


def test_a_conflict_is_read_again_by_identity_and_never_by_address(desk):
    """social-app-django CVE-2025-61783: it opened the account that had the same address."""
    victim = desk.enter(assertion("google", "victim", "ada@gmail.com", "trusted"))
    newcomer = assertion("github", "new", "ada@gmail.com", "trusted")
    first, second = desk.overtake(
        lambda: _enter(newcomer, SEPARATE, None),
        lambda: desk.enter(newcomer, SEPARATE),
    )
    assert first[1].user_id == second.user_id != victim.user_id
    assert desk.site.user_count() == 2


@pytest.mark.parametrize("look", [Desk.sign_in, Desk.preview])
def test_nobody_is_asked_to_prove_the_account_that_they_just_got(desk, look):
    """Of two first sign-ins the second looks for the identity before the first one's account is
    there, and for accounts with the address after."""
    ada = assertion("google", "ada", "ada@gmail.com", "trusted")

    def quicker() -> None:
        if desk.is_postgres:  # lets the other see identities, but not yet accounts
            db.session.execute(text("LOCK TABLE users"))
        accounts.sign_in(ada, ASK, CALLER)

    _, decision = desk.overtake(quicker, lambda: look(desk, ada))
    # On SQLite a mere look does not wait.
    assert decision in (Known(desk.owner(ada)), Create())


def test_an_account_that_was_not_finished_blocks_nobody(desk):
    """The first of two is rolled back: the second makes the account."""

    def fails() -> None:
        accounts.sign_in(assertion(), ASK, CALLER)
        raise NotFound("something goes wrong after the account was made")

    ready, seat = desk.overtake(fails, lambda: desk.enter(assertion()))
    assert isinstance(ready, NotFound)
    assert desk.whose(seat) == desk.owner(assertion())
    assert desk.site.user_count() == 1


@pytest.mark.parametrize("policy", [ASK, SEPARATE])
def test_a_sign_in_during_a_merge_ends_in_the_merged_account(desk, policy):
    one = assertion("google", "1", "ada@gmail.com", "trusted")
    two = assertion("github", "2", "ada@gmail.com", "trusted")
    kept, _gone = desk.account(one), desk.account(two)
    _, decision = desk.overtake(
        lambda: accounts.merge(kept.user_id, two, CALLER), lambda: desk.sign_in(two, policy)
    )
    assert decision == Known(kept.user_id)


def test_a_sign_in_that_waited_for_a_merge_holds_the_merged_account(make_site):
    """Not the one that is gone: else the account could lose its last way in meanwhile."""
    desk = Desk(make_site("postgresql"))
    one, two = assertion("google", "1"), assertion("github", "2")
    kept, _gone = desk.account(one), desk.account(two)

    @atomic
    def hold() -> None:
        assert identities.lock_identity(two)
        desk.site.rows("SELECT id FROM users WHERE id = :id FOR UPDATE NOWAIT", id=kept.user_id)

    with pytest.raises(OperationalError, match="could not obtain lock"):
        desk.overtake(
            lambda: accounts.merge(kept.user_id, two, CALLER), lambda: desk.site.inside(hold)
        )


def test_a_sign_in_and_a_renewal_lose_none_of_the_tokens(make_site):
    """A sign-in waits for a renewal that is being stored: it keeps the newer refresh token."""
    desk = Desk(make_site("postgresql"))
    who = replace(assertion("google", "1"), token={"access_token": "a1", "refresh_token": "r1"})
    again = replace(who, token={"access_token": "a3"})
    desk.account(who)
    row = desk.identity(who)

    def renew() -> None:
        identity = tokens._locked(row)
        assert identity
        tokens.store(identity, {"access_token": "a2", "refresh_token": "r2"})
        db.session.flush()

    desk.overtake(renew, lambda: desk.sign_in(again))
    found = desk.site.inside(lambda: tokens.read(db.session.get_one(OAuth, row)))
    assert found == {"access_token": "a3", "refresh_token": "r2"}


def test_a_merged_person_is_known_where_sign_ups_are_closed(desk):
    one, two = assertion("google", "1"), assertion("github", "2")
    kept, _gone = desk.account(one), desk.account(two)
    closed = Policy(signups_open=False)
    _, decision = desk.overtake(
        lambda: accounts.merge(kept.user_id, two, CALLER), lambda: desk.sign_in(two, closed)
    )
    assert decision == Known(kept.user_id)


def test_a_sign_in_during_its_unlinking_is_a_strangers(desk):
    one, two = assertion("google", "1"), assertion("github", "2")
    here = desk.account(one, two)
    removed = desk.identity(two)
    _, seat = desk.overtake(
        lambda: accounts.unlink(here.user_id, removed, ASK, here.session_id, CALLER),
        lambda: desk.enter(two),
    )
    assert desk.whose(seat) == desk.owner(two) != here.user_id
    desk.check_nobody_is_half_made()


def test_an_unlinking_during_a_sign_in_ends_the_new_session_too(desk):
    one, two = assertion("google", "1"), assertion("github", "2")
    here = desk.account(one, two)
    (_, seat), _ = desk.overtake(lambda: _enter(two, ASK, None), lambda: desk.unlink(here, two))
    assert desk.owner(two) is None
    assert desk.whose(seat) is None


def test_what_became_somebody_elses_meanwhile_is_not_connected(desk):
    """Nor is the person told that it was."""
    ada = assertion("google", "ada", "ada@gmail.com", "trusted")
    seat = desk.enter(ada)

    def take() -> None:
        accounts.sign_in(ada, ASK, CALLER)  # holds her account, so that connecting waits for it
        accounts.sign_in(NEWCOMER, SEPARATE, CALLER)

    _, outcome = desk.overtake(take, lambda: desk.connect(seat.user_id, NEWCOMER))
    assert isinstance(outcome, StateMismatch)
    assert desk.owner(NEWCOMER) != seat.user_id


def test_a_browser_that_changes_over_leaves_nothing_behind(desk):
    """Also when the database makes it try twice, because another browser of the same person was
    a moment faster: the session that is replaced is the one that the browser came with."""
    browser = desk.site.browser()
    browser.sign_in("google", "grace")
    old = browser.cookie("session")
    question = browser.sign_in("github", "linus")
    issuer = desk.site.app.extensions["quickstep"].providers["github"].identity_issuer
    linus = assertion("github", PEOPLE["linus"].subject("github", 8), issuer=issuer)
    desk.overtake(
        lambda: accounts.sign_in(linus, ASK, CALLER), lambda: browser.answer(question, "switch")
    )
    assert browser.user_id == desk.owner(linus)
    thief = desk.site.browser()
    thief.http.cookies.set("session", old)
    assert thief.me() is None
    assert desk.site.rows("SELECT count(*) FROM sessions")[0][0] == 1


def test_two_unlinkings_at_once_leave_one_way_in(desk):
    """Supabase and better-auth count outside of the delete."""
    for number in range(ROUNDS):
        one, two = assertion("google", str(number)), assertion("github", str(number))
        here = desk.account(one, two)
        outcomes = desk.at_once(*[partial(desk.unlink, here, each) for each in (one, two)])
        assert [type(each) for each in outcomes].count(LastWayIn) == 1
        assert list(desk.owners().values()).count(here.user_id) == 1


def test_a_second_unlinking_sees_the_first(desk):
    one, two = assertion("google", "1"), assertion("github", "2")
    here = desk.account(one, two)
    first = desk.identity(one)
    _, second = desk.overtake(
        lambda: accounts.unlink(here.user_id, first, ASK, here.session_id, CALLER),
        lambda: desk.unlink(here, two),
    )
    assert isinstance(second, LastWayIn)
    assert desk.owner(two) == here.user_id


def test_of_two_accounts_that_merge_each_other_one_stays(desk):
    for number in range(ROUNDS):
        one, two = assertion("google", str(number)), assertion("github", str(number))
        ada, too = desk.account(one), desk.account(two)
        outcomes = desk.at_once(
            partial(desk.merge, ada.user_id, two), partial(desk.merge, too.user_id, one)
        )
        assert [type(each) for each in outcomes].count(StateMismatch) == 1
        assert desk.owner(one) == desk.owner(two) == desk.whose(ada) == desk.whose(too)
    desk.check_nobody_is_half_made()


@dataclass
class Scene:
    """Two accounts of one person, with two identities each, and all that can happen to them."""

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
        """To be called in an application context. All turn about the third identity."""
        kept, gone, ways, ids = self.kept, self.gone, self.ways, self.ids
        fresh = replace(ways[2], profile=replace(ways[2].profile, subject=f"new {self.name}"))
        return {
            "sign in": lambda: _enter(ways[2], ASK, None),
            "sign in otherwise": lambda: _enter(ways[3], AUTO, gone.session_id),
            "sign in new": lambda: _enter(fresh, SEPARATE, None),
            "link": lambda: accounts.link(kept.user_id, ways[2], CALLER),
            "link new": lambda: accounts.link(gone.user_id, fresh, CALLER),
            "connect new": lambda: accounts.connect(gone.user_id, fresh, ASK, CALLER),
            "confirm": lambda: accounts.confirm(gone.user_id, ids[2], ways[2], CALLER),
            "merge": lambda: accounts.merge(kept.user_id, ways[2], CALLER),
            "merge back": lambda: accounts.merge(gone.user_id, ways[0], CALLER),
            "unlink": lambda: accounts.unlink(gone.user_id, ids[2], ASK, gone.session_id, CALLER),
            "unlink other": lambda: accounts.unlink(
                gone.user_id, ids[3], ASK, gone.session_id, CALLER
            ),
        }

    def check(self, done: list[tuple[str, Any]]) -> None:
        """No identity is lost but what was unlinked, and each still opens where it belongs."""
        did = [verb for verb, outcome in done if not isinstance(outcome, Problem)]
        owners = [self.desk.owner(way) for way in self.ways]
        assert owners[0], done
        assert owners[1], done
        assert owners[2] or "unlink" in did, done
        assert owners[3] or "unlink other" in did, done
        for way, owner in zip(self.ways, owners, strict=True):
            assert owner is None or self.desk.sign_in(way) == Known(owner)
        self.desk.check_nobody_is_half_made()


def test_any_two_verbs_get_along(desk):
    """One begins when the other has written and not committed: no error, no identity lost."""
    names = list(Scene(desk, "names").verbs())
    for first in names:
        for second in names:
            scene = Scene(desk, f"{first} {second}")
            verbs = scene.verbs()
            outcomes = desk.overtake(verbs[first], partial(desk.site.inside, verbs[second]))
            scene.check(list(zip((first, second), outcomes, strict=True)))


def test_all_verbs_at_once_get_along(desk):
    for number in range(ROUNDS // 2):
        scene = Scene(desk, str(number))
        verbs = scene.verbs()
        outcomes = desk.at_once(*[partial(desk.site.inside, verb) for verb in verbs.values()])
        scene.check(list(zip(verbs, outcomes, strict=True)))


# Everything, in any order.


@dataclass(frozen=True)
class Way:
    """An identity in somebody's hands."""

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
# Grace and Linus share a mailbox: with automatic joining they may come to share an account.
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
    """What a provider may say of somebody's address: proved is only what they read the mail of,
    claimed can be anything."""
    claimed = st.tuples(st.sampled_from([None, *ALL_ADDRESSES]), st.just("no"))
    own = st.sampled_from(MAILBOXES[person])
    return st.tuples(own, st.sampled_from(["verified", "trusted"])) | claimed


def somebody_is_in(town: "Town") -> bool:
    return any(map(town.user_of, BROWSERS))


class Town(RuleBasedStateMachine):
    """People who act in their own browsers with their own identities, well or badly meant.

    ``owner`` is what the accounts should be, ``people`` who has proved themselves in each,
    ``seats`` the account of each browser and the identity that it came with.
    """

    def __init__(self, desk: Desk, policy: Policy) -> None:
        super().__init__()
        self.desk, self.policy = desk, policy
        desk.site.execute("DELETE FROM users")
        self.owner: dict[Way, str] = {}
        self.people: dict[str, set[str]] = {}
        self.off: set[str] = set()
        self.seats: dict[Browser, tuple[Seat, str, Way | None]] = {}
        self.looks = 0

    # What the model knows.

    def user_of(self, browser: Browser) -> str | None:
        """The account a browser is in, unless that is switched off."""
        user_id = self.seats[browser][1] if browser in self.seats else None
        return None if user_id in self.off else user_id

    def is_known(self, way: Way, decision: Any) -> bool:
        """Whether this is what the owner of a known identity should get."""
        if self.owner[way] in self.off:
            return isinstance(decision, Refused)
        return bool(decision == Known(self.owner[way]))

    def take(self, way: Way, user_id: str) -> None:
        assert way not in self.owner
        self.owner[way] = user_id
        self.people.setdefault(user_id, set()).add(way.person)

    def problem_of(self, verb: Callable[..., Any], *facts: Any) -> Problem | None:
        """What a verb ends in, if not well; then nothing may have been written."""
        before = self.desk.everything()
        outcome = outcome_of(partial(verb, *facts))
        if not isinstance(outcome, Problem):
            return None
        assert self.desk.everything() == before
        return outcome

    def draw_way(self, data: Any, browser: Browser) -> tuple[Way, Any]:
        """An identity of the person in front of a browser, and what its provider says."""
        way = data.draw(st.sampled_from([way for way in WAYS if way.person == browser[0]]))
        return way, data.draw(claims(way.person))

    def draw_seat(self, data: Any) -> tuple[Browser, str]:
        """A browser that is signed in, and to what."""
        browser = data.draw(st.sampled_from([each for each in BROWSERS if self.user_of(each)]))
        return browser, self.seats[browser][1]

    # What people do.

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
        """Whoever is known gets in, whatever the rules; and nobody else into an old account."""
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
            assert not decision.may_connect or claim[1] != "no"
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
        """Also what was never offered."""
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
        for browser, (seat, user_id, came_with) in self.seats.items():
            if user_id == other:
                self.seats[browser] = (seat, here, came_with)

    @precondition(somebody_is_in)
    @rule(data=st.data(), few=st.booleans())
    def unlink(self, data: Any, few: bool) -> None:
        """On a site with all providers or without one; now and then a stranger's identity."""
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
        """The operator switches an account off, or on again."""
        way = data.draw(st.sampled_from([way for way in WAYS if way in self.owner]))
        user_id = self.owner[way]
        self.off ^= {user_id}
        self.desk.switch(user_id, off=user_id in self.off)

    # What holds at any moment.

    @invariant()
    def identities_are_where_they_belong(self) -> None:
        """None has two users, none was lost or moved; no account is half-made."""
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
        # One after the other: who is locked out stays so, and is found a few steps later.
        self.looks += 1
        way = list(self.owner)[self.looks % len(self.owner)]
        assert self.is_known(way, self.desk.preview(way.assertion(), self.policy))


@pytest.mark.parametrize("policy", [ASK, AUTO, SEPARATE], ids=lambda policy: policy.account_linking)
def test_whatever_people_do_the_rules_hold(make_site, policy):
    """docs/linking.md: no identity has two users, nobody reaches an account without having proved
    one of its identities or passed the confirm step, nobody is locked out."""
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
