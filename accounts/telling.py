"""Tells people by mail what happened to their accounts: which addresses hear of it, and how often.

The verbs of this room call it within their transaction, with the account locked. The words
of mails are in notices/text.py.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import cast

from flask import current_app

from accounts import alarms, devices, identities
from accounts.activity import ACCESS_RULES, PROVIDER, Caller
from accounts.alarms import AlarmKind
from accounts.begun import Begun
from accounts.suspensions import Suspension
from models import Identity
from notices import mails
from notices.mails import MailKind
from providers.profile import email_key
from storage import atomic, new_id, now

EXTENSION = "telling"
MOST_ADDRESSES = 3
# More events than these in a day make one mail that says so.
MOST_A_DAY, DAY = 10, timedelta(hours=24)
NEW_DEVICE_EVERY = timedelta(hours=1)
# Anybody can sign up, so that the operator hears of it this often at most.
WAITING_EVERY = timedelta(hours=1)
SIGN_IN, ACTIVITY = "/login", "/account/activity"
WAITING_PAGE = "/admin/people?show=pending"
# The page that a mail leads to.
PATHS = {
    MailKind.IDENTITY_REMOVED: SIGN_IN,
    MailKind.MERGED: SIGN_IN,
    MailKind.DELETION_PLANNED: SIGN_IN,
    MailKind.PROVIDER_TOOK_BACK: SIGN_IN,
    MailKind.PROVIDER_SUSPENDED: SIGN_IN,
    MailKind.PROVIDER_REMOVED: SIGN_IN,
    MailKind.APPROVED: SIGN_IN,
    MailKind.SIGN_IN_AGAIN: SIGN_IN,
    MailKind.MERGE_HELP: "/account",
    MailKind.MORE_HAPPENED: ACTIVITY,
}
# Noise must not push these aside.
UNLIMITED = frozenset(
    {
        MailKind.DELETED,
        MailKind.DELETION_PLANNED,
        MailKind.APPROVED,
        MailKind.SIGN_IN_AGAIN,
        MailKind.MERGE_HELP,
    }
)
# Their mails have a link by which the person says that it was not them.
CAN_BE_DISOWNED = frozenset(MailKind(each.value) for each in AlarmKind)
# These act without a device.
WITHOUT_DEVICE = frozenset({ACCESS_RULES.user_agent, PROVIDER.user_agent})


@dataclass(frozen=True)
class Teller:
    """The facts for mails that this room does not know. ``label``: a provider's name for people.
    ``operator_email``: who hears of people that wait. ``has_pages``: whether there is /admin."""

    label: Callable[[str], str]
    operator_email: str | None = None
    has_pages: bool = False


def addresses(user_id: str) -> list[str]:
    """Return the addresses at which a person can be told something; none while mail is off."""
    return addresses_of(identities.of_user(user_id)) if mails.is_on() else []


def addresses_of(those: Iterable[Identity]) -> list[str]:
    """Return the verified addresses that take mail, in this order. An identity that the person
    called not theirs has somebody else's."""
    return [
        each.email
        for each in those
        if each.email
        and each.email_verified
        and each.email_dead_at is None
        and each.suspended_reason != Suspension.NOT_ME
    ]


@atomic
def tell(
    user_id: str,
    kind: MailKind,
    caller: Caller,
    *,
    provider: str = "",
    identity_id: str | None = None,
    session_id: str | None = None,
    before: Collection[str] = (),
    **facts: str,
) -> bool:
    """Plan the mails about an event, and return whether somebody is told.

    ``identity_id``: what was connected, or signed in. ``session_id``: where it was done.
    ``before``: the addresses from before the change, which come first: whoever changes an account
    cannot keep the news from the person who had it. ``facts``: more texts for the mail, such as
    ``app`` or ``date``. At most MOST_ADDRESSES addresses get it. Does nothing while mail is off.
    """
    if not mails.is_on():
        return False
    to = _choose([*before, *addresses(user_id)])
    if not to or (kind not in UNLIMITED and _is_too_much(user_id, to)):
        return False
    data = {"at": now().isoformat(), **facts}
    if device := _device(caller):
        data["device"] = device
    if provider:
        data["provider"] = label(provider)
    if path := PATHS.get(kind):
        data["path"] = path
    elif device and kind in CAN_BE_DISOWNED:
        these = {"identity_id": identity_id, "session_id": session_id}
        data["path"] = f"/not-me/{alarms.begin(user_id, kind, **these)}"
    mails.plan(kind, to, user_id=user_id, data=data, notice_id=new_id())
    return True


