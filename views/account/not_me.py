"""The link of a mail by which a person says that something was not them: GET shows, POST acts.

Mail programs and scanners load links, so a GET changes nothing. Neither asks who is signed in, and
neither signs anybody in, sets a cookie or shows an address.
"""

from flask import Blueprint, current_app, make_response, render_template, request
from werkzeug.wrappers import Response

from accounts import alarms, disowning
from accounts.alarms import Standing
from web.authentication import forget_login
from web.context import site
from web.csrf import SessionCSRF, csrf
from web.request_info import caller
from web.text.alarms import consequences, happened

not_me = Blueprint("not_me", __name__, url_prefix="/not-me")
csrf.exempt(not_me)  # its form has a token of its own, made from the link: there is no cookie

PURPOSE = b"quickstep: form of a mail's link"
FIELD = "proof"


@not_me.get("/<token>")
def show(token: str) -> Response:
    forget_login()
    return _page(token, just_done=False)


@not_me.post("/<token>")
def press(token: str) -> Response:
    """Act, for the form of the page only; without it, show the page again."""
    forget_login()
    here = caller()
    site().limits.count_alarm(here.address)
    if not _proof().is_value_of(token, request.form.get(FIELD, "")):
        return _page(token, just_done=False, status=403)
    return _page(token, just_done=disowning.press(token, here))


def _page(token: str, *, just_done: bool, status: int = 200) -> Response:
    shown = alarms.find(token)
    provider = site().label(shown.provider) if shown.provider else ""
    if status == 200 and shown.standing is Standing.TOO_OLD:
        status = 410
    page = render_template(
        "not_me.html",
        alarm=shown,
        is_failure=status >= 400,
        just_done=just_done,
        provider=provider,
        happened=happened(shown, provider, site().settings.brand_name),
        consequences=consequences(shown, provider, done=shown.standing is Standing.DONE),
        proof=_proof().value_of(token),
    )
    response = make_response(page, status)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _proof() -> SessionCSRF:
    config = current_app.config
    return SessionCSRF([config["SECRET_KEY"], *config["SECRET_KEY_FALLBACKS"]], PURPOSE)
