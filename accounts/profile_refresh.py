"""Profile refresh: read a provider's profile again with the identity's stored token."""

from functools import partial

from accounts import actors, identities, profile_updates
from accounts.activity import Caller
from errors import AccessRefused, WrongAccount
from models import Identity
from providers.base import Profile
from providers.protocols.connector import Connector
from storage import atomic, db
from vault import tokens


def refresh_profile(
    identity: Identity, connector: Connector, caller: Caller, session_id: str | None = None
) -> None:
    """Fetch an identity's profile and store it. No transaction is open meanwhile.

    Raises GrantEnded if only a new sign-in helps, WrongAccount if the token is of another person,
    otherwise ProviderError. Then nothing changes except the state of the token.
    """
    db.session.commit()  # returns the connection before the provider is asked
    profile = _read(identity, connector)
    _take_over(identity, session_id, profile, caller)


def _read(identity: Identity, connector: Connector) -> Profile:
    connector.prepare()
    renew = partial(connector.refresh, identity.subject)
    token = tokens.fresh(identity.id, renew)
    try:
        return connector.fetch_profile(identity.subject, token)
    except AccessRefused:
        token = tokens.fresh(identity.id, renew, refused=str(token.get("access_token")))
        return connector.fetch_profile(identity.subject, token)


@atomic
def _take_over(read: Identity, session_id: str | None, profile: Profile, caller: Caller) -> None:
    """Store a profile. Raises SignedOut or NotFound if account, session or identity are gone,
    WrongAccount for the profile of another subject."""
    actors.lock(read.user_id, session_id)
    identity = identities.own(read.user_id, read.id)
    if profile.subject != identity.subject:
        raise WrongAccount("the token reads the profile of another subject")
    profile_updates.take_profile(identity, profile, caller)
