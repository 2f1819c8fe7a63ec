"""The applications that a person uses, in the API."""

from flask import Blueprint

from errors import NotFound
from issuer import clients, consents
from views.api.operations import operation
from views.api.paging import Position, page_of
from views.api.schemas import App, AppList, PageQuery
from web.authentication import this_user
from web.csrf import csrf
from web.guards import API_SIGNED_IN, BEARER_HOLDS, CSRF_CHECKED, LIMITED, protect
from web.request_info import caller

api_apps = Blueprint("api_apps", __name__, url_prefix="/api/v1")
csrf.exempt(api_apps)  # for the same reason as in routes.py
protect(api_apps, BEARER_HOLDS, API_SIGNED_IN, CSRF_CHECKED, LIMITED)


@api_apps.get("/apps")
@operation(query=PageQuery, answer=AppList)
def list_apps(query: PageQuery) -> AppList:
    """List the applications that you sign in to, the latest first."""
    rows = consents.of_user(this_user().id)
    shown, following = page_of(
        rows, _position, after=query.cursor, limit=query.limit, newest_first=True
    )
    return AppList(items=[_describe(row) for row in shown], next_cursor=following)


def _position(app: consents.App) -> Position:
    return app.since, app.client.id


def _describe(app: consents.App) -> App:
    return App(
        id=app.client.id,
        name=app.client.name,
        scopes=list(app.scopes),
        since=app.since,
        last_used_at=app.last_used_at,
    )


@api_apps.delete("/apps/<app_id>")
@operation()
def remove_app(app_id: str) -> None:
    """Take the access of an application away: it is signed out."""
    client = clients.find(app_id)
    if client is None:
        raise NotFound("no such application of this account")
    consents.take_away(this_user().id, client.id, caller())
