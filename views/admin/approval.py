"""People who wait for approval: an administrator lets them in, or rejects them."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

import accounts
from models import User
from views.admin.person import find_person
from web.administration import admin_caller, protect_admin
from web.text.messages import message

approval = Blueprint("admin_approval", __name__, url_prefix="/admin/people/<user_id>")
protect_admin(approval)


@approval.post("/approve")
def approve(user_id: str) -> Response:
    """Let a person in, and lead back to where the button was."""
    is_approved = accounts.approve(find_person(user_id).id, admin_caller())
    _tell("account_approved" if is_approved else "not_waiting")
    if request.form.get("from") == "pending":
        return redirect(url_for("admin.people", show="pending"), 303)
    return _to_person(user_id)


@approval.get("/reject")
def ask_reject(user_id: str) -> str | Response:
    user = find_person(user_id)
    return render_template("admin/reject.html", person=user) if user.is_pending else _refuse(user)


@approval.post("/reject")
def reject(user_id: str) -> Response:
    """Delete the account of a person who waits."""
    user = find_person(user_id)
    if accounts.reject(user.id, admin_caller()) is None:
        return _refuse(user)
    _tell("account_rejected")
    return redirect(url_for("admin.people", show="pending"), 303)


def _refuse(user: User) -> Response:
    _tell("not_waiting")
    return _to_person(user.id)


def _to_person(user_id: str) -> Response:
    return redirect(url_for("admin_person.show", user_id=user_id), 303)


def _tell(code: str) -> None:
    flash(message(code), "problem" if code == "not_waiting" else "ok")
