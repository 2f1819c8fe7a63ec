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
NEVER_VERIFIES = (
    "ALLOWED_EMAIL_DOMAINS admits verified addresses only, and this provider never verifies one: "
    "nobody new can come in with it, and its button is left out"
)


def warn_about_settings(here: Site) -> None:
    """Log settings that are ignored or dangerous, what the sign-in page of a site without any way
    to sign in says, and which providers it leaves out."""
    for line in here.settings.warnings:
        log.warning("setting_ignored", detail=line)
    if here.trusts_anybody:
        log.warning("firebase_emulator", trusts="unsigned tokens, from anybody on this machine")
    if not here.connectors and here.firebase is None:
        guide = f"{here.settings.base_url}{PATH}"
        log.warning("no_provider", detail=message("not_set_up"), guide=guide)
    for name, connector in here.connectors.items():
        if here.settings.allowed_email_domains and not connector.verifies_email:
            log.warning("provider_never_verifies_email", provider=name, detail=NEVER_VERIFIES)


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
        "redirect_uri": f"{site().settings.base_url}/login/{provider.name}/authorized",
        "variables": [
            CREDENTIALS[name][0].format(provider.key.upper()) for name in provider.credentials
        ],
    }
