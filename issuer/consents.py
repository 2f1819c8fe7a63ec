"""Consents: what people allow clients, remembered. The only writer of their table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, func, select

from accounts import activity, telling
from accounts.activity import Caller, EventKind
from errors import NotFound
from issuer import clients, grants, logouts, scopes
from issuer.clients import Client
from issuer.models import ClientRow, ConsentRow, GrantRow
from notices.mails import MailKind
from storage import atomic, db, now
from storage.compiled import CompiledSelect


@dataclass(frozen=True)
class Given:
    """The scopes that a person allowed a client, and the APIs for which it may have them."""

    scopes: tuple[str, ...]
    resources: Mapping[str, str]

    def covers(self, asked: Iterable[str], resource: str | None) -> bool:
        """Return whether all of it was allowed: scopes of an API count for that API alone."""
        if resource is None:
            return set(asked) <= set(self.scopes)
        allowed = {*scopes.split(self.resources.get(resource)), *scopes.of_ours(self.scopes)}
        return resource in self.resources and set(asked) <= allowed


_GIVEN = CompiledSelect(
    select(ConsentRow.scopes, ConsentRow.resources).where(
        ConsentRow.user_id == bindparam("user_id"), ConsentRow.client_id == bindparam("client_id")
    ),
    lambda text, resources: Given(scopes.split(text), dict(resources)),
)
REMOVED = "access_removed"


@dataclass(frozen=True)
class App:
    """An application that a person uses: what it may do, and since when."""

    client: Client
    scopes: tuple[str, ...]
    resources: tuple[str, ...]
    since: datetime
    last_used_at: datetime
    # Where it may act without the person being signed in here.
    offline: int


@dataclass(frozen=True)
class Used:
    """The grants of one client to a person, together."""

    scopes: tuple[str, ...]
    since: datetime
    last_used_at: datetime
    offline: int

    def __add__(self, other: "Used") -> "Used":
        return Used(
            tuple(dict.fromkeys([*self.scopes, *other.scopes])),
            min(self.since, other.since),
            max(self.last_used_at, other.last_used_at),
            self.offline + other.offline,
        )


def given(user_id: str, client_id: str) -> Given | None:
    """Return what a person allowed a client; None if they were never asked."""
    return _GIVEN.row(user_id=user_id, client_id=client_id)


@atomic
def give(
    user_id: str,
    client: Client,
    allowed: Iterable[str],
    caller: Caller,
    resource: str | None = None,
) -> None:
    """Remember what a person allows a client, in addition to what they allowed before."""
    row = db.session.get(ConsentRow, (user_id, client.id), populate_existing=True)
    asked, is_first = tuple(allowed), row is None
    before = scopes.split(row.scopes) if row else ()
    together = tuple(dict.fromkeys([*before, *asked]))
    if row is None:
        row = ConsentRow(user_id=user_id, client_id=client.id, resources={}, given_at=now())
        db.session.add(row)
    apis = dict(row.resources)
    if resource is not None:
        known = scopes.split(apis.get(resource))
        apis[resource] = scopes.join(dict.fromkeys([*known, *asked]))
    if together != before or apis != dict(row.resources):
        row.resources = apis
        row.scopes, row.given_at = scopes.join(together), now()
        activity.record(user_id, EventKind.APP_ALLOWED, caller, detail=client.shown_name)
        if is_first:
            telling.tell(user_id, MailKind.CONNECTED_TO_APP, caller, app=client.shown_name)


@atomic
def take_away(user_id: str, client_id: str, caller: Caller) -> Client:
    """Take a client's access away: its grants end, and it is told. Raises NotFound."""
    client = clients.find(client_id)
    theirs = (GrantRow.user_id == user_id, GrantRow.client_id == client_id)
    if client is None or not any(app.client.id == client_id for app in of_user(user_id)):
        raise NotFound("no such application of this account")
    logouts.plan_for_grants(*theirs, GrantRow.ended_at.is_(None))
    grants.end_where(REMOVED, *theirs)
    db.session.execute(
        delete(ConsentRow).where(ConsentRow.user_id == user_id, ConsentRow.client_id == client_id)
    )
    activity.record(user_id, EventKind.APP_REMOVED, caller, detail=client.shown_name)
    return client


def of_user(user_id: str) -> Sequence[App]:
    """Return the applications that a person allowed or uses, the latest first."""
    used = (
        select(
            GrantRow.client_id,
            GrantRow.scopes,
            func.min(GrantRow.created_at),
            func.max(GrantRow.last_used_at),
            func.count().filter(GrantRow.is_offline),
        )
        .where(
            GrantRow.user_id == user_id,
            GrantRow.ended_at.is_(None),
            GrantRow.code_used_at.is_not(None),
            GrantRow.idle_until > now(),
        )
        .group_by(GrantRow.client_id, GrantRow.scopes)
    )
    uses: dict[str, Used] = {}
    for client_id, text, since, last, offline in db.session.execute(used):
        one = Used(scopes.split(text), since, last, offline)
        uses[client_id] = uses[client_id] + one if client_id in uses else one
    allowed = select(ConsentRow).where(ConsentRow.user_id == user_id)
    consents = {row.client_id: row for row in db.session.scalars(allowed)}
    named = select(*clients.columns()).where(ClientRow.id.in_({*uses, *consents}))
    found = [
        _app(Client(*row), consents.get(row.id), uses.get(row.id))
        for row in db.session.execute(named)
    ]
    return sorted(found, key=lambda app: app.last_used_at, reverse=True)


def _app(client: Client, consent: ConsentRow | None, used: Used | None) -> App:
    times = [consent.given_at] if consent else []
    times += [used.since] if used else []
    return App(
        client,
        scopes.split(consent.scopes) if consent else used.scopes if used else (),
        tuple(consent.resources) if consent else (),
        min(times),
        used.last_used_at if used else max(times),
        used.offline if used else 0,
    )
