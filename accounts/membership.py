"""Verbs of groups: an operator puts people into a group, and takes them out."""

from access import groups
from accounts import activity, users
from accounts.activity import Caller, EventKind
from storage import atomic


@atomic
def join_group(user_id: str, name: str, caller: Caller) -> bool:
    """Put a person into a group by hand; returns False if they were in it by hand already.

    Raises ValueError for what is no name of a group, and AccountDeleted.
    """
    if not groups.is_name(name):
        raise ValueError(f"{name!r} is no name of a group")
    users.lock(user_id)
    is_new = name not in groups.of_user(user_id)
    is_added = groups.add(user_id, name)
    if is_new:
        activity.record(user_id, EventKind.GROUP_JOINED, caller, detail=name)
    return is_added


@atomic
def leave_group(user_id: str, name: str, caller: Caller) -> bool:
    """Take a person out of a group, whatever put them there; returns whether they were in it.

    The next check of the rules puts back what a rule gives. Raises AccountDeleted.
    """
    users.lock(user_id)
    is_removed = groups.remove(user_id, name)
    if is_removed:
        activity.record(user_id, EventKind.GROUP_LEFT, caller, detail=name)
    return is_removed
