"""Finding people by the beginnings of words of their names, newest account first, among very many.

Rare words are looked up and their people sorted; where a word is common, the newest accounts are
read instead, since enough of them have it. Each way reads a few thousand entries of an index, and
where both fail, all people with the rarest word.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, literal, select, tuple_
from sqlalchemy.orm import aliased

from accounts import names
from accounts.models import NameWord
from models import User
from storage import db

# From this many entries on, a word is common.
MANY = 20_000
# How many of the newest accounts are read for common words: many more than are needed.
NEWEST = 2_000
# How many names are read whose words are not written yet.
UNWRITTEN = 10_000
# Sorts after every character of a word.
_LAST = "\U0010ffff"

Conditions = Sequence[ColumnElement[bool]]


class Place(NamedTuple):
    """A place in the order of accounts: only older ones follow."""

    created_at: datetime
    user_id: str


def find(words: Sequence[str], only: Conditions, before: Place | None, limit: int) -> list[str]:
    """Return the ids of people whose names have words that begin with these, newest account first.

    ``only``: further conditions on users, which few meet. ``before``: where the last page ended.
    """
    unwritten = _unwritten(only, before)
    found = [Place(row.created_at, row.id) for row in unwritten if names.matches(row.name, words)]
    found += _written(words, only, before, limit, {row.id for row in unwritten})
    return [place.user_id for place in sorted(set(found), reverse=True)[:limit]]


def count(words: Sequence[str], only: Conditions) -> int:
    """Return how many people ``find`` finds in total."""
    unwritten = _unwritten(only, None)
    others = [row.id for row in unwritten]
    matching = sum(names.matches(row.name, words) for row in unwritten)
    first, *rest = words
    query = select(func.count(NameWord.user_id.distinct())).where(
        _begins(NameWord, first), *_hold(rest), NameWord.user_id.not_in(others)
    )
    return matching + (db.session.scalar(_among(query, only)) or 0)


def _unwritten(only: Conditions, before: Place | None) -> Sequence[Any]:
    query = select(User.id, User.created_at, User.name).where(names.IS_UNWRITTEN, *only)
    query = query.where(*_older(User.created_at, User.id, before))
    return db.session.execute(query.order_by(User.id).limit(UNWRITTEN)).all()


def _written(
    words: Sequence[str], only: Conditions, before: Place | None, limit: int, stale: set[str]
) -> list[Place]:
    """Return the first people by their written words, without those whose words are stale."""
    counts = {word: _entries(word) for word in words}
    rarest = min(counts, key=lambda word: counts[word])
    if only or counts[rarest] > MANY:
        end = _end_of_newest(only, before)
        found = _among_newest(words, only, before, end, limit)
        if len(found) == limit or end is None:
            return [place for place in found if place.user_id not in stale]
    found = []
    while len(found) < limit:
        query = select(NameWord.created_at, NameWord.user_id).where(
            _begins(NameWord, rarest),
            *_hold(words),
            *_older(NameWord.created_at, NameWord.user_id, before),
        )
        query = _among(query, only).order_by(*_newest_first(NameWord.created_at, NameWord.user_id))
        rows = [Place(*row) for row in db.session.execute(query.limit(limit))]
        # Several words of a name may begin alike.
        found += [row for row in dict.fromkeys(rows) if row.user_id not in stale]
        if len(rows) < limit:
            break
        before = rows[-1]
    return found


def _end_of_newest(only: Conditions, before: Place | None) -> Place | None:
    """Return the last of the newest accounts that are read; None: there are no more than these."""
    row = db.session.execute(_newest(only, before).offset(NEWEST).limit(1)).first()
    return Place(*row) if row else None


def _among_newest(
    words: Sequence[str],
    only: Conditions,
    before: Place | None,
    end: Place | None,
    limit: int,
) -> list[Place]:
    query = _newest(only, before).where(*(_has(word) for word in words)).limit(limit)
    if end is not None:
        query = query.where(tuple_(User.created_at, User.id) >= tuple_(*end))
    return [Place(*row) for row in db.session.execute(query)]


def _newest(only: Conditions, before: Place | None) -> Select[datetime, str]:
    query = select(User.created_at, User.id)
    query = query.where(*only, *_older(User.created_at, User.id, before))
    return query.order_by(*_newest_first(User.created_at, User.id))


def _entries(word: str) -> int:
    """Return how many entries begin with a word, but not more than MANY + 1."""
    some = select(literal(1)).select_from(NameWord).where(_begins(NameWord, word))
    some = some.order_by(NameWord.word).limit(MANY + 1)
    return db.session.scalar(select(func.count()).select_from(some.subquery())) or 0


def _begins(entry: Any, word: str) -> ColumnElement[bool]:
    return and_(entry.word >= word, entry.word < word + _LAST)


def _hold(words: Sequence[str]) -> list[ColumnElement[bool]]:
    """Return that an entry is of a name that also has these words; they hold no wildcard."""
    return [NameWord.words.contains(f" {word}") for word in words]


def _has(word: str) -> ColumnElement[bool]:
    """Return that a person's name has a word. As a value it is looked up for one person after the
    other; of EXISTS, PostgreSQL may read everybody with the word first."""
    entry = aliased(NameWord)
    found = select(entry.word).where(entry.user_id == User.id, _begins(entry, word)).limit(1)
    return found.correlate(User).scalar_subquery().is_not(None)


def _among(query: Any, only: Conditions) -> Any:
    return query.where(NameWord.user_id.in_(select(User.id).where(*only))) if only else query


def _older(created_at: Any, user_id: Any, before: Place | None) -> list[ColumnElement[bool]]:
    return [] if before is None else [tuple_(created_at, user_id) < tuple_(*before)]


def _newest_first(created_at: Any, user_id: Any) -> tuple[ColumnElement[Any], ...]:
    return created_at.desc(), user_id.desc()
