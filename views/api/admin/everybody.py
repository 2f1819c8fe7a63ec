"""Events, the administrators' log, applications and outboxes."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint

from accounts import activity, admin_acts, admin_log
from accounts.activity import Caller
from errors import NotFound
from issuer import admin_acts as issuer_acts
from issuer import clients, logouts
from jobs.outbox import Backlog
from notices import mails
from vault import revocations
from views.api.account_data import describe_event
from views.api.admin.guard import program_caller, protect_programs
from views.api.admin.schemas import (
    Act,
    ActList,
    Application,
    ApplicationList,
    EventsQuery,
    Outbox,
    OutboxList,
    Retried,
    UserEvent,
    UserEventList,
)
from views.api.operations import operation
from views.api.paging import cut
from views.api.schemas import PageQuery, of_rows

everybody = Blueprint("api_admin", __name__, url_prefix="/api/v1/admin")
protect_programs(everybody)

FACTS: dict[str, Any] = {"is_of_programs": True}
BACKLOGS: Mapping[str, Callable[[], Backlog]] = {
    "revocations": revocations.waiting,
    "logouts": logouts.waiting,
    "mails": mails.waiting,
}
RETRIES: Mapping[str, Callable[[Caller], int]] = {
    "revocations": admin_acts.retry_revocations,
    "logouts": issuer_acts.retry_logouts,
    "mails": admin_acts.retry_mails,
}


@everybody.get("/events")
@operation(query=EventsQuery, answer=UserEventList, **FACTS)
def list_events(query: EventsQuery) -> UserEventList:
    """List what happened to accounts in the last 90 days, the newest first."""
    filters = {"kind": query.kind, "provider": query.provider, "reference": query.reference.upper()}
    found = activity.across(**filters, before=query.cursor, limit=query.limit + 1)
    shown, following = cut(found, query.limit, lambda event: (event.at, event.id))
    items = [UserEvent(user_id=event.user_id, **dict(describe_event(event))) for event in shown]
    return UserEventList(items=items, next_cursor=following)


@everybody.get("/log")
@operation(query=PageQuery, answer=ActList, **FACTS)
def list_acts(query: PageQuery) -> ActList:
    """List what administrators did in the last 180 days, the newest first."""
    found = admin_log.page(query.cursor, query.limit + 1)
    shown, following = cut(found, query.limit, lambda act: (act.at, act.id))
    return ActList(items=of_rows(Act, shown), next_cursor=following)


@everybody.get("/applications")
@operation(answer=ApplicationList, **FACTS)
def list_applications() -> ApplicationList:
    """List the applications that sign people in here, the oldest first."""
    return ApplicationList(items=of_rows(Application, clients.every()), next_cursor=None)


@everybody.post("/applications/<application_id>/disable")
@operation(answer=Application, **FACTS)
def disable_application(application_id: str) -> Application:
    """Disable an application: nobody signs in to it, and its tokens are refused."""
    client = issuer_acts.disable_client(_find(application_id), program_caller())
    return Application.model_validate(clients.get(client.id))


@everybody.post("/applications/<application_id>/enable")
@operation(answer=Application, **FACTS)
def enable_application(application_id: str) -> Application:
    """Enable an application again, with what people had granted it."""
    client = issuer_acts.enable_client(_find(application_id), program_caller())
    return Application.model_validate(clients.get(client.id))


@everybody.get("/outboxes")
@operation(answer=OutboxList, **FACTS)
def list_outboxes() -> OutboxList:
    """Return how much waits to be told to providers, applications and people."""
    items = [_describe(name, waiting()) for name, waiting in BACKLOGS.items()]
    return OutboxList(items=items, next_cursor=None)


@everybody.post("/outboxes/<outbox>/retry")
@operation(answer=Retried, **FACTS)
def retry_outbox(outbox: str) -> Retried:
    """Have everything tried again now that waits for its next attempt."""
    if outbox not in RETRIES:
        raise NotFound("no such outbox")
    return Retried(number=RETRIES[outbox](program_caller()))


def _find(application_id: str) -> str:
    """Return the id of an application. Raises NotFound."""
    client = clients.find(application_id)
    if client is None:
        raise NotFound("no such application")
    return client.id


def _describe(name: str, backlog: Backlog) -> Outbox:
    return Outbox(name=name, waiting=backlog.count, oldest_seconds=round(backlog.oldest_seconds))
