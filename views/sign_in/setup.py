"""The setup guide: what to register at which provider, while this site has none."""

import structlog
from flask import Blueprint, render_template
from werkzeug.exceptions import NotFound as PageNotFound

from config.registrations import CREDENTIALS
from providers import PROVIDERS
from providers.base import Provider
from web.context import Site, site
from web.text.messages import message

log = structlog.get_logger()
setup = Blueprint("setup", __name__)

PATH = "/setup"


def warn_without_providers(here: Site) -> None:
    """Say in the log what the sign-in page of a site without any way to sign in says."""
    if not here.connectors and here.firebase is None:
        guide = f"{here.settings.public_url}{PATH}"
        log.warning("no_provider", detail=message("not_set_up"), guide=guide)


@setup.get(PATH)
def guide() -> str:
    """Show the setup guide. A site with providers has none: strangers need not read it."""
    if site().connectors:
        raise PageNotFound
    return render_template("setup.html", providers=[_entry(one) for one in PROVIDERS.values()])


def _entry(provider: Provider) -> dict[str, object]:
    """Return what an operator copies into a provider's console, and from there."""
    return {
        "name": provider.name,
        "label": f"{provider.label} (OAuth 2.0)" if provider.variant else provider.label,
        "console": provider.console,
        "redirect_uri": f"{site().settings.public_url}/login/{provider.name}/authorized",
        "variables": [
            CREDENTIALS[name][0].format(provider.key.upper()) for name in provider.credentials
        ],
    }
