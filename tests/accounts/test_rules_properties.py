"""Properties of the linking rules that hold for every input."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

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
    SignInDecision,
)
from accounts.rules import Match, Owner, Policy, decide_link, decide_sign_in
from providers.base import Profile
from tests.accounts.cases import ADDRESSES, LISTED, MODES, named


@dataclass(frozen=True)
class Case:
    """Any question that decide_sign_in can be asked."""

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
        """The decision after the person has agreed to switch accounts."""
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
    """Any profile that make_profile can return, as far as the rules read it."""
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
    Policy,
    st.sampled_from(MODES),
    st.sampled_from(["open", "invited", "approval", "closed"]),
    st.sampled_from([(), ("example.org",), LISTED]),
)
CASES_OF_ALL_KINDS = st.builds(
    Case, profiles(), st.none() | OWNERS, MATCHES, POLICIES, st.none() | USER_IDS, st.booleans()
)
STRANGERS = st.builds(
    Case, profiles(), st.none(), MATCHES, POLICIES, st.none() | USER_IDS, st.booleans()
)


@given(CASES_OF_ALL_KINDS)
def test_an_account_is_joined_only_when_all_conditions_hold(case):
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
    """Nor do those by invitation, without one."""
    if case.policy.signups in ("closed", "invited"):
        assert not isinstance(case.outcome, Create)
        assert not (isinstance(case.outcome, NeedsOwnership) and case.outcome.may_create)


@given(STRANGERS)
def test_an_identity_outside_the_allow_list_gets_no_account(case):
    """Allow-lists fail closed: no account, no join, and no hint about another account."""
    if not case.is_listed:
        assert isinstance(case.decision, Refused)
        assert case.decision.reason in ("no_email", "email_unverified", "not_allowed")


@given(STRANGERS)
def test_an_unverified_address_joins_no_account(case):
    """nOAuth, Casdoor CVE-2026-9092, Nhost CVE-2026-41574, Logto CVE-2026-15611."""
    if not case.profile.email_verified:
        assert not isinstance(case.outcome, Known | Join | NeedsOwnership)


@given(STRANGERS)
def test_an_unverified_address_does_not_reveal_whether_it_has_an_account(case):
    """Claiming an address is not enough to learn whether it has an account."""
    if not case.profile.email_verified:
        alone = replace(case, matches=())
        assert named(case.outcome) == named(alone.outcome)
        assert case.decision.reason == alone.decision.reason


@given(CASES_OF_ALL_KINDS)
def test_a_signed_in_browser_never_changes_account_without_a_question(case):
    if case.signed_in_as is None:
        assert not isinstance(case.decision, NeedsSwitch)
        return
    assert not isinstance(case.decision, Create)
    if isinstance(case.decision, Known | Join):
        assert case.decision.user_id == case.signed_in_as


@given(STRANGERS)
def test_a_user_who_must_verify_ownership_can_always_go_on(case):
    """Either ownership can be verified, or a separate account can be created."""
    decision = case.decision
    if isinstance(decision, NeedsOwnership):
        assert case.profile.email_verified
        assert set(decision.user_ids) == {match.user_id for match in case.matches} != set()


@given(CASES_OF_ALL_KINDS)
def test_other_accounts_with_the_address_never_lock_a_known_identity_out(case):
    """Nobody can lock me out by creating accounts with my address."""
    if case.owner:
        alone = replace(case, matches=(), separate=False)
        assert named(case.outcome) == named(alone.outcome)
        assert case.decision.reason == alone.decision.reason


@given(matches=MATCHES, mode=st.sampled_from(["ask", "auto"]))
def test_a_planted_account_never_locks_the_owner_of_the_address_out(matches, mode):
    """The owner of a verified address can have an account, unless another account verified it first
    and can still be signed in to."""
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
