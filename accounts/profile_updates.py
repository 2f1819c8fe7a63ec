"""Profile updates: the provider's current profile of a known identity is stored, after a sign-in or
a refresh.
"""

from dataclasses import replace

from accounts import addresses, identities, telling, users
from accounts.activity import Caller, EventKind
from accounts.addresses import Earlier
from accounts.identities import Found, Values
from models import Identity, address_of
from providers.base import Assertion, Profile
from storage import now


def take_assertion(found: Found, assertion: Assertion, caller: Caller) -> Identity:
    """Store the provider's current profile and token at a sign-in; return the new identity.

    A relayed assertion changes nothing but the time: it may know less, or have another address.
    An incomplete one brings a token, but its profile is only what could be read just now.
    """
    identity = found.identity
    if assertion.is_relayed:
        return identities.change(identity, {"last_used_at": now()})
    more = identities.assertion_columns(identity, assertion)
    if assertion.incomplete:
        return identities.change(identity, more)
    profile = assertion.profile
    if not assertion.token:  # an ID token alone: userinfo could not be asked for the rest
        known = identity.profile
        profile = replace(
            profile,
            username=profile.username or known.get("username"),
            picture=profile.picture or known.get("picture"),
        )
    if found.lacks:
        _fill_in(identity.user_id, profile)
    return _take(identity, profile, caller, more)


def take_profile(identity: Identity, profile: Profile, caller: Caller) -> None:
    """Store a profile; the person's address and picture may change with it."""
    _fill_in(identity.user_id, profile)
    _take(identity, profile, caller, {})


def _fill_in(user_id: str, profile: Profile) -> None:
    """Give a person the name and picture that were missing so far, unless they chose to have
    none."""
    user = users.lock(user_id)
    if user.name is None:
        user.name = profile.name or profile.username
    if user.picture is None:
        user.picture = profile.picture


def _take(identity: Identity, profile: Profile, caller: Caller, more: Values) -> Identity:
    said = profile.email, profile.email_verified
    moved = profile.email is not None and said != (identity.email, identity.email_verified)
    before = _address(identity.user_id) if moved else None
    told = telling.addresses(identity.user_id) if moved else []
    picture = identity.profile.get("picture")
    if picture and picture != profile.picture:
        user = users.lock(identity.user_id)
        if user.picture == picture:
            user.picture = profile.picture
    columns = identities.profile_columns(profile, identity)
    changed = identities.change(identity, columns | more)
    if moved and (after := _address(identity.user_id)) != before:
        identities.record(changed, EventKind.EMAIL_CHANGED, caller, detail=after or "")
        addresses.tell_change(identity.user_id, Earlier(before, told), after, caller)
    return changed


def _address(user_id: str) -> str | None:
    """Return a person's current address."""
    identity = address_of(identities.of_user(user_id), users.lock(user_id).email_choice)
    return identity.email if identity else None
