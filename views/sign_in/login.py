"""Sign in and out: the page with the buttons, and the way out."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from errors import SeveralSessions
from web.authentication import current_session, is_signed_in
from web.context import site
from web.error_handlers import headers_of
from web.failure_page import shown_failure
from web.request_state import request_state
from web.return_to import asked_return
from web.session import end_session
from web.session_cookie import find_waiting_session
from web.sign_in_page import sign_in_page
from web.text.messages import message

login = Blueprint("login", __name__)


@login.get("/")
def home() -> Response:
    return redirect(url_for("account.show" if is_signed_in() else "login.choose"))


@login.get("/login")
def choose() -> str | Response | tuple[str, int, dict[str, str]]:
    """Show one control per provider and, after a failed callback, what happened."""
    if failure := shown_failure():
        return sign_in_page(failure), failure.status, headers_of(failure)
    if _is_waiting():
        return redirect(url_for("waiting.show", next=asked_return(request.args) or None))
    is_ambiguous = not is_signed_in() and request_state().has_ambiguous_session
    return sign_in_page(SeveralSessions() if is_ambiguous else None)


def _is_waiting() -> bool:
    """Tell whether this browser's account waits for approval, unless its person wants another."""
    wants_another = "switch" in request.args
    return not (wants_another or is_signed_in()) and find_waiting_session() is not None


@login.get("/logout")
def ask_sign_out() -> str | Response:
    if not is_signed_in():
        return redirect(url_for("login.choose"))
    return render_template("logout.html")


@login.post("/logout")
def sign_out() -> Response:
    session = current_session() or find_waiting_session()
    if session:
        label = site().label(session.provider)
        end_session()
        flash(message("signed_out", provider=label), "signed_out")
    return redirect(url_for("login.choose"), 303)
