"""Mails that an administrator sends from a person's page."""

from flask import Blueprint, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from accounts import admin_mails, directory
from storage import is_id
from views.admin.person import find_person
from web.administration import admin_caller, protect_admin
from web.text.messages import message

mails = Blueprint("admin_mails", __name__, url_prefix="/admin/people/<user_id>")
protect_admin(mails)


@mails.post("/ask-to-sign-in")
def ask_to_sign_in(user_id: str) -> Response:
    """Ask the person by mail to sign in again."""
    is_told = admin_mails.ask_to_sign_in_again(find_person(user_id).id, admin_caller())
    return _back(user_id, "sign_in_asked" if is_told else "nobody_told", is_done=is_told)


@mails.post("/offer-merge")
def offer_merge(user_id: str) -> Response:
    """Tell the persons of this account and another by mail how they become one."""
    this, other = find_person(user_id), request.form.get("other", "").strip()
    if other == this.id or not (is_id(other) and directory.find(other)):
        return _back(user_id, "other_account", is_done=False)
    is_told = admin_mails.offer_merge(this.id, other, admin_caller())
    return _back(user_id, "merge_offered" if is_told else "nobody_told", is_done=is_told)


def _back(user_id: str, code: str, *, is_done: bool) -> Response:
    flash(message(code), "ok" if is_done else "problem")
    return redirect(url_for("admin_person.show", user_id=user_id), 303)
