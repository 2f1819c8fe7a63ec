"""The one-time link that makes its opener an administrator."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from accounts import admin_links
from web.administration import ADMIN_NETWORK
from web.authentication import this_session, this_user
from web.guards import BOUND, LIMITED, SIGNED_IN, Guard, protect
from web.reauthentication import needs_fresh_auth
from web.request_info import caller
from web.text.messages import message

admin_link = Blueprint("admin_link", __name__, url_prefix="/admin/become")


def require_open_link() -> None:
    """Raises NotFound for a link that was used, has expired or never was."""
    if not admin_links.is_open((request.view_args or {}).get("token", "")):
        raise NotFound


LINK_OPEN = Guard("link_open", require_open_link)
protect(admin_link, ADMIN_NETWORK, LINK_OPEN, SIGNED_IN, LIMITED, BOUND)


@admin_link.get("/<token>")
@needs_fresh_auth
def ask(token: str) -> str:  # noqa: ARG001 (the form posts to the same address)
    """Show whose account becomes an administrator's: a fresh sign-in makes sure that it is theirs
    who opened the link, not one that somebody else signed their browser in to."""
    return render_template("admin/become.html", person=this_user())


@admin_link.post("/<token>")
@needs_fresh_auth
def use(token: str) -> Response:
    admin_links.use(token, this_session().user_id, caller())
    flash(message("admin_made"), "ok")
    return redirect(url_for("admin.people"), 303)
