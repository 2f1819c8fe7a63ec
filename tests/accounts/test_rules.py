"""The linking rules, as one table that a person can read, and what must hold for every input."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.rules import (
    AlreadyLinked,
    Create,
    Join,
    Known,
    Link,
    Match,
    NeedsMerge,
    NeedsOwnership,
    NeedsSwitch,
    Owner,
    Policy,
    Refused,
    SignInDecision,
    decide_link,
    decide_sign_in,
)
from errors import AccountDisabled, EmailUnverified, NoEmail, NotAllowed, SignupsClosed
from providers.base import Profile

# Who signs in: what their provider says of the address, weakest first.
ADDRESSES = {
    "none": Profile(subject="1"),
    "unverified": Profile(subject="1", email="ada@example.org"),
    "verified": Profile(subject="1", email="ada@example.org", email_verified=True),
    "trusted": Profile(
        subject="1", email="ada@example.org", email_verified=True, email_trusted=True
    ),
}
# Who has that address here already: accounts that this identity does not open.
UNPROVED = Match("u1", verified=False, trusted=False)
VERIFIED = Match("u1", verified=True, trusted=False)
TRUSTED = Match("u1", verified=True, trusted=True)
DISABLED = Match("u1", verified=True, trusted=True, disabled=True)
LOST = Match("u1", verified=True, trusted=True, reachable=False)
OTHER_TRUSTED = Match("u2", verified=True, trusted=True)
OTHER_UNPROVED = Match("u2", verified=False, trusted=False)
OTHER_LOST = Match("u2", verified=True, trusted=True, reachable=False)
ACCOUNTS: dict[str, tuple[Match, ...]] = {
    "nobody": (),
    "unproved": (UNPROVED,),
    "verified": (VERIFIED,),
    "trusted": (TRUSTED,),
    "disabled": (DISABLED,),
    "lost": (LOST,),
    "two_trusted": (TRUSTED, OTHER_TRUSTED),
    "two_mixed": (TRUSTED, OTHER_UNPROVED),
    "two_unproved": (UNPROVED, OTHER_UNPROVED),
    "unproved_lost": (UNPROVED, OTHER_LOST),
}
MODES: tuple[Literal["ask", "auto", "separate"], ...] = ("ask", "auto", "separate")

# What a stranger's sign-in comes to: the first line that fits counts, * fits everything.
# "asked apart": the person was asked, and chose an account of their own.
#   create         a new account
#   apart          a new account, though others have the address
#   perhaps        only told that an account may exist; all they can have is a new one
#   prove          told of the account, may connect it after proving it, and nothing else
#   prove|create   the same, or a new account: what has the address never proved it, or is
#                  lost, which means that nothing this site offers opens it any more
TABLE = """
mode      address     accounts       sign-ups  asked apart  →
*         *           nobody         open      *            create
*         *           nobody         closed    *            closed
separate  *           *              open      *            create
separate  *           *              closed    *            closed
*         unverified  *              open      no           perhaps
*         unverified  *              open      yes          apart
*         unverified  *              closed    *            closed
auto      trusted     trusted        *         *            join
auto      trusted     lost           *         *            join
*         *           unproved       open      no           prove|create
*         *           unproved       open      yes          apart
*         *           lost           open      no           prove|create
*         *           lost           open      yes          apart
*         *           two_unproved   open      no           prove|create
*         *           two_unproved   open      yes          apart
*         *           unproved_lost  open      no           prove|create
*         *           unproved_lost  open      yes          apart
*         *           *              *         *            prove
"""
RULES = [line.split() for line in TABLE.strip().splitlines()[1:]]


def rule_for(facts: tuple[str, ...]) -> list[str]:
    """The line of the table that counts."""
    return next(
        rule
        for rule in RULES
        if all(want in ("*", fact) for want, fact in zip(rule, facts, strict=False))
    )


# NeedsProof, by (may_connect, may_create).
PROOFS = {(True, True): "prove|create", (True, False): "prove", (False, True): "perhaps"}


def named(decision: SignInDecision) -> str:
    """A decision in the words of the table."""
    match decision:
        case Create():
            return {"identity_unknown": "create", "kept_separate": "apart"}[decision.reason]
        case NeedsOwnership():
            return PROOFS[decision.may_connect, decision.may_create]
        case Refused(error=SignupsClosed()):
            return "closed"
    return type(decision).__name__.lower()


CASES = [
    facts
    for facts in product(MODES, ADDRESSES, ACCOUNTS, ("open", "closed"), ("no", "yes"))
    # Without an address there is nothing that could be equal.
    if facts[1] != "none" or facts[2] == "nobody"
]


def decide(facts: tuple[Any, ...], signed_in_as: str | None = None) -> SignInDecision:
    mode, address, accounts, signups, apart = facts
    return decide_sign_in(
        ADDRESSES[address],
        None,
        ACCOUNTS[accounts],
        Policy(mode, signups == "open"),
        signed_in_as=signed_in_as,
        separate=apart == "yes",
    )


@pytest.mark.parametrize("facts", CASES, ids="-".join)
def test_a_stranger_gets_what_the_table_says(facts):
    assert named(decide(facts)) == rule_for(facts)[-1]


@pytest.mark.parametrize("facts", CASES, ids="-".join)
def test_a_browser_that_is_signed_in_is_asked_before_it_changes_over(facts):
    """Linking or opening an account is never a side effect of signing in."""
    plain = decide(facts)
    as_another = decide(facts, signed_in_as="somebody else")
    as_match = decide(facts, signed_in_as="u1")
    if isinstance(plain, Create | Join):
        assert as_another == NeedsSwitch(plain)
        assert as_match == (plain if isinstance(plain, Join) else NeedsSwitch(plain))
    else:
        assert named(as_another) == named(as_match) == named(plain)


def test_no_line_of_the_table_is_idle():
    used = [rule_for(facts) for facts in CASES]
    assert [rule for rule in RULES if rule not in used] == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("signups_open", [True, False])
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_known_identity_opens_its_account_whatever_the_settings(mode, signups_open, address):
    """Nor do other accounts with its address matter any more."""
    policy = Policy(mode, signups_open)
    profile, owner = ADDRESSES[address], Owner("me")
    for matches in ACCOUNTS.values():
        assert decide_sign_in(profile, owner, matches, policy) == Known("me")
        assert decide_sign_in(profile, owner, matches, policy, separate=True) == Known("me")
    assert decide_sign_in(profile, owner, (), policy, signed_in_as="me") == Known("me")
    switch = NeedsSwitch(Known("me"))
    assert decide_sign_in(profile, owner, (), policy, signed_in_as="another") == switch


def test_a_switched_off_account_opens_for_nobody():
    """Pocket-ID CVE-2026-43983."""
    owner = Owner("me", disabled=True)
    for mode, address, user_id in product(MODES, ADDRESSES, (None, "me", "another")):
        profile, policy = ADDRESSES[address], Policy(mode)
        decision = decide_sign_in(profile, owner, (), policy, signed_in_as=user_id)
        assert isinstance(decision, Refused)
        assert isinstance(decision.error, AccountDisabled)


# Who may come in at all.

LISTED = ("example.org", "navy.example")


@pytest.mark.parametrize(
    ("email", "verified", "answer"),
    [
        ("ada@example.org", True, Create),
        ("ada@navy.example", True, Create),
        ("Ada@EXAMPLE.Org", True, Create),
        ("ada@example.org", False, EmailUnverified),
        (None, False, NoEmail),
        ("ada@elsewhere.example", True, NotAllowed),
        ("ada@elsewhere.example", False, NotAllowed),
        ("ada@sub.example.org", True, NotAllowed),
        ("ada@badexample.org", True, NotAllowed),
        ("ada@example.org.evil.example", True, NotAllowed),
        ("example.org@evil.example", True, NotAllowed),
        ("ada@example.org.", True, NotAllowed),
        ("ada@", True, NotAllowed),
    ],
)
def test_only_a_verified_address_of_a_listed_domain_comes_in(email, verified, answer):
    profile = Profile(subject="1", email=email, email_verified=verified)
    decision = decide_sign_in(profile, None, (), Policy(allowed_email_domains=LISTED))
    outcome = decision.error if isinstance(decision, Refused) else decision
    assert type(outcome) is answer


@pytest.mark.parametrize(
    ("looks_like", "listed"),
    [
        ("\u212aiev.example", "kiev.example"),
        ("l\u0131nux.example", "linux.example"),
        ("\uff4eavy.example", "navy.example"),
        ("\u043davy.example", "navy.example"),
        ("navy.example\u3002", "navy.example"),
    ],
)
def test_a_domain_that_only_looks_listed_stays_out(looks_like, listed):
    """Homographs: Kelvin sign, dotless i, full-width and Cyrillic letters."""
    profile = Profile(subject="1", email=f"ada@{looks_like}", email_verified=True)
    policy = Policy(allowed_email_domains=(listed, looks_like))
    assert isinstance(decide_sign_in(profile, None, (), policy), Refused)


def test_the_list_holds_for_old_accounts_too():
    """Who was let in before the list was made, and has no address on it, is out."""
    policy = Policy(allowed_email_domains=LISTED)
    no_address = Profile(subject="1")
    assert decide_sign_in(no_address, Owner("me"), (), policy) == Known("me")
    out = decide_sign_in(no_address, Owner("me", allowed=False), (), policy)
    assert isinstance(out, Refused)
    assert isinstance(out.error, NoEmail)
    has_one_now = ADDRESSES["verified"]
    assert decide_sign_in(has_one_now, Owner("me", allowed=False), (), policy) == Known("me")


def test_an_address_off_the_list_learns_nothing_of_the_accounts_that_have_it():
    policy = Policy("auto", allowed_email_domains=("navy.example",))
    answers = {
        decide_sign_in(ADDRESSES["trusted"], None, matches, policy).reason
        for matches in ACCOUNTS.values()
    }
    assert answers == {"not_allowed"}


# Linking.


@pytest.mark.parametrize(
    ("owner", "decision"),
    [
        (None, Link()),
        (Owner("me"), AlreadyLinked()),
        (Owner("me", allowed=False), AlreadyLinked()),
        (Owner("another"), NeedsMerge("another")),
        (Owner("another", allowed=False), NeedsMerge("another")),
    ],
)
def test_linking_adds_or_says_whose_it_is(owner, decision):
    """An identity that belongs to another account is never moved silently (Supabase #1762)."""
    assert decide_link("me", owner) == decision


def test_a_switched_off_account_cannot_be_merged_away():
    refused = decide_link("me", Owner("another", disabled=True))
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, AccountDisabled)


