"""The blueprints of the administrators' API, in the order of the document."""

from collections.abc import Iterable

from flask import Blueprint

from config.settings import Settings
from views.api.admin.everybody import everybody
from views.api.admin.people import people


def admin_api_blueprints(settings: Settings) -> Iterable[Blueprint]:
    """Return the blueprints that this site has."""
    return (people, everybody) if settings.admin_api == "on" else ()
