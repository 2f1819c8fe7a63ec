"""Takes notices: receipt and effects in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from accounts import identities, provider_acts
from accounts.rules import Policy
from inbox import receipts
from inbox.effects import UNKNOWN, About, carry_out
from inbox.notices import Kind, Notice
from storage import atomic
from telemetry import metrics
from vault import marks

log = structlog.get_logger()

COPY = "copy"


@dataclass(frozen=True)
class Inbox:
    """What taking a notice needs. ``secret`` makes the names of people and of status pages."""

    policy: Policy
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class Taken:
    """What became of a notice. ``code``: of its status page."""

    notice: Notice
    effect: str
    code: str = ""


def take(notices: Sequence[Notice], inbox: Inbox) -> list[Taken]:
    """Take what a delivery said, all of it or nothing. A copy does nothing, and gets the same
    answer."""
    taken = _take(tuple(notices), inbox)
    for each in taken:
        notice = each.notice
        metrics.count_notice(notice.provider, notice.kind.value, each.effect)
        log.info("notice", provider=notice.provider, kind=notice.kind.value, effect=each.effect)
    return taken


@atomic
def _take(notices: tuple[Notice, ...], inbox: Inbox) -> list[Taken]:
    return [_take_one(notice, inbox) for notice in notices]


def _take_one(notice: Notice, inbox: Inbox) -> Taken:
    code = receipts.code_of(notice, inbox.secret) if notice.kind is Kind.DELETION_ASKED else ""
    if receipts.is_taken(notice):
        return Taken(notice, COPY, code)
    effect, user_id = UNKNOWN, None
    for subject in _subjects(notice):
        # The lock comes first, so that a sign-in and a notice follow each other.
        found = identities.lock_key(notice.provider, notice.issuer, subject)
        if found is not None:
            effect = carry_out(About(notice, found.identity, inbox.policy))
            user_id = found.identity.user_id
    if not (notice.subject or notice.subject_prefix or notice.token or notice.sid):
        effect = notice.kind.value
    receipts.add(notice, effect, inbox.secret, code=code, user_id=user_id if code else None)
    return Taken(notice, effect, code)


def _subjects(notice: Notice) -> Sequence[str]:
    if notice.subject:
        return [notice.subject]
    if notice.token is not None:
        return marks.subjects(notice.token, notice.provider, notice.issuer)
    if notice.sid:
        return provider_acts.subjects_of_session(notice.provider, notice.issuer, notice.sid)
    if not notice.subject_prefix:
        return []
    return provider_acts.subjects(notice.provider, notice.issuer, notice.subject_prefix)
