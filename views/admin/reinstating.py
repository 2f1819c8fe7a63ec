"""Undoing what was done for a person's safety: a suspension, a hold, a planned deletion."""

from flask import Blueprint, flash, redirect, url_for
from werkzeug.wrappers import Response

from accounts import reinstating as verbs
from views.admin.person import find_person
from web.administration import admin_caller, protect_admin
from web.context import site
from web.text.messages import message

reinstating = Blueprint("admin_reinstating", __name__, url_prefix="/admin/people/<user_id>")
protect_admin(reinstating)


@reinstating.post("/identities/<identity_id>/lift")
def lift(user_id: str, identity_id: str) -> Response:
    """Have a suspended sign-in method open the account again."""
    user = find_person(user_id)
    lifted = verbs.lift_suspension(user.id, identity_id, admin_caller())
    label = site().label(lifted.provider) if lifted else ""
    return _back(user_id, "suspension_lifted", is_done=lifted is not None, provider=label)


@reinstating.post("/release")
def release(user_id: str) -> Response:
    """Let the account be changed again."""
    is_done = verbs.release_hold(find_person(user_id).id, admin_caller())
    return _back(user_id, "hold_released", is_done=is_done)


@reinstating.post("/keep")
def keep(user_id: str) -> Response:
    """Call the planned deletion off."""
    is_done = verbs.keep(find_person(user_id).id, admin_caller())
    return _back(user_id, "account_kept", is_done=is_done)


def _back(user_id: str, code: str, *, is_done: bool, **values: str) -> Response:
    text = message(code, **values) if is_done else message("nothing_to_undo")
    flash(text, "ok" if is_done else "problem")
    return redirect(url_for("admin_person.show", user_id=user_id), 303)
