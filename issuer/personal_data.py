"""Everything that is stored about a person, with the applications that they use."""

from typing import Any

from accounts import export
from accounts.export import iso_time
from issuer import consents
from issuer.consents import App
from models import User


def of_user(user: User) -> dict[str, Any]:
    """Return the export of accounts, and the applications with what each may do."""
    return {**export.of_user(user), "apps": [_app(app) for app in consents.of_user(user.id)]}


def _app(app: App) -> dict[str, Any]:
    return {
        "client_id": app.client.client_id,
        "name": app.client.name,
        "scopes": list(app.scopes),
        "since": iso_time(app.since),
        "last_used_at": iso_time(app.last_used_at),
    }
