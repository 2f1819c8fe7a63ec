"""The probe: the job that asks providers about people who are signed in, whether the permission
that they gave still stands. Most providers report nothing, and a report can be lost.

Each provider is asked about one identity at a time, on one instance at a time, with a pause for
each call that it was sent. No transaction is open meanwhile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update

from accounts import identities, provider_acts, users
from accounts.activity import PROVIDER, EventKind
from accounts.models import Probe
from accounts.profile_refresh import refresh_profile
from accounts.sessions import ALIVE, alive_at
from errors import GrantEnded, NotFound, Problem, ProviderBusy, ProviderDown
from jobs import periodic
from jobs.leases import Lease
from jobs.periodic import Periodic
from jobs.registry import Jobs
from models import Identity, OAuth, Session, User
from providers.http.counting import counting
from providers.protocols.connector import Connector
from storage import atomic, db, now
from storage.transactions import without_time_limit
from vault import tokens

log = structlog.get_logger()

GRANT_ENDED = "grant_ended"
# The pause after an identity for each call that its provider was sent; after one of which the
# provider did not answer; and how often a job that waits for its pause looks again.
PAUSE_SECONDS, AWAY_SECONDS = 1, 60
LOOK_SECONDS = 5.0
# How often people are found, and how many at a time; with one call a second that is enough.
FIND_SECONDS, FOUND_AT_ONCE = 3600, 10_000
# How many due rows are looked at together; when one is due again whose probe broke off, and when
# one whose provider did not answer.
LOOKED_AT, AGAIN_AFTER, RETRY_AFTER = 100, timedelta(minutes=10), timedelta(hours=6)

_IS_LIVE = (
    select(Session.id)
    .join(User, User.id == Session.user_id)
    .where(Session.user_id == OAuth.user_id, ALIVE, User.disabled_at.is_(None))
    .exists()
)
_READ_AT = func.coalesce(OAuth.read_at, OAuth.linked_at)


@dataclass(frozen=True)
class Probes:
    """The job of one application. ``every``: how long after a profile was read its provider is
    asked again. ``ends_sessions``: whether sessions end with the permission."""

    connectors: Mapping[str, Connector]
    every: timedelta
    ends_sessions: bool

    def work(self) -> float | None:
        """Ask about what is due now; return the seconds until there is more, if there is."""
        periodic.run_due([Periodic("probes", FIND_SECONDS, lambda _lease: self.find())])
        waiting = self._waiting()
        done: list[int] = []
        periodic.run_due([self._job(name, done) for name in waiting])
        if sum(done):
            return PAUSE_SECONDS
        return LOOK_SECONDS if waiting else None

    @atomic
    def find(self) -> int:
        """Note the identities whose profile was read long ago, the oldest first; return how
        many."""
        if not self.connectors:
            return 0
        is_known = select(Probe.identity_id).where(Probe.identity_id == OAuth.id).exists()
        query = select(OAuth.id, OAuth.provider, _READ_AT).where(*self._is_due(), ~is_known)
        query = query.order_by(_READ_AT).limit(FOUND_AT_ONCE).params(alive_at(now()))
        columns = ["identity_id", "provider", "due_at"]
        without_time_limit()
        rows = db.session.execute(query).all()
        if rows:
            db.session.execute(
                insert(Probe), [dict(zip(columns, row, strict=True)) for row in rows]
            )
        return len(rows)

    def _is_due(self) -> Sequence[ColumnElement[bool]]:
        ours = [
            and_(OAuth.provider == name, OAuth.issuer == connector.identity_issuer)
            for name, connector in self.connectors.items()
        ]
        has_token = OAuth.token.is_not(None), OAuth.suspended_at.is_(None)
        return *has_token, or_(*ours), now() - self.every > _READ_AT, _IS_LIVE

    def _waiting(self) -> Sequence[str]:
        """Return the providers about which something is due."""
        query = select(Probe.provider).where(Probe.due_at <= now()).distinct()
        names = db.session.scalars(query.order_by(Probe.provider)).all()
        db.session.commit()
        return [name for name in names if name in self.connectors]

    def _job(self, provider: str, done: list[int]) -> Periodic:
        pauses: list[int] = []

        def run(_lease: Lease) -> int:
            identity = self._take(provider)
            if identity is not None:
                pauses.append(self.probe(identity))
            done.append(len(pauses))
            return len(pauses)

        return Periodic(
            f"probe {provider}"[:32], PAUSE_SECONDS, run, lambda: max([PAUSE_SECONDS, *pauses])
        )

    @atomic
    def _take(self, provider: str) -> Identity | None:
        """Return the identity that is due the longest; rows that need no probe any more go."""
        at = now()
        query = select(Probe.identity_id).where(Probe.provider == provider, Probe.due_at <= at)
        ids = db.session.scalars(query.order_by(Probe.due_at).limit(LOOKED_AT)).all()
        still = select(OAuth.id).where(OAuth.id.in_(ids), *self._is_due())
        due = set(db.session.scalars(still.params(alive_at(at))))
        stale = [each for each in ids if each not in due]
        if stale:
            db.session.execute(delete(Probe).where(Probe.identity_id.in_(stale)))
        first = next((each for each in ids if each in due), None)
        if first is None:
            return None
        _put_off(first, at + AGAIN_AFTER)
        return next(iter(identities.of_ids([first])), None)

    def probe(self, identity: Identity) -> int:
        """Ask about an identity now, and carry out what follows. Return the seconds to wait before
        its provider is asked again."""
        with counting() as calls:
            later = self._ask(identity)
        _put_off(identity.id, now() + (RETRY_AFTER if later is None else later))
        return AWAY_SECONDS if later is None else calls.sent * PAUSE_SECONDS

    def _ask(self, identity: Identity) -> timedelta | None:
        """Return after how long to ask again; None: the provider did not answer."""
        if tokens.state(identity) not in ("good", "renewable"):
            return self.every  # an expired token says nothing about the permission
        try:
            refresh_profile(identity, self.connectors[identity.provider], PROVIDER)
        except GrantEnded:
            end(identity, ends_sessions=self.ends_sessions)
        except (ProviderDown, ProviderBusy):
            return None
        except Problem as error:  # another answer is no word about the permission
            log.info("probe_unanswered", provider=identity.provider, detail=error.detail)
        return self.every


@atomic
def _put_off(identity_id: str, until: datetime) -> None:
    this = update(Probe).where(Probe.identity_id == identity_id).values(due_at=until)
    db.session.execute(this.execution_options(synchronize_session=False))


@atomic
def end(read: Identity, *, ends_sessions: bool) -> None:
    """End what hung on a permission that the provider no longer accepts, unless the person has
    signed in again meanwhile."""
    if users.find_locked(read.user_id) is None:
        return
    try:
        identity = identities.own(read.user_id, read.id)
    except NotFound:
        return
    if identity.grant_ended_at is None:
        return
    if ends_sessions:
        provider_acts.end_sessions(identity)
    identity = provider_acts.end_grant(identity)
    identities.record(identity, EventKind.PROVIDER_NOTICE, PROVIDER, GRANT_ENDED)


def register(
    jobs: Jobs, connectors: Mapping[str, Connector], hours: int, *, ends_sessions: bool
) -> None:
    """Have the application probe in the background, unless ``hours`` is 0."""
    if hours:
        jobs.add("probes", Probes(connectors, timedelta(hours=hours), ends_sessions).work)