# For every input.


@dataclass(frozen=True)
class Case:
    """Anything that decide_sign_in can be asked."""

    profile: Profile
    owner: Owner | None
    matches: Sequence[Match]
    policy: Policy
    signed_in_as: str | None
    separate: bool

    @property
    def decision(self) -> SignInDecision:
        return decide_sign_in(
            self.profile,
            self.owner,
            self.matches,
            self.policy,
            signed_in_as=self.signed_in_as,
            separate=self.separate,
        )

    @property
    def outcome(self) -> SignInDecision:
        """What it comes to once the person has agreed to change over."""
        decision = self.decision
        return decision.then if isinstance(decision, NeedsSwitch) else decision

    @property
    def is_listed(self) -> bool:
        domains = self.policy.allowed_email_domains
        domain = (self.profile.email or "").rpartition("@")[2]
        return not domains or (self.profile.email_verified and domain in domains)


USER_IDS = st.sampled_from(["me", "ann", "bob", "eve"])
EMAILS = st.sampled_from(["ada@example.org", "ada@navy.example", "ada@evil.example"])


@st.composite
def profiles(draw) -> Profile:
    """Any profile that make_profile can make, as far as the rules look at it."""
    email = draw(st.none() | EMAILS)
    verified = email is not None and draw(st.booleans())
    trusted = verified and draw(st.booleans())
    return Profile(subject="1", email=email, email_verified=verified, email_trusted=trusted)


