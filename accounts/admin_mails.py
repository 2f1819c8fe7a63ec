"""Mails that an administrator sends to people: they ask for something, and change nothing."""

from accounts import admin_log, telling, users
from accounts.activity import Caller
from accounts.admin_log import Act
from errors import NotFound
from notices.mails import MailKind
from storage import atomic


@atomic
def ask_to_sign_in_again(user_id: str, caller: Caller) -> bool:
    """Ask a person by mail to sign in again; returns False if no address takes it.

    Raises AccountDeleted.
    """
    users.lock(user_id)
    is_told = telling.tell(user_id, MailKind.SIGN_IN_AGAIN, caller)
    if is_told:
        admin_log.record(caller, Act.SIGN_IN_ASKED, user_id=user_id)
    return is_told


@atomic
def offer_merge(user_id: str, other_id: str, caller: Caller) -> bool:
    """Tell the persons of two accounts by mail how they become one; returns False, and sends
    nothing, if one of the two has no address that takes it.

    Each signs in to both themselves before anything is merged. Raises AccountDeleted, and NotFound
    for one account twice.
    """
    if user_id == other_id:
        raise NotFound("one account, twice")
    users.lock_all({user_id, other_id})
    both = (users.lock(user_id), users.lock(other_id))
    if not all(telling.addresses(user.id) for user in both):
        return False
    for user in both:
        telling.tell(user.id, MailKind.MERGE_HELP, caller)
        admin_log.record(caller, Act.MERGE_OFFERED, user_id=user.id)
    return True
