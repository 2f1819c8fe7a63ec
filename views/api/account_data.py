"""A person's data as a whole: their activity, the export, and the deletion of the account."""

from typing import Any

from flask import Blueprint

import accounts
from accounts import activity
from issuer import personal_data
from models import Event as EventRow
from views.api.export_schemas import Export
from views.api.operations import operation
from views.api.paging import encode_cursor
from views.api.reauthentication import SENSITIVE, require_fresh_auth
from views.api.schemas import Event, EventList, PageQuery
from web.authentication import current_session, current_session_id, forget_login, this_user
from web.context import site
from web.csrf import csrf
from web.guards import API_SIGNED_IN, BEARER_HOLDS, CSRF_CHECKED, LIMITED, protect
from web.request_info import caller
from web.session import forget_person
from web.text.devices import device_name
from web.text.events import sentence

account_data = Blueprint("api_account_data", __name__, url_prefix="/api/v1")
csrf.exempt(account_data)  # for the same reason as in routes.py
protect(account_data, BEARER_HOLDS, API_SIGNED_IN, CSRF_CHECKED, LIMITED)


@account_data.get("/activity")
@operation(query=PageQuery, answer=EventList)
def list_activity(query: PageQuery) -> EventList:
    """List what happened to the account in the last 90 days, the newest first."""
    rows = activity.page(this_user().id, after=query.cursor, limit=query.limit + 1)
    shown = rows[: query.limit]
    following = encode_cursor((shown[-1].at, shown[-1].id)) if len(rows) > len(shown) else None
    return EventList(items=[describe_event(row) for row in shown], next_cursor=following)


def describe_event(row: EventRow) -> Event:
    return Event(
        id=row.id,
        at=row.at,
        kind=row.kind,
        text=sentence(row, site().label(row.provider)),
        reason=row.reason or None,
        provider=row.provider or None,
        device=device_name(row.user_agent),
        ip_address=row.address,
        request_id=row.reference,
    )


@account_data.post("/export")
@operation(answer=Export, problems={403: SENSITIVE})
def export() -> dict[str, Any]:
    """Export everything that is stored about you.

    Needs a sign-in within the last 15 minutes. A POST, because the activity lists it.
    """
    require_fresh_auth()
    return personal_data.download(this_user().id, caller(), current_session_id())


@account_data.delete("/me")
@operation(problems={403: SENSITIVE})
def delete_me() -> None:
    """Delete your account, with everything that is stored about you.

    Needs a sign-in within the last 15 minutes. It cannot be undone. All your sessions end, and
    access at the providers is revoked where they support it. The applications that `GET /apps`
    lists lose their access, and are told.
    """
    require_fresh_auth()
    accounts.delete(this_user().id, caller(), current_session_id())
    if current_session():
        forget_person()
    forget_login()
