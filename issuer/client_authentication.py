"""Client authentication: by Basic, by the form, by a signed assertion, or none for public clients
(RFC 6749 2.3, RFC 7523 2.2)."""

import base64
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from issuer import client_assertions, clients
from issuer.client_keys import Reader
from issuer.clients import Client
from issuer.faults import Refused
from issuer.parameters import Parameters
from keys.client_assertions import named_client
from storage import is_id

MAX_CHARACTERS = 1024
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Credentials in a form; the rest of it is the request.
_TYPE_NAME = "client_assertion_type"
FORM_NAMES = frozenset({"client_secret", "client_assertion", _TYPE_NAME})


@dataclass(frozen=True)
class Credentials:
    """The client that a request names, and its secret or its assertion."""

    client_id: str
    secret: str | None = field(repr=False, default=None)
    assertion: str | None = field(repr=False, default=None)


@dataclass(frozen=True)
class Recipient:
    """We, to whom clients send assertions. ``name``: our issuer identifier. ``read_keys``: reads
    what clients publish."""

    name: str
    read_keys: Reader


def named(credentials: Credentials | Refused) -> str:
    """Return the id by which failures are counted: an invented one counts as unknown."""
    client_id = "" if isinstance(credentials, Refused) else credentials.client_id
    return client_id if is_id(client_id) else "unknown"


def authenticate(credentials: Credentials | Refused, recipient: Recipient) -> Client | Refused:
    """Return the client of a request by what ``read`` found. A refused one does not learn why."""
    if isinstance(credentials, Refused):
        return credentials
    client = clients.named(credentials.client_id)
    if client is None:
        return Refused("client_refused", "unknown")
    return _fault(client, credentials, recipient) or client


def _fault(client: Client, credentials: Credentials, recipient: Recipient) -> Refused | None:
    if not client.is_enabled:
        return Refused("client_refused", f"{client.id}: disabled")
    if client.has_keys:
        if credentials.assertion is None:
            return Refused("client_refused", f"{client.id}: no assertion")
        return client_assertions.check(
            client, credentials.assertion, recipient.name, recipient.read_keys
        )
    secret = credentials.secret
    if client.is_public:
        is_right = secret is None and credentials.assertion is None
    else:
        is_right = secret is not None and client.has_secret(secret)
    return None if is_right else Refused("client_refused", f"{client.id}: wrong or missing secret")


def read(authorization: str | None, form: Parameters) -> Credentials | Refused:
    """Read the credentials, which a request may have in one place only."""
    in_form, secret = form.get("client_id"), form.get("client_secret")
    ways = (authorization, secret, form.get("client_assertion") or form.get(_TYPE_NAME))
    if sum(way is not None for way in ways) > 1:
        return Refused("client_two_ways")
    if ways[2] is not None:
        return _read_assertion(form)
    if authorization is None:
        missing = Refused("client_refused", "no credentials")
        return missing if in_form is None else Credentials(in_form, secret)
    basic = _read_basic(authorization)
    if basic is None:
        return Refused("client_refused", "the Authorization header is malformed")
    return basic if in_form in (None, basic.client_id) else Refused("client_two_ways")


def _read_assertion(form: Parameters) -> Credentials | Refused:
    """RFC 7521 4.2: a client_id may come along, and must be the same."""
    assertion = form.get("client_assertion")
    if assertion is None or form.get(_TYPE_NAME) != ASSERTION_TYPE:
        return Refused("client_refused", "no assertion, or of another type")
    client_id = named_client(assertion)
    if client_id is None or form.get("client_id") not in (None, client_id):
        return Refused("client_refused", "the assertion is not about this client")
    return Credentials(client_id, assertion=assertion)


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
