"""Logos: the images of clients, which the operator gives them. The only writer of their table.

The logo_uri of a client that describes itself is not read: nobody vouches for that image.
"""

from collections.abc import Iterable
from hashlib import sha256

from sqlalchemy import delete, select

from config.branding import Image
from issuer.models import ClientLogoRow
from storage import atomic, db


@atomic
def keep(client_id: str, image: Image) -> None:
    """Keep the logo of a client, in the place of the one that it had."""
    row = ClientLogoRow(
        client_id=client_id,
        media_type=image.media_type,
        data=image.data,
        hash=sha256(image.data).hexdigest(),
    )
    db.session.merge(row)
    db.session.flush()


@atomic
def remove(client_id: str) -> None:
    """Remove the logo of a client, if it has one."""
    db.session.execute(delete(ClientLogoRow).where(ClientLogoRow.client_id == client_id))


def find(client_id: str, digest: str) -> Image | None:
    """Return the logo of a client that has this hash (SHA-256, in hex)."""
    query = select(ClientLogoRow.data, ClientLogoRow.media_type).where(
        ClientLogoRow.client_id == client_id, ClientLogoRow.hash == digest
    )
    row = db.session.execute(query).one_or_none()
    return None if row is None else Image(row.data, row.media_type)


def hashes(client_ids: Iterable[str]) -> dict[str, str]:
    """Return the hashes of the logos of these clients, by client; one without a logo is left
    out."""
    query = select(ClientLogoRow.client_id, ClientLogoRow.hash)
    rows = db.session.execute(query.where(ClientLogoRow.client_id.in_(list(client_ids))))
    return {row.client_id: row.hash for row in rows}