OWNERS = st.builds(Owner, USER_IDS, disabled=st.booleans(), allowed=st.booleans())
MATCHES = st.lists(
    st.builds(Match, USER_IDS, *[st.booleans()] * 4),
    max_size=3,
    unique_by=lambda match: match.user_id,
)
POLICIES = st.builds(
    Policy, st.sampled_from(MODES), st.booleans(), st.sampled_from([(), ("example.org",), LISTED])
)
CASES_OF_ALL_KINDS = st.builds(
    Case, profiles(), st.none() | OWNERS, MATCHES, POLICIES, st.none() | USER_IDS, st.booleans()
)
STRANGERS = st.builds(
    Case, profiles(), st.none(), MATCHES, POLICIES, st.none() | USER_IDS, st.booleans()
)


@given(CASES_OF_ALL_KINDS)
def test_an_account_is_joined_only_when_everything_speaks_for_it(case):
    """Account pre-hijacking; better-auth #9578."""
    may_join = (
        case.policy.account_linking == "auto"
        and case.owner is None
        and (case.profile.email_verified and case.profile.email_trusted)
        and [(m.verified, m.trusted, m.disabled) for m in case.matches] == [(True, True, False)]
        and case.is_listed
    )
    assert isinstance(case.outcome, Join) == may_join
    if isinstance(case.outcome, Join):
        assert case.outcome.user_id == case.matches[0].user_id


