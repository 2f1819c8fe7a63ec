"""Places: the lasting ids of organisations that rules name, as they may be renamed.

The first member who comes in shows the id; from then on it decides, and not the name, which anybody
may take after a renaming.
"""

import threading
import time
from collections.abc import Collection

from sqlalchemy import delete, insert, select

from access.models import Place
from providers.criteria import Condition
from storage import atomic, db, now

KEEP_SECONDS = 60


class StoredPlaces:
    """The places of some conditions, by provider and name; other instances share them.

    A place whose rule is gone is forgotten, so that taking a rule out and putting it back
    begins again.
    """

    def __init__(self, conditions: Collection[Condition]) -> None:
        self._wanted = {f"{one.provider}:{one.value.partition('/')[0]}" for one in conditions}
        self._ids: dict[str, str] = {}
        self._read_at: float | None = None
        self._lock = threading.Lock()

    def known(self, place: str) -> str:
        with self._lock:
            if self._read_at is None:
                _forget_others(self._wanted)
            if self._read_at is None or time.monotonic() - self._read_at > KEEP_SECONDS:
                self._ids, self._read_at = _read(), time.monotonic()
            return self._ids.get(place, "")

    def learn(self, place: str, lasting_id: str) -> None:
        if self.known(place) == "":
            _add(place, lasting_id)
            self._read_at = None


@atomic
def _read() -> dict[str, str]:
    rows = db.session.execute(select(Place.name, Place.lasting_id)).all()
    return {row.name: row.lasting_id for row in rows}


@atomic
def _forget_others(wanted: Collection[str]) -> None:
    db.session.execute(delete(Place).where(Place.name.not_in(wanted)))


@atomic
def _add(place: str, lasting_id: str) -> None:
    if db.session.scalar(select(Place.lasting_id).where(Place.name == place)) is None:
        db.session.execute(insert(Place).values(name=place, lasting_id=lasting_id, seen_at=now()))
