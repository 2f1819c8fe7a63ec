"""Verbs for a person's own choices: name, address and picture."""

from accounts import activity, actors, addresses, identities
from accounts.activity import Caller, EventKind
from errors import NotFound
from models import User
from providers.profile import clean_text
from storage import atomic


@atomic
def rename(user_id: str, name: str | None, caller: Caller, session_id: str | None = None) -> User:
    """Change a person's name; what providers report later does not change it back.

    It is cleaned like a provider's name. None, or a name of which nothing remains, removes it.
    Raises SignedOut if the account or the session is gone, as all verbs here.
    """
    user = actors.lock(user_id, session_id)
    cleaned = clean_text(name) or ""
    if cleaned != (user.name or ""):
        user.name = cleaned  # chosen, so no provider fills it in if it is empty
        activity.record(user_id, EventKind.RENAMED, caller, detail=cleaned)
    return user


@atomic
def choose_email(
    user_id: str, identity_id: str | None, caller: Caller, session_id: str | None = None
) -> None:
    """Choose the identity whose address is the person's; None: the default one.

    Raises NotFound if the identity is not theirs or has no verified address: an unverified address
    cannot become the primary one.
    """
    user = actors.lock(user_id, session_id)
    identity = identities.own(user_id, identity_id) if identity_id else None
    if identity and not (identity.email and identity.email_verified):
        raise NotFound("no verified address to choose")
    earlier = addresses.remember(user)
    user.email_choice = identity.id if identity else None
    addresses.note_change(user, earlier, caller)


@atomic
def choose_picture(user_id: str, identity_id: str | None, session_id: str | None = None) -> None:
    """Show the picture of an identity, or with None only initials.

    Raises NotFound if the identity is not theirs or has no picture.
    """
    user = actors.lock(user_id, session_id)
    identity = identities.own(user_id, identity_id) if identity_id else None
    picture = identity.profile.get("picture") if identity else ""
    if identity and not picture:
        raise NotFound("that identity has no picture")
    if picture != (user.picture or ""):
        user.picture = picture
