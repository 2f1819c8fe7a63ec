"""The words of people's names, by which administrators find them: one row for each word.

The rows follow the names: a job writes them soon after somebody signed up or took another name, so
that a sign-in does not wait for it. ``users.words_of`` is the name whose words are written; a name
that differs is read by ``name_search`` itself until then.
"""

import re
import time
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Index, bindparam, delete, insert, select, update

from accounts.models import NameWord
from jobs import periodic
from jobs.leases import Lease
from jobs.periodic import Periodic
from models import User
from storage import atomic, db

EVERY_SECONDS = 60
BATCH_PEOPLE = 500
# No name has more; a name of more or longer words is found by those.
MAX_WORDS = 24
MAX_CHARACTERS = 40
# PostgreSQL refuses longer entries of an index.
ALL_MAX_CHARACTERS = 400
_WORD = re.compile(r"[^\W_]+")
# Scripts without blanks between words: kana and Han. A word begins at each of these.
_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff]")

IS_UNWRITTEN = User.name.is_distinct_from(User.words_of)
# Few at any time, so the index is small.
Index("ix_users_words_of", User.id, sqlite_where=IS_UNWRITTEN, postgresql_where=IS_UNWRITTEN)


def words_of(text: str) -> list[str]:
    """Return the words of a text, each once, in the form that is compared: without capitals,
    accents, punctuation and symbols."""
    plain = unicodedata.normalize("NFKD", text)
    letters = (each for each in plain if not unicodedata.category(each).startswith("M"))
    words = _WORD.findall("".join(letters).casefold())
    return _distinct(word[:MAX_CHARACTERS] for word in words)


def written_words(name: str | None) -> list[str]:
    """Return what is written for a name: its words and, in scripts without blanks, what follows
    each character of them."""
    return _distinct(
        word[start:]
        for word in words_of(name or "")
        for start in range(len(word))
        if start == 0 or _UNSPACED.match(word, start)
    )


def _distinct(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))[:MAX_WORDS]


def entries(user_id: str, name: str | None, created_at: datetime) -> list[dict[str, Any]]:
    """Return what is written of a person, as values of NameWord."""
    words = written_words(name)
    whole = "".join(f" {word}" for word in words)[:ALL_MAX_CHARACTERS]
    common = {"user_id": user_id, "created_at": created_at, "words": whole}
    return [{"word": word, **common} for word in words]


def matches(name: str | None, words: Iterable[str]) -> bool:
    """Tell whether each of these words is the beginning of a word of a name."""
    written = written_words(name)
    return all(any(each.startswith(word) for each in written) for word in words)


def work() -> None:
    """Write the words of all names that lack theirs, if it is due."""
    periodic.run_due([Periodic("names", EVERY_SECONDS, _write_all)])


def _write_all(lease: Lease) -> int:
    written, last = 0, 1
    while last:
        begun = time.monotonic()
        last = _write(lease)
        written += last
        if last:
            # Pause for as long as we worked: SQLite has one writer, which would always be us.
            time.sleep(time.monotonic() - begun)
    return written


@atomic
def _write(lease: Lease) -> int:
    """Write the words of a batch; return how many people it had. Nobody's name changes meanwhile,
    and whoever is locked by another transaction is left for the next time."""
    if not periodic.keep_lease(lease):
        return 0
    unwritten = select(User.id, User.name, User.created_at).where(IS_UNWRITTEN).order_by(User.id)
    query = unwritten.limit(BATCH_PEOPLE).with_for_update(skip_locked=True)
    people = db.session.execute(query).all()
    if not people:
        return 0
    ids = [person.id for person in people]
    db.session.execute(delete(NameWord).where(NameWord.user_id.in_(ids)))
    words = [
        each for person in people for each in entries(person.id, person.name, person.created_at)
    ]
    if words:
        db.session.execute(insert(NameWord), words)
    done = update(User.__table__).where(User.id == bindparam("of")).values(words_of=User.name)  # type: ignore[arg-type]
    db.session.connection().execute(done, [{"of": each} for each in ids])
    return len(people)
