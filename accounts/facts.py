"""Facts for the linking rules, read from the database: the owner of an identity, and matches."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select

from access import invitations
from accounts import identities, suspensions
from accounts.identities import Found
from accounts.newcomers import Invited
from accounts.rules import Match, Owner, Policy, any_allowed
from models import Identity, OAuth, User
from providers.base import Assertion, Profile
from providers.profile import email_key
from storage.compiled import CompiledSelect


class _Row(NamedTuple):
    """An identity of an account that has a certain address."""

    user_id: str
    provider: str
    issuer: str
    email_key: str | None
    email_verified: bool
    email_trusted: bool
    suspended_at: datetime | None
    disabled_at: datetime | None


_OF_ADDRESS = CompiledSelect(
    select(
        OAuth.user_id,
        OAuth.provider,
        OAuth.issuer,
        OAuth.email_key,
        OAuth.email_verified,
        OAuth.email_trusted,
        OAuth.suspended_at,
        User.disabled_at,
    )
    .join(User, User.id == OAuth.user_id)
    .where(OAuth.user_id.in_(select(OAuth.user_id).where(OAuth.email_key == bindparam("key")))),
    _Row,
)


def look_up(
    find: Callable[[Assertion], Found | None], assertion: Assertion, policy: Policy
) -> tuple[Found | None, list[Match]]:
    """Return the identity or, if it is unknown, the accounts with its address.

    If there are such accounts, the identity is looked up again: a concurrent request of the same
    person may just have created the account, which would look like another person's.
    Raises ProviderError if it is unknown and a part of its profile could not be read.
    """
    found = find(assertion)
    if found is None:
        identities.check_complete(assertion)
    matches = [] if found else matches_of(assertion, policy)
    if matches:
        found = find(assertion)
    return found, [] if found else matches


def owner(found: Found, assertion: Assertion, policy: Policy | None = None) -> Owner:
    """Return what the rules need to know of the account that an identity opens.

    ``policy``: who may come in, if that is to be checked. The identity's own row does not count:
    the new profile, which is about to replace it, is judged instead.
    """
    identity, allowed = found.identity, True
    if policy and policy.allowed_email_domains:
        others = [each for each in identities.of_user(identity.user_id) if each.id != identity.id]
        allowed = any_allowed(others, policy)
    return Owner(
        identity.user_id,
        disabled=found.disabled_at is not None,
        suspended=suspensions.holds_back(identity, assertion),
        leaving=found.delete_due_at is not None,
        allowed=allowed,
    )


def invited(invitation_id: str | None, assertion: Assertion) -> Invited | None:
    """Return the invitation that a newcomer brings, and whether it is for them."""
    if invitation_id is None:
        return None
    invitation = invitations.of_id(invitation_id)
    refusal = invitations.fault(invitation, assertion.profile)
    return Invited(invitation_id, refusal, bypass=invitation is not None and invitation.bypass)


def judged_profile(identity: Identity | None, assertion: Assertion) -> Profile:
    """Return the profile that decides: the provider's current one.

    A relayed or incomplete assertion may know less than the row of a known identity, or be out of
    date; and the row keeps an address that is not shared any more.
    """
    knows_less = assertion.is_relayed or assertion.incomplete or assertion.profile.email is None
    if identity is None or not knows_less:
        return assertion.profile
    return replace(
        assertion.profile,
        email=identity.email,
        email_verified=identity.email_verified,
        email_trusted=identity.email_trusted,
    )


def matches_of(assertion: Assertion, policy: Policy) -> list[Match]:
    """Return the accounts with an identity of the same address, each with its strongest claim."""
    profile = assertion.profile
    if profile.email is None or not profile.email_verified:
        return []  # nothing depends on who else has it, nor how long the answer takes
    address, by_user = email_key(profile.email), dict[str, list[_Row]]()
    for row in _OF_ADDRESS.rows(key=address):
        if row.suspended_at is None:  # opens nothing, so its address stands for nobody
            by_user.setdefault(row.user_id, []).append(row)
    return [
        _match(rows, address, assertion, policy)
        for _, rows in sorted(by_user.items())
        if any(row.email_key == address for row in rows)
    ]


def _match(rows: list[_Row], address: str, assertion: Assertion, policy: Policy) -> Match:
    replaced = (assertion.provider, assertion.issuer, address)
    same = [row for row in rows if row.email_key == address]
    return Match(
        rows[0].user_id,
        verified=any(row.email_verified for row in same),
        trusted=any(row.email_verified and row.email_trusted for row in same),
        disabled=rows[0].disabled_at is not None,
        reachable=any(
            policy.can_verify_ownership(row.provider, row.issuer)
            for row in rows
            if (row.provider, row.issuer, row.email_key) != replaced
        ),
    )