def _choose(those: Sequence[str]) -> list[str]:
    different: dict[str, str] = {}
    for address in those:
        different.setdefault(email_key(address), address)
    return list(different.values())[:MOST_ADDRESSES]


def _is_too_much(user_id: str, to: Sequence[str]) -> bool:
    """Tell whether a person got enough mails today; the first time, one says so."""
    since = now() - DAY
    if mails.count_since(user_id, since) < MOST_A_DAY:
        return False
    kind = MailKind.MORE_HAPPENED
    if not mails.count_since(user_id, since, kind):
        data = {"at": now().isoformat(), "path": PATHS[kind]}
        mails.plan(kind, to, user_id=user_id, data=data, notice_id=new_id())
    return True


def _device(caller: Caller) -> str:
    if caller.is_operator or caller.admin_id or caller.user_agent in WITHOUT_DEVICE:
        return ""
    return devices.name(caller.user_agent)


def label(provider: str) -> str:
    """Return a provider's name for people."""
    teller = _teller()
    return teller.label(provider) if teller else provider


def _teller() -> Teller | None:
    return cast(Teller | None, current_app.extensions.get(EXTENSION))


def tell_of_waiting(provider: str) -> None:
    """Plan the mail to the operator that somebody waits for approval. Call within the atomic verb
    that makes the account."""
    teller = _teller()
    if not mails.is_on() or teller is None or teller.operator_email is None:
        return
    if mails.was_planned(MailKind.WAITING, now() - WAITING_EVERY):
        return
    data = {"at": now().isoformat(), "provider": label(provider)}
    if teller.has_pages:
        data["path"] = WAITING_PAGE
    mails.plan(MailKind.WAITING, [teller.operator_email], user_id=None, data=data)


def tell_of_invitation(email: str, token: str, expires_at: datetime) -> bool:
    """Plan the mail that brings an invitation to its person; returns False while mail is off. Call
    within the atomic verb that makes it."""
    if not mails.is_on():
        return False
    data = {"date": expires_at.date().isoformat(), "path": f"/join/{token}"}
    mails.plan(MailKind.INVITED, [email], user_id=None, data=data)
    return True


def tell_of_identity(
    identity: Identity, kind: MailKind, caller: Caller, before: Collection[str]
) -> bool:
    """Plan the mails about an event of one identity."""
    this = {"provider": identity.provider, "identity_id": identity.id}
    return tell(identity.user_id, kind, caller, before=before, **this)


def tell_of_merge(user_id: str, kept: Sequence[str], gone: Sequence[str], caller: Caller) -> None:
    """Plan the mails about a merge, to addresses of both accounts."""
    by_turns = [each for pair in zip_longest(kept, gone) for each in pair if each]
    tell(user_id, MailKind.MERGED, caller, before=by_turns)


def is_new_device(user_id: str, caller: Caller) -> bool:
    """Tell whether a person is to hear of a sign-in from a device and network that are new: at
    most once an hour. Call before it is recorded, and ``tell_of_new_device`` after the session."""
    if not mails.is_on() or not devices.is_new(user_id, caller):
        return False
    return not mails.count_since(user_id, now() - NEW_DEVICE_EVERY, MailKind.NEW_DEVICE)


@atomic
def tell_of_new_device(session: Begun, caller: Caller) -> None:
    """Plan the mails about the device of a new session."""
    this = {"provider": session.provider, "identity_id": session.identity_id}
    tell(session.user_id, MailKind.NEW_DEVICE, caller, session_id=session.id, **this)
