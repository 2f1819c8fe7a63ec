"""Invitations: links that open an account, made, listed and withdrawn."""

from typing import Any

from flask import Blueprint

from access import invitations as rows
from access.invitations import Invitation as InvitationRow
from accounts import admin_acts
from errors import NotFound
from storage import is_id
from views.api.admin.guard import program_caller, protect_programs
from views.api.admin.site_schemas import (
    Invitation,
    InvitationList,
    InvitationRequest,
    InvitationWithLink,
)
from views.api.operations import operation
from views.api.paging import cut
from views.api.schemas import PageQuery
from web.context import site

invitations = Blueprint("api_admin_invitations", __name__, url_prefix="/api/v1/admin/invitations")
protect_programs(invitations)

FACTS: dict[str, Any] = {"is_of_programs": True}


@invitations.get("")
@operation(query=PageQuery, answer=InvitationList, **FACTS)
def list_invitations(query: PageQuery) -> InvitationList:
    """List invitations, the newest first, with those that were used or have expired."""
    found = rows.kept(query.limit + 1, query.cursor)
    shown, following = cut(found, query.limit, lambda each: (each.created_at, each.id))
    items = [Invitation(**_facts(each)) for each in shown]
    return InvitationList(items=items, next_cursor=following)


@invitations.post("")
@operation(body=InvitationRequest, answer=InvitationWithLink, **FACTS)
def add_invitation(body: InvitationRequest) -> InvitationWithLink:
    """Make an invitation, and return its link, once: only a hash of it is stored.

    A person who opens the link can sign in with any provider and gets an account; with
    SIGNUPS=invited nobody else does.
    """
    invitation, token = admin_acts.add_invitation(
        program_caller(),
        email=body.email,
        groups=body.groups,
        uses=body.uses,
        days=body.days,
        bypass=body.bypass,
    )
    link = f"{site().settings.base_url}/join/{token}"
    return InvitationWithLink(**_facts(invitation), link=link)


@invitations.delete("/<invitation_id>")
@operation(**FACTS)
def remove_invitation(invitation_id: str) -> None:
    """Withdraw an invitation. Accounts that it opened stay."""
    is_known = is_id(invitation_id)
    if not is_known or not admin_acts.remove_invitation(invitation_id, program_caller()):
        raise NotFound("no such invitation")


def _facts(row: InvitationRow) -> dict[str, Any]:
    return {**vars(row), "groups": row.groups, "state": row.state}
