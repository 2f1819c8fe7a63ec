"""The link of an invitation. Opening it uses up nothing: a new account does (accounts)."""

from flask import Blueprint, redirect, request, url_for
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response

from access import invitations
from access.refusals import InvitationUnknown
from web.context import site
from web.cookies import is_in_flow
from web.invitation import keep_invitation
from web.request_info import caller, is_navigation
from web.return_to import asked_return

join = Blueprint("join", __name__)


@join.get("/join/<token>")
def open_link(token: str) -> Response:
    """Keep the invitation in this browser, and lead to the sign-in page, whose address has no
    token. The sign-in leads to ``next``."""
    if not is_navigation(request):
        raise BadRequest
    site().limits.check_refusals(caller().address, in_flow=is_in_flow())
    if site().policy.signups == "closed":
        raise InvitationUnknown("SIGNUPS is closed")
    keep_invitation(invitations.find(token))
    return redirect(url_for("login.choose", next=asked_return(request.args) or None))
