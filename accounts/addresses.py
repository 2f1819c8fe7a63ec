"""The address of a person: what it was before a change, and who hears of another one."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts import activity, telling
from accounts.activity import Caller, EventKind
from models import User
from notices.mails import MailKind


@dataclass(frozen=True)
class Earlier:
    """A person's address before a change, and where they could be told of things."""

    address: str | None
    told: Sequence[str]


def remember(user: User) -> Earlier:
    """Return what ``note_change`` compares with. Call before the change."""
    return Earlier(user.email, telling.addresses(user.id))


def note_change(user: User, earlier: Earlier, caller: Caller) -> None:
    """If a person's address has changed, record it, and tell the old addresses and the new."""
    if user.email != earlier.address:
        activity.record(user.id, EventKind.EMAIL_CHANGED, caller, detail=user.email or "")
        tell_change(user.id, earlier, user.email, caller)


def tell_change(user_id: str, earlier: Earlier, address: str | None, caller: Caller) -> None:
    """Tell of another address in place of one that there was."""
    if earlier.address and address:
        telling.tell(user_id, MailKind.EMAIL_CHANGED, caller, before=earlier.told)
