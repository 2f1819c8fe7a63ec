"""Client authentication: by Basic, by the form, or none for public clients (RFC 6749 2.3)."""

import base64
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from issuer import clients
from issuer.clients import Client
from issuer.faults import Refused
from issuer.parameters import Parameters
from storage import is_id

MAX_CHARACTERS = 1024


@dataclass(frozen=True)
class Credentials:
    """The client that a request names, and its secret."""

    client_id: str
    secret: str | None = field(repr=False)


def named(authorization: str | None, form: Parameters) -> str:
    """Return the id by which failures are counted: an invented one counts as unknown."""
    credentials = read(authorization, form)
    client_id = "" if isinstance(credentials, Refused) else credentials.client_id
    return client_id if is_id(client_id) else "unknown"


def authenticate(authorization: str | None, form: Parameters) -> Client | Refused:
    """Return the client of a request. A refused one does not learn why."""
    credentials = read(authorization, form)
    if isinstance(credentials, Refused):
        return credentials
    client = clients.named(credentials.client_id)
    if client is None:
        return Refused("client_refused", "unknown")
    if client.is_public:
        is_right = credentials.secret is None
    else:
        is_right = credentials.secret is not None and client.has_secret(credentials.secret)
    if not is_right:
        return Refused("client_refused", f"{client.id}: wrong or missing secret")
    return client if client.is_enabled else Refused("client_refused", f"{client.id}: disabled")


def read(authorization: str | None, form: Parameters) -> Credentials | Refused:
    """Read the credentials, which a request may have in one place only."""
    in_form, secret = form.get("client_id"), form.get("client_secret")
    if authorization is None:
        if in_form is None:
            return Refused("client_refused", "no credentials")
        return Credentials(in_form, secret)
    if secret is not None:
        return Refused("client_two_ways")
    basic = _read_basic(authorization)
    if basic is None:
        return Refused("client_refused", "the Authorization header is malformed")
    if in_form not in (None, basic.client_id):
        return Refused("client_two_ways")
    return basic


def _read_basic(header: str) -> Credentials | None:
    """RFC 6749 2.3.1: both parts are form-encoded before they are joined."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic" or len(value) > MAX_CHARACTERS:
        return None
    try:
        client_id, colon, secret = (
            base64.b64decode(value.strip(), validate=True).decode().partition(":")
        )
    except ValueError:
        return None
    if not colon:
        return None
    return Credentials(unquote_plus(client_id), unquote_plus(secret) or None)
