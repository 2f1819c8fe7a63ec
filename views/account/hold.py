"""The page of an account on hold: why its changes wait, and how its person ends that."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from accounts import disowning
from accounts.holds import Hold
from views.account.names import handles_of
from web.authentication import this_session, this_user
from web.context import site
from web.guards import BOUND, LIMITED, SIGNED_IN, protect
from web.request_info import caller
from web.text.messages import message

hold = Blueprint("hold", __name__, url_prefix="/account/hold")
protect(hold, LIMITED, SIGNED_IN, BOUND)


@hold.get("")
def show() -> str | Response:
    user, session = this_user(), this_session()
    if user.held_at is None:
        return redirect(url_for("account.show"))
    openers = [each for each in disowning.openers(user.id) if site().can_use(each)]
    return render_template(
        "hold.html",
        user=user,
        is_asked_for=user.held_reason == Hold.NOT_ME,
        can_end=disowning.can_end_hold(user.id, session.id),
        disowned=disowning.disowned(user.id),
        openers=openers,
        handles=handles_of(user.identities),
    )


@hold.post("")
def end() -> Response:
    """End the hold; what the form names is the person's after all."""
    session = this_session()
    disowning.end_hold(session.user_id, session.id, request.form.getlist("mine"), caller())
    flash(message("hold_ended"), "ok")
    return redirect(url_for("account.show"), 303)
