"""The page of a person whose account waits for the operator's approval.

Their session lets them in nowhere (accounts/sessions.py), so these views look it up themselves.
Until the approval a person can sign out, or delete the account.
"""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from models import Session
from views.account.personal import answer_deletion, deletion_page
from web.authentication import is_signed_in
from web.guards import LIMITED, protect
from web.return_to import asked_return
from web.session_cookie import find_waiting_session

waiting = Blueprint("waiting", __name__)
protect(waiting, LIMITED)


@waiting.get("/waiting")
def show() -> str | Response:
    """Show that the account waits; once it is approved, go on to ``next``."""
    return_to = asked_return(request.args)
    if is_signed_in():
        return redirect(return_to or url_for("account.show"))
    session = find_waiting_session()
    if session is None:
        return redirect(url_for("login.choose", next=return_to or None))
    return render_template("waiting.html", person=session.user, return_to=return_to)


@waiting.get("/waiting/delete")
def ask_delete() -> str | Response:
    session = find_waiting_session()
    return deletion_page(session.user_id) if session else _not_waiting()


@waiting.post("/waiting/delete")
def delete() -> Response | tuple[str, int]:
    session: Session | None = find_waiting_session()
    return answer_deletion(session) if session else _not_waiting()


def _not_waiting() -> Response:
    return redirect(url_for("waiting.show"), 303)
