"""The logos of applications: files of our own origin, whose address has the hash of the content."""

from collections.abc import Iterable

from flask import Blueprint, url_for
from werkzeug.exceptions import NotFound as PageNotFound
from werkzeug.wrappers import Response

from issuer import logos
from issuer.clients import Client
from web.images import send_image
from web.paths import ASSETS

app_logos = Blueprint("app_logos", __name__, url_prefix=f"{ASSETS}/static/apps")

# An address never gets another content.
YEAR_SECONDS = 31536000


@app_logos.get("/<client_id>/<digest>")
def show(client_id: str, digest: str) -> Response:
    found = logos.find(client_id, digest)
    if found is None:
        raise PageNotFound
    return send_image(found, YEAR_SECONDS)


def logo_urls(clients: Iterable[Client]) -> dict[str, str]:
    """Return the addresses of the logos of these clients, by id; one without a logo is left out."""
    found = logos.hashes(client.id for client in clients)
    return {
        client_id: url_for("app_logos.show", client_id=client_id, digest=digest)
        for client_id, digest in found.items()
    }


def logo_url(client: Client) -> str | None:
    """Return the address of a client's logo, if it has one."""
    return logo_urls([client]).get(client.id)