@given(CASES_OF_ALL_KINDS)
def test_an_account_opens_only_for_its_own_identity(case):
    if case.owner is None:
        assert not isinstance(case.outcome, Known)
    elif case.owner.disabled or not (case.owner.allowed or case.is_listed):
        assert isinstance(case.outcome, Refused)
    else:
        assert case.outcome == Known(case.owner.user_id)


@given(STRANGERS)
def test_closed_sign_ups_make_no_account(case):
    if not case.policy.signups_open:
        assert not isinstance(case.outcome, Create)
        assert not (isinstance(case.outcome, NeedsOwnership) and case.outcome.may_create)


@given(STRANGERS)
def test_whoever_is_on_no_list_gets_nothing(case):
    """Allowed domains fail closed: no account, no join, no word about anybody's account."""
    if not case.is_listed:
        assert isinstance(case.decision, Refused)
        assert case.decision.reason in ("no_email", "email_unverified", "not_allowed")


@given(STRANGERS)
def test_an_unverified_address_leads_to_nobodys_account(case):
    """nOAuth, Casdoor CVE-2026-9092, Nhost CVE-2026-41574, Logto CVE-2026-15611."""
    if not case.profile.email_verified:
        assert not isinstance(case.outcome, Known | Join)
        assert not (isinstance(case.outcome, NeedsOwnership) and case.outcome.may_connect)


@given(STRANGERS)
def test_who_proved_no_address_learns_nothing_where_sign_ups_are_closed(case):
    """Whether an address has an account is not told to whoever merely claims it."""
    if not case.profile.email_verified and not case.policy.signups_open:
        assert case.decision.reason == replace(case, matches=()).decision.reason


@given(CASES_OF_ALL_KINDS)
def test_nobody_is_moved_to_another_account_unasked(case):
    if case.signed_in_as is None:
        assert not isinstance(case.decision, NeedsSwitch)
        return
    assert not isinstance(case.decision, Create)
    if isinstance(case.decision, Known | Join):
        assert case.decision.user_id == case.signed_in_as


@given(STRANGERS)
def test_who_is_asked_for_a_proof_is_left_a_way(case):
    """The accounts that have the address can be proved, or another one be had; or both."""
    decision = case.decision
    if isinstance(decision, NeedsOwnership):
        assert decision.may_connect or decision.may_create
        assert set(decision.user_ids) == {match.user_id for match in case.matches} != set()


@given(CASES_OF_ALL_KINDS)
def test_other_accounts_never_bar_the_way_to_ones_own(case):
    """Whoever makes accounts with my address, planted or real, cannot keep me out of mine."""
    if case.owner:
        alone = replace(case, matches=(), separate=False)
        assert named(case.outcome) == named(alone.outcome)
        assert case.decision.reason == alone.decision.reason


@given(matches=MATCHES, mode=st.sampled_from(["ask", "auto"]))
def test_a_planted_account_does_not_keep_the_owner_of_the_address_out(matches, mode):
    """Who proves the address can have an account, unless another one proved it before them and
    can still be signed in to."""
    decision = decide_sign_in(ADDRESSES["verified"], None, matches, Policy(mode), separate=True)
    proved_before = any(match.verified and match.reachable for match in matches)
    assert isinstance(decision, NeedsOwnership if proved_before else Create)


@given(user_id=USER_IDS, owner=st.none() | OWNERS)
def test_linking_never_takes_an_identity_from_its_account(user_id, owner):
    decision = decide_link(user_id, owner)
    assert isinstance(decision, Link) == (owner is None)
    assert isinstance(decision, AlreadyLinked) == (owner is not None and owner.user_id == user_id)
    if isinstance(decision, NeedsMerge):
        assert owner is not None
        assert not owner.disabled
        assert decision.user_id == owner.user_id
