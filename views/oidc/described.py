"""Documents and keys that clients publish: a document is fetched before its client's request is
checked, keys when it authenticates by one."""

from typing import cast

from flask import Flask, current_app

from issuer import documents
from issuer.client_authentication import Recipient
from issuer.client_keys import Reader as KeysReader
from issuer.documents import Reader
from issuer.faults import Refused
from issuer.parameters import Parameters
from views.oidc.place import issuer
from web.context import site
from web.request_info import caller

EXTENSION = "client_document_reader"
KEYS_EXTENSION = "client_keys_reader"
# As which application's failures fetches are counted: an address may cause a few a minute.
COUNTED_AS = "documents"


def init_app(app: Flask, read: Reader, read_keys: KeysReader) -> None:
    app.extensions[EXTENSION] = read
    app.extensions[KEYS_EXTENSION] = read_keys


def recipient() -> Recipient:
    """Return us, as clients address their assertions."""
    return Recipient(issuer(), cast(KeysReader, current_app.extensions[KEYS_EXTENSION]))


def bring_up_to_date(parameters: Parameters) -> Refused | None:
    """Fetch the document that a request's client_id names, if that is due. Raises TooManyAttempts
    if an address makes us fetch too many."""
    client_id = parameters.get("client_id") or ""
    if not documents.is_due(client_id):
        return None
    address = caller().address
    site().limits.check_app(COUNTED_AS, address)
    site().limits.count_app_failure(COUNTED_AS, address)
    return documents.fetch(client_id, cast(Reader, current_app.extensions[EXTENSION]))
