"""Everything that is stored about a person, with the applications that they use."""

from typing import Any

import accounts
from accounts import admin_log
from accounts.activity import Caller
from accounts.admin_log import Act
from accounts.export import iso_time
from issuer import consents, grants, scopes
from issuer.consents import App
from issuer.grants import Held
from storage import atomic


@atomic
def download(user_id: str, caller: Caller, session_id: str | None = None) -> dict[str, Any]:
    """Record a download, and return what it contains. Raises SignedOut."""
    document = accounts.download(user_id, caller, session_id)
    return {
        **document,
        "apps": [_app(app) for app in consents.of_user(user_id)],
        "app_grants": [_grant(name, grant) for name, grant in grants.of_user(user_id)],
    }


@atomic
def export(user_id: str, caller: Caller) -> dict[str, Any]:
    """Do the same for an administrator, in whose log it stands. Raises AccountDeleted."""
    document = download(user_id, caller)
    admin_log.record(caller, Act.EXPORTED, user_id=user_id)
    return document


def _app(app: App) -> dict[str, Any]:
    return {
        "client_id": app.client.client_id,
        "name": app.client.name,
        "scopes": list(app.scopes),
        "resources": list(app.resources),
        "since": iso_time(app.since),
        "last_used_at": iso_time(app.last_used_at),
    }


def _grant(name: str, grant: Held) -> dict[str, Any]:
    return {
        "app": name,
        "scopes": list(scopes.split(grant.scopes)),
        "resource": grant.resource,
        "provider": grant.provider,
        "offline": grant.is_offline,
        "created_at": iso_time(grant.created_at),
        "last_used_at": iso_time(grant.last_used_at),
        "ended_at": iso_time(grant.ended_at),
        "address": grant.address,
        "user_agent": grant.user_agent,
    }
