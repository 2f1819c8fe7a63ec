"""The ways to sign in that this site offers, for pages of other origins; nobody need be signed
in."""

from urllib.parse import urljoin

from flask import Blueprint, url_for

from views.api.operations import operation
from views.api.schemas import Provider, ProviderList
from web.context import site

providers = Blueprint("api_providers", __name__, url_prefix="/api/v1")


@providers.get("/providers")
@operation(answer=ProviderList, is_open=True)
def list_providers() -> ProviderList:
    """List the providers to sign in with, in the order of the sign-in page."""
    here = site()
    items = [
        Provider(
            name=name,
            label=connector.label,
            url=urljoin(here.settings.public_url, url_for(f"{name}.login")),
        )
        for name, connector in here.connectors.items()
    ]
    return ProviderList(items=items, next_cursor=None)
