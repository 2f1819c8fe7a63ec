"""Everything that is stored about a person, with the applications that they use."""

from typing import Any

import accounts
from accounts.activity import Caller
from accounts.export import iso_time
from issuer import consents
from issuer.consents import App
from storage import atomic


@atomic
def download(user_id: str, caller: Caller, session_id: str | None = None) -> dict[str, Any]:
    """Record a download, and return what it contains. Raises SignedOut."""
    document = accounts.download(user_id, caller, session_id)
    return {**document, "apps": [_app(app) for app in consents.of_user(user_id)]}


def _app(app: App) -> dict[str, Any]:
    return {
        "client_id": app.client.client_id,
        "name": app.client.name,
        "scopes": list(app.scopes),
        "since": iso_time(app.since),
        "last_used_at": iso_time(app.last_used_at),
    }
