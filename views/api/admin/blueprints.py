"""The blueprints of the administrators' API, in the order of the document."""

from collections.abc import Iterable

from flask import Blueprint

from config.settings import Settings
from views.api.admin.everybody import everybody
from views.api.admin.gates import gates
from views.api.admin.groups import groups
from views.api.admin.invitations import invitations
from views.api.admin.people import people
from views.api.admin.providers import providers
from views.api.admin.reinstating import reinstating

ADMIN_API_BLUEPRINTS = (people, reinstating, groups, invitations, everybody, providers, gates)


def admin_api_blueprints(settings: Settings) -> Iterable[Blueprint]:
    """Return the blueprints that this site has."""
    return ADMIN_API_BLUEPRINTS if settings.admin_api == "on" else ()
