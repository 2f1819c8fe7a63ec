"""The blueprints of the operator's pages; ADMIN=off leaves them out."""

from collections.abc import Iterable

from flask import Blueprint

from config.settings import Settings
from views.admin.applications import applications
from views.admin.approval import approval
from views.admin.becoming import admin_link
from views.admin.events import events
from views.admin.gates import gates
from views.admin.groups import groups
from views.admin.invitations import invitations
from views.admin.mails import mails
from views.admin.outboxes import outboxes
from views.admin.people import admin
from views.admin.person import person
from views.admin.providers import providers
from views.admin.reinstating import reinstating

ADMIN_BLUEPRINTS = (
    admin,
    person,
    approval,
    mails,
    reinstating,
    groups,
    invitations,
    events,
    providers,
    applications,
    gates,
    outboxes,
    admin_link,
)


def admin_blueprints(settings: Settings) -> Iterable[Blueprint]:
    """Return the blueprints that this site has."""
    return ADMIN_BLUEPRINTS if settings.admin == "on" else ()
