"""The ways to sign in that this site offers, for pages of other origins; nobody need be signed
in."""

from urllib.parse import urljoin

from flask import Blueprint, url_for

from errors import InvalidQuery
from views.api.operations import operation
from views.api.schemas import Provider, ProviderList, ProvidersQuery
from web.context import site
from web.return_to import return_target

providers = Blueprint("api_providers", __name__, url_prefix="/api/v1")

RETURN_TO_FAULT = {
    "field": "return_to",
    "detail": "is no path of this site, and no page of an origin in CORS_ORIGINS",
}


@providers.get("/providers")
@operation(query=ProvidersQuery, answer=ProviderList, is_open=True)
def list_providers(query: ProvidersQuery) -> ProviderList:
    """List the providers to sign in with, in the order of the sign-in page.

    With ALLOWED_EMAIL_DOMAINS, those that never verify an address are left out, as on that page.

    A browser goes to url to sign in, and afterwards to return_to; without it, to the account page.
    """
    if query.return_to is not None and not return_target(query.return_to):
        raise InvalidQuery("The query cannot be understood.", errors=[RETURN_TO_FAULT])
    here = site()
    items = [
        Provider(
            name=name,
            label=connector.label,
            url=urljoin(
                here.settings.public_url, url_for(f"{name}.login", return_to=query.return_to)
            ),
        )
        for name, connector in here.connectors.items()
        if name in here.for_newcomers
    ]
    return ProviderList(items=items, next_cursor=None)
