"""The linking rules, as one table that a person can read."""

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from access.refusals import InvitationUsed
from accounts.decisions import (
    AlreadyLinked,
    Create,
    Join,
    Known,
    Link,
    NeedsMerge,
    NeedsSwitch,
    Refused,
    SignInDecision,
)
from accounts.newcomers import Invited
from accounts.rules import Match, Owner, Policy, decide_link, decide_sign_in
from errors import AccountDisabled, EmailUnverified, NoEmail, NotAllowed
from providers.base import Profile
from tests.accounts.cases import ADDRESSES, LISTED, MODES, named

# The accounts that have this address already, and that this identity does not open.
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

# The decision for an unknown identity: the first line that fits counts, * fits everything.
# "asked apart": the person was asked, and chose a separate account.
#   create         a new account
#   apart          a new account, though others have the address
#   prove          may connect the account after verifying ownership, and nothing else
#   prove|create   the same, or a new account: the owner of the address never verified it, or
#                  cannot sign in any more, because this site offers none of its providers
TABLE = """
mode      address     accounts       sign-ups  asked apart  →
*         *           nobody         open      *            create
*         *           nobody         closed    *            closed
separate  *           *              open      *            create
separate  *           *              closed    *            closed
*         unverified  *              open      *            create
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
    """The line of the table that applies."""
    return next(
        rule
        for rule in RULES
        if all(want in ("*", fact) for want, fact in zip(rule, facts, strict=False))
    )


CASES = [
    facts
    for facts in product(MODES, ADDRESSES, ACCOUNTS, ("open", "closed"), ("no", "yes"))
    # Without an address there is nothing to compare.
    if facts[1] != "none" or facts[2] == "nobody"
]


def decide(
    facts: tuple[Any, ...], signed_in_as: str | None = None, invited: Invited | None = None
) -> SignInDecision:
    mode, address, accounts, signups, apart = facts
    return decide_sign_in(
        ADDRESSES[address],
        None,
        ACCOUNTS[accounts],
        Policy(mode, signups),
        signed_in_as=signed_in_as,
        separate=apart == "yes",
        invited=invited,
    )


@pytest.mark.parametrize("facts", CASES, ids="-".join)
def test_an_unknown_identity_gets_the_decision_of_the_table(facts):
    assert named(decide(facts)) == rule_for(facts)[-1]


@pytest.mark.parametrize("facts", CASES, ids="-".join)
def test_a_signed_in_browser_is_asked_before_it_switches_accounts(facts):
    """Linking or opening an account is never a side effect of signing in."""
    plain = decide(facts)
    as_another = decide(facts, signed_in_as="somebody else")
    as_match = decide(facts, signed_in_as="u1")
    if isinstance(plain, Create | Join):
        assert as_another == NeedsSwitch(plain)
        assert as_match == (plain if isinstance(plain, Join) else NeedsSwitch(plain))
    else:
        assert named(as_another) == named(as_match) == named(plain)


INVITED = Invited("an invitation")


def with_signups(facts: tuple[str, ...], signups: str) -> tuple[str, ...]:
    return (*facts[:3], signups, facts[4])


@pytest.mark.parametrize("facts", CASES, ids="-".join)
def test_an_invitation_opens_what_open_sign_ups_do_and_nothing_more(facts):
    openly = decide(with_signups(facts, "open"))
    invited = decide(with_signups(facts, "invited"), invited=INVITED)
    assert named(invited) == named(openly)
    if isinstance(openly, Create):
        openly = replace(openly, invitation_id=INVITED.id)
    assert invited == openly


@pytest.mark.parametrize("facts", CASES, ids="-".join)
def test_without_an_invitation_sign_ups_by_invitation_are_closed(facts):
    closed = decide(with_signups(facts, "closed"))
    uninvited = decide(with_signups(facts, "invited"))
    bad = Invited("an invitation", InvitationUsed())
    with_a_used_one = decide(with_signups(facts, "invited"), invited=bad)
    if isinstance(closed, Refused):
        assert (uninvited.reason, with_a_used_one.reason) == (
            "invitation_needed",
            "invitation_used",
        )
    else:
        assert closed == uninvited == with_a_used_one


@pytest.mark.parametrize("facts", CASES, ids="-".join)
def test_a_new_account_and_only_that_waits_for_approval(facts):
    openly = decide(with_signups(facts, "open"))
    waiting = decide(with_signups(facts, "approval"))
    if isinstance(openly, Create):
        openly = replace(openly, is_pending=True)
    assert waiting == openly
    invited = decide(with_signups(facts, "approval"), invited=INVITED)
    assert not (isinstance(invited, Create) and invited.is_pending)


def test_closed_sign_ups_accept_no_invitation():
    decision = decide(("ask", "verified", "nobody", "closed", "no"), invited=INVITED)
    assert named(decision) == "closed"


def test_every_line_of_the_table_is_used():
    used = [rule_for(facts) for facts in CASES]
    assert [rule for rule in RULES if rule not in used] == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("signups", ["open", "invited", "approval", "closed"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_a_known_identity_opens_its_account_whatever_the_settings(mode, signups, address):
    """Other accounts with its address do not matter, either."""
    policy = Policy(mode, signups)
    profile, owner = ADDRESSES[address], Owner("me")
    for matches in ACCOUNTS.values():
        assert decide_sign_in(profile, owner, matches, policy) == Known("me")
        assert decide_sign_in(profile, owner, matches, policy, separate=True) == Known("me")
    assert decide_sign_in(profile, owner, (), policy, signed_in_as="me") == Known("me")
    switch = NeedsSwitch(Known("me"))
    assert decide_sign_in(profile, owner, (), policy, signed_in_as="another") == switch


def test_a_disabled_account_refuses_every_sign_in():
    """Pocket-ID CVE-2026-43983."""
    owner = Owner("me", disabled=True)
    for mode, address, user_id in product(MODES, ADDRESSES, (None, "me", "another")):
        profile, policy = ADDRESSES[address], Policy(mode)
        decision = decide_sign_in(profile, owner, (), policy, signed_in_as=user_id)
        assert isinstance(decision, Refused)
        assert isinstance(decision.error, AccountDisabled)


# Allow-lists.


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
def test_the_allow_list_admits_only_verified_addresses_of_listed_domains(email, verified, answer):
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
def test_a_domain_that_only_resembles_a_listed_one_is_refused(looks_like, listed):
    """Homographs: Kelvin sign, dotless i, full-width and Cyrillic letters."""
    profile = Profile(subject="1", email=f"ada@{looks_like}", email_verified=True)
    policy = Policy(allowed_email_domains=(listed, looks_like))
    assert isinstance(decide_sign_in(profile, None, (), policy), Refused)


def test_the_allow_list_applies_to_existing_accounts():
    """An account from before the list, without a listed address, is refused."""
    policy = Policy(allowed_email_domains=LISTED)
    no_address = Profile(subject="1")
    assert decide_sign_in(no_address, Owner("me"), (), policy) == Known("me")
    out = decide_sign_in(no_address, Owner("me", allowed=False), (), policy)
    assert isinstance(out, Refused)
    assert isinstance(out.error, NoEmail)
    has_one_now = ADDRESSES["verified"]
    assert decide_sign_in(has_one_now, Owner("me", allowed=False), (), policy) == Known("me")


def test_an_address_outside_the_allow_list_does_not_reveal_whether_it_has_an_account():
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
def test_linking_an_identity_depends_on_its_owner(owner, decision):
    """An identity that belongs to another account is never moved silently (Supabase #1762)."""
    assert decide_link("me", owner) == decision


def test_a_disabled_account_cannot_be_merged_into_another():
    refused = decide_link("me", Owner("another", disabled=True))
    assert isinstance(refused, Refused)
    assert isinstance(refused.error, AccountDisabled)
