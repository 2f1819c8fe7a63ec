"""The linking rules: they turn facts into one decision, which is a value with a reason.

Pure: no database, no request. The verbs read the facts (facts.py), ask here and carry it out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeVar

from access.rules import Rules
from accounts import newcomers
from accounts.decisions import (
    AlreadyLinked,
    Create,
    Join,
    Known,
    Link,
    LinkDecision,
    NeedsKeeping,
    NeedsMerge,
    NeedsOwnership,
    NeedsSwitch,
    Refused,
    SignInDecision,
)
from accounts.newcomers import Invited, Newcomer, Signups
from accounts.refusals import IdentitySuspended
from errors import (
    AccountDisabled,
    EmailUnverified,
    NoEmail,
    NotAllowed,
    SignInError,
)
from providers.base import Profile


@dataclass(frozen=True)
class Policy:
    """The operator's choices: ACCOUNT_LINKING, SIGNUPS, ALLOWED_EMAIL_DOMAINS, and in ``usable``
    the (provider, issuer) pairs that people can sign in with; None: any. ``apps_only``: the pairs
    that need an app, so that no browser can use them. ``access``: the rules of ACCESS_FILE, if
    there are any (accounts/entry.py judges by them)."""

    account_linking: Literal["ask", "auto", "separate"] = "ask"
    signups: Signups = "open"
    allowed_email_domains: tuple[str, ...] = ()
    usable: frozenset[tuple[str, str]] | None = None
    apps_only: frozenset[tuple[str, str]] = frozenset()
    access: Rules | None = None
    # Identities whose people administer the site (ADMINS): provider, issuer, subject.
    admins: frozenset[tuple[str, str, str]] = frozenset()
    # After how many days an account is deleted whose last identity is gone at its provider; None:
    # never.
    orphan_days: int | None = 7

    def can_use(self, provider: str, issuer: str) -> bool:
        return self.usable is None or (provider, issuer) in self.usable

    def admits(self, identity: "WayIn") -> bool:
        """Whether an identity opens its account here."""
        return identity.suspended_at is None and self.can_use(identity.provider, identity.issuer)

    def can_verify_ownership(self, provider: str, issuer: str) -> bool:
        """Whether a question on a page can be answered by signing in with it."""
        return self.can_use(provider, issuer) and (provider, issuer) not in self.apps_only

    def allows(self, email: str | None, *, verified: bool) -> bool:
        """Whether this address admits its holder. Fails closed."""
        if not self.allowed_email_domains:
            return True
        domain = email.rpartition("@")[2].lower() if email and email.isascii() else ""
        return verified and domain in self.allowed_email_domains


class WayIn(Protocol):
    """An identity that an account has, as far as the rules look at it."""

    @property
    def provider(self) -> str: ...
    @property
    def issuer(self) -> str: ...
    @property
    def email(self) -> str | None: ...
    @property
    def email_verified(self) -> bool: ...
    @property
    def suspended_at(self) -> datetime | None: ...


AWayIn = TypeVar("AWayIn", bound=WayIn)


@dataclass(frozen=True)
class Owner:
    """The account that an identity already opens."""

    user_id: str
    disabled: bool = False
    # Whether the provider, or the person, has put this identity out of use since the sign-in began.
    suspended: bool = False
    # Whether the account is deleted soon unless its person keeps it.
    leaving: bool = False
    # Whether an address of its other identities passes the operator's list. This identity's address
    # is in the new profile, which may differ.
    allowed: bool = True


@dataclass(frozen=True)
class Match:
    """Another account with the same address."""

    user_id: str
    # Whether its own address was verified by a provider that is trusted to join accounts.
    verified: bool
    trusted: bool
    disabled: bool = False
    # Whether its person can still sign in to it here, with a browser. An identity of the provider
    # that now reports another subject for the same address does not count: it was probably replaced
    # (a Workspace account that was deleted and made again).
    reachable: bool = True


def any_allowed(identities: Sequence[WayIn], policy: Policy) -> bool:
    """Whether one of an account's addresses passes the operator's list."""
    if not policy.allowed_email_domains:
        return True
    return any(
        policy.allows(row.email, verified=row.email_verified)
        for row in identities
        if row.suspended_at is None
    )


def ways_in(identities: Sequence[AWayIn], policy: Policy) -> list[AWayIn]:
    """Return the identities that admit the person, if these are all that the account has."""
    if not any_allowed(identities, policy):
        return []
    return [row for row in identities if policy.admits(row)]


def decide_sign_in(
    profile: Profile,
    owner: Owner | None,
    matches: Sequence[Match],
    policy: Policy,
    *,
    signed_in_as: str | None = None,
    separate: bool = False,
    barred: SignInError | None = None,
    invited: Invited | None = None,
) -> SignInDecision:
    """Decide the outcome of a sign-in with this profile.

    ``owner``: the account that the identity opens, if any. ``matches``: the accounts with the
    profile's address. ``signed_in_as``: the account that this browser is signed in to.
    ``separate``: the person was asked and wants a separate account. ``barred``: why the rules of
    access do not let the person in. ``invited``: the invitation whose link was opened before.
    """
    newcomer = newcomers.judge(policy.signups, invited)
    decision = _decide_account(
        profile, owner, matches, policy, barred, newcomer=newcomer, separate=separate
    )
    if signed_in_as is None or not isinstance(decision, Known | Create | Join):
        return decision
    if isinstance(decision, Known | Join) and decision.user_id == signed_in_as:
        return decision
    return NeedsSwitch(decision)


def _decide_account(
    profile: Profile,
    owner: Owner | None,
    matches: Sequence[Match],
    policy: Policy,
    barred: SignInError | None,
    *,
    newcomer: Newcomer,
    separate: bool,
) -> Known | Create | Join | NeedsOwnership | NeedsKeeping | Refused:
    if owner:
        return _decide_known(profile, owner, policy, barred)
    if not policy.allows(profile.email, verified=profile.email_verified):
        return Refused(_not_allowed(profile, policy))
    if barred:
        return Refused(barred)
    if policy.account_linking == "separate" or not profile.email_verified:
        # Anybody can claim an unverified address, so nothing may depend on whether it has an
        # account here.
        matches = ()
    if matches:
        decision = _decide_known_email(profile, matches, policy, newcomer)
        if not (separate and isinstance(decision, NeedsOwnership) and decision.may_create):
            return decision
    if newcomer.refusal:
        return Refused(newcomer.refusal)
    return Create(
        "kept_separate" if matches else "identity_unknown",
        newcomer.invitation_id,
        newcomer.is_pending,
    )


def _decide_known(
    profile: Profile, owner: Owner, policy: Policy, barred: SignInError | None
) -> Known | NeedsKeeping | Refused:
    if owner.disabled:
        return Refused(AccountDisabled())
    if owner.suspended:
        return Refused(IdentitySuspended())
    if not (owner.allowed or policy.allows(profile.email, verified=profile.email_verified)):
        return Refused(_not_allowed(profile, policy))
    if barred:
        return Refused(barred)
    return NeedsKeeping(owner.user_id) if owner.leaving else Known(owner.user_id)


def _decide_known_email(
    profile: Profile, matches: Sequence[Match], policy: Policy, newcomer: Newcomer
) -> Join | NeedsOwnership:
    if policy.account_linking == "auto" and profile.email_trusted and len(matches) == 1:
        (match,) = matches
        if match.verified and match.trusted and not match.disabled:
            return Join(match.user_id)
    provable = any(match.verified and match.reachable for match in matches)
    return NeedsOwnership(
        tuple(match.user_id for match in matches),
        may_create=not provable and newcomer.refusal is None,
    )


def _not_allowed(profile: Profile, policy: Policy) -> SignInError:
    """Return the refusal that tells the person what to do."""
    if profile.email is None:
        return NoEmail()
    if not profile.email_verified and policy.allows(profile.email, verified=True):
        return EmailUnverified()
    return NotAllowed(email=profile.email)


def decide_link(user_id: str, owner: Owner | None) -> LinkDecision:
    """Decide the outcome of linking an identity to the signed-in ``user_id``."""
    if owner is None:
        return Link()
    if owner.user_id == user_id:
        return AlreadyLinked()
    if owner.disabled:
        return Refused(AccountDisabled())
    return NeedsMerge(owner.user_id)
