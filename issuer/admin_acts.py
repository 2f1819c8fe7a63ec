"""Acts of an administrator on applications, APIs and signing keys, by command or on a page: the
verbs of clients, resources, keys and logouts, each with its row in the administrators' log."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from accounts import admin_log
from accounts.activity import Caller
from accounts.admin_log import Act
from issuer import clients, logouts, resources, signing_keys
from issuer.clients import Client
from issuer.resources import Resource
from keys.signing import ALGORITHMS
from storage import atomic


@atomic
def add_client(values: Mapping[str, Any], caller: Caller) -> tuple[Client, str | None]:
    """Add a client with these columns; return it and its secret, which is not stored."""
    client, secret = clients.add(values)
    _record(caller, Act.CLIENT_ADDED, client)
    return client, secret


@atomic
def change_client(client_id: str, values: Mapping[str, Any], caller: Caller) -> Client:
    """Change columns of a client. Raises NotFound."""
    client = clients.change(client_id, values)
    if values:
        _record(caller, Act.CLIENT_CHANGED, client, ", ".join(sorted(values)))
    return client


@atomic
def rotate_secret(client_id: str, overlap: timedelta, caller: Caller) -> str:
    """Give a client a new secret; the old one ends after ``overlap``. Raises NotFound."""
    secret = clients.rotate_secret(client_id, overlap)
    _record(caller, Act.CLIENT_SECRET, clients.get(client_id))
    return secret


@atomic
def disable_client(client_id: str, caller: Caller) -> Client:
    """Disable a client: nothing of it works. Raises NotFound."""
    client = clients.get(client_id)
    clients.disable(client.id)
    if client.is_enabled:
        _record(caller, Act.CLIENT_DISABLED, client)
    return client


@atomic
def enable_client(client_id: str, caller: Caller) -> Client:
    """Enable a client again, with what people had granted it. Raises NotFound."""
    client = clients.get(client_id)
    clients.enable(client.id)
    if not client.is_enabled:
        _record(caller, Act.CLIENT_ENABLED, client)
    return client


@atomic
def remove_client(client_id: str, caller: Caller) -> None:
    """Delete a client with its grants, tokens and consents. Raises NotFound."""
    client = clients.get(client_id)
    clients.remove(client.id)
    _record(caller, Act.CLIENT_REMOVED, client)


@atomic
def retry_logouts(caller: Caller) -> int:
    """Have all applications told again now that could not be told; return how many rows."""
    count = logouts.retry()
    if count:
        admin_log.record(caller, Act.OUTBOX_RETRIED, target="logouts", detail=str(count))
    return count


@atomic
def add_resource(resource: Resource, caller: Caller) -> None:
    """Register an API, or change what is registered of it."""
    resources.add(resource)
    admin_log.record(caller, Act.RESOURCE_ADDED, target=resource.id)


@atomic
def remove_resource(identifier: str, caller: Caller) -> None:
    """Remove an API: no token is made for it any more. Raises NotFound."""
    resources.remove(identifier)
    admin_log.record(caller, Act.RESOURCE_REMOVED, target=identifier)


@atomic
def rotate_keys(caller: Caller, *, immediately: bool) -> list[str]:
    """Make the next signing key of each algorithm; return their ids. Raises KeyUnreadable."""
    kids = [signing_keys.rotate(alg, immediately=immediately) for alg in ALGORITHMS]
    admin_log.record(caller, Act.KEYS_ROTATED, target=", ".join(kids))
    return kids


@atomic
def withdraw_key(kid: str, caller: Caller) -> None:
    """Withdraw a signing key: nothing that it signed is accepted. Raises NotFound."""
    signing_keys.withdraw(kid)
    admin_log.record(caller, Act.KEY_WITHDRAWN, target=kid)


def _record(caller: Caller, act: Act, client: Client, detail: str = "") -> None:
    admin_log.record(caller, act, target=f"{client.shown_name} ({client.id})", detail=detail)
