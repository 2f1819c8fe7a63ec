"""Key rotation: all sealed values are counted by key, and sealed again with the first key.

Safe while servers run. A value is opened and sealed without a lock, and written only if its row
still holds what was read, so a token that was refreshed meanwhile is kept. Each value is bound to
its row (AAD), so it is sealed for that row again and for no other.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import CursorResult, func, select, update

from accounts import flow_rows
from accounts.models import Flow
from errors import TokenUnreadable
from models import OAuth
from notices import mails
from notices.models import Mail
from storage import atomic, db
from vault import revocations, tokens
from vault.models import Revocation

BATCH_ROWS = 200
# Values that a server with another first key wrote meanwhile are tried again.
PASSES = 3
ENVELOPE_START = re.compile(r"1\.([0-9a-f]{8})")
NO_KEY = ""


@dataclass(frozen=True)
class Place:
    """A column of sealed values, and what each is bound to."""

    name: str
    row: Any
    column: Any
    bound_to: Callable[[Any], str]


PLACES = (
    Place("tokens", OAuth, OAuth.token, tokens.bound_to),
    Place("flows", Flow, Flow.secrets, lambda row: flow_rows.bound_to(row.id)),
    Place("revocations", Revocation, Revocation.sealed, revocations.bound_to),
    Place("mails", Mail, Mail.sealed, mails.bound_to),
)


@dataclass
class Outcome:
    """How many values were sealed again, were already sealed with the first key, or open with no
    configured key."""

    resealed: int = 0
    already_new: int = 0
    # By the key id of their envelopes.
    unreadable: Counter[str] = field(default_factory=Counter)


def count(place: Place) -> Counter[str]:
    """Count the values that each key has sealed in a place; ``NO_KEY``: not an envelope."""
    start = func.substr(place.column, 1, 10)
    query = select(start, func.count()).where(place.column.is_not(None)).group_by(start)
    counts: Counter[str] = Counter()
    for text, number in db.session.execute(query):
        counts[_key_of(text)] += number
    db.session.commit()
    return counts


def _key_of(envelope: str) -> str:
    match = ENVELOPE_START.match(envelope)
    return match[1] if match else NO_KEY


Report = Callable[[str, int, int], None]


def report_nothing(_name: str, _done: int, _total: int) -> None:
    """The usual case: nobody watches."""


def reseal(place: Place, report: Report = report_nothing) -> Outcome:
    """Seal everything with the first key that another key has sealed. May be interrupted and
    repeated. ``report`` is told the place, how many values are done, and of how many."""
    counts = count(place)
    outcome = Outcome(already_new=counts.pop(tokens.sealer().key_ids[0], 0))
    total = counts.total()
    for _ in range(PASSES):
        outcome.unreadable.clear()
        missed = 0
        for batch in _batches(place):
            pairs, unreadable = _seal_anew(batch)
            replaced = _replace(place, pairs) if pairs else 0
            outcome.resealed += replaced
            outcome.unreadable += unreadable
            missed += len(pairs) - replaced
            report(place.name, outcome.resealed + outcome.unreadable.total(), total)
        if not missed:
            break
    return outcome


Row = tuple[str, str, str]


def _batches(place: Place) -> Iterator[Sequence[Row]]:
    """Yield id, envelope and binding of values of other keys, in batches; no transaction stays open
    between batches."""
    new = f"1.{tokens.sealer().key_ids[0]}.%"
    last = ""
    while True:
        query = select(place.row).where(place.column.is_not(None), place.column.not_like(new))
        query = query.where(place.row.id > last).order_by(place.row.id).limit(BATCH_ROWS)
        found = db.session.scalars(query.execution_options(populate_existing=True)).all()
        rows = [(row.id, getattr(row, place.column.key), place.bound_to(row)) for row in found]
        db.session.expunge_all()
        db.session.commit()
        if not rows:
            return
        last = rows[-1][0]
        yield rows


def _seal_anew(batch: Sequence[Row]) -> tuple[list[Row], Counter[str]]:
    """Return id, old and new envelope of what opens, and the number of unreadable values by key."""
    sealer = tokens.sealer()
    pairs: list[Row] = []
    unreadable: Counter[str] = Counter()
    for row_id, envelope, bound_to in batch:
        try:
            value = sealer.open(envelope, bound_to)
        except TokenUnreadable:
            unreadable[_key_of(envelope)] += 1
        else:
            pairs.append((row_id, envelope, sealer.seal(value, bound_to)))
    return pairs, unreadable


@atomic
def _replace(place: Place, pairs: Sequence[Row]) -> int:
    """Write the new envelopes where the old ones are unchanged; return how many."""
    replaced = 0
    for row_id, old, new in pairs:
        same = (place.row.id == row_id, place.column == old)
        change = update(place.row).where(*same).values({place.column.key: new})
        result = db.session.execute(change.execution_options(synchronize_session=False))
        replaced += cast(CursorResult[Any], result).rowcount
    return replaced
