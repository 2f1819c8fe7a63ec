"""Sign in and out: the page with the buttons, and the way out."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from accounts import activity
from accounts.activity import EventKind
from errors import SeveralSessions
from web.authentication import current_session, is_signed_in
from web.context import site
from web.request_info import caller
from web.request_state import request_state
from web.session import end_session
from web.sign_in_page import sign_in_page
from web.text.messages import message

login = Blueprint("login", __name__)


@login.get("/")
def home() -> Response:
    return redirect(url_for("account.show" if is_signed_in() else "login.choose"))


@login.get("/login")
def choose() -> str:
    """Show one control per provider."""
    is_ambiguous = not is_signed_in() and request_state().has_ambiguous_session
    return sign_in_page(SeveralSessions() if is_ambiguous else None)


@login.get("/logout")
def ask_sign_out() -> str | Response:
    if not is_signed_in():
        return redirect(url_for("login.choose"))
    return render_template("logout.html")


@login.post("/logout")
def sign_out() -> Response:
    session = current_session()
    if session:
        activity.record(session.user_id, EventKind.SIGNED_OUT, caller(), provider=session.provider)
        label = site().label(session.provider)
        end_session()
        flash(message("signed_out", provider=label), "signed_out")
    return redirect(url_for("login.choose"), 303)
