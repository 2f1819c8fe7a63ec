"""Personal data: the profile, the download, and the deletion of the account."""

import json
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask import session as browser_cookie
from flask_login import login_required
from werkzeug.wrappers import Response

import accounts
from accounts import Deleted
from accounts.begun import Begun
from issuer import consents, personal_data
from models import Session
from storage import atomic, now
from views.account.names import handles_of
from web.authentication import this_session
from web.context import site
from web.guards import BOUND, LIMITED, protect
from web.reauthentication import needs_fresh_auth
from web.request_info import caller
from web.request_state import request_state
from web.session import forget_person
from web.text.messages import message
from web.text.words import DELETION_WORD, moment

personal = Blueprint("personal", __name__, url_prefix="/account")
protect(personal, LIMITED, BOUND)

# The profile.


@personal.get("/profile")
@login_required
def edit() -> str:
    identities = accounts.identities_of(this_session().user_id)
    return render_template(
        "profile.html",
        addresses=[row for row in identities if row.email and row.email_verified],
        pictures=[row for row in identities if row.profile.get("picture")],
        handles=handles_of(identities),
    )


@personal.post("/profile")
@login_required
def save() -> Response:
    session = this_session()
    _save(session.user_id, session.id)
    flash(message("profile_saved"), "ok")
    return redirect(url_for("account.show"), 303)


@atomic
def _save(user_id: str, session_id: str) -> None:
    """Save what the form contains; missing fields stay. An empty choice means the default."""
    form = request.form
    if "name" in form:
        accounts.rename(user_id, form["name"], caller(), session_id)
    if "email" in form:
        accounts.choose_email(user_id, form["email"] or None, caller(), session_id)
    if "picture" in form:
        accounts.choose_picture(user_id, form["picture"] or None, session_id)


# The data.


@personal.get("/data")
@login_required
@needs_fresh_auth
def ask_download() -> str:
    return render_template("data.html")


@personal.post("/data")
@login_required
@needs_fresh_auth
def download() -> Response:
    """Download everything as one JSON file, which includes the event of this download."""
    session = this_session()
    document = personal_data.download(session.user_id, caller(), session.id)
    text = json.dumps(document, indent=2, ensure_ascii=False)
    response = Response(text, mimetype="application/json")
    response.headers["Content-Disposition"] = (
        f'attachment; filename="account-{now():%Y-%m-%d}.json"'
    )
    return response


# The deletion.


@personal.get("/delete")
@login_required
@needs_fresh_auth
def ask_delete() -> str:
    return deletion_page(this_session().user_id)


def deletion_page(user_id: str, *, wrong: bool = False) -> str:
    rows = accounts.identities_of(user_id)
    return render_template(
        "delete.html",
        wrong=wrong,
        to_type=DELETION_WORD,
        methods=[(site().label(row.provider), row.handle) for row in rows],
        apps=[app.client.shown_name for app in consents.of_user(user_id)],
    )


@personal.post("/delete")
@login_required
@needs_fresh_auth
def delete() -> Response | tuple[str, int]:
    return answer_deletion(this_session())


def answer_deletion(session: Session | Begun) -> Response | tuple[str, int]:
    """Delete the account after the word is typed; then clear this browser's cookies."""
    if request.form.get("confirm", "").strip() != DELETION_WORD:
        return deletion_page(session.user_id, wrong=True), 400
    deleted = accounts.delete(session.user_id, caller(), session.id)
    forget_person()
    browser_cookie["deleted"] = _receipt(deleted)
    return redirect(url_for("personal.deleted"), 303)


def _receipt(deleted: Deleted) -> dict[str, Any]:
    """Return the contents of the last page, which the browser keeps: the server has forgotten the
    person."""
    return {
        "methods": [site().label(provider) for provider, _handle in deleted.identities],
        "sessions": deleted.sessions,
        "events": deleted.events,
        "reference": request_state().reference,
        "at": moment(now()),
    }


@personal.get("/deleted")
def deleted() -> str | Response:
    receipt = browser_cookie.get("deleted")
    if receipt is None:
        return redirect(url_for("login.home"))
    return render_template("deleted.html", receipt=receipt)
