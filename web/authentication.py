"""The current user and session: by a bearer token or the session cookie, never by both."""

from flask import redirect, request, url_for
from flask_login import AnonymousUserMixin, LoginManager
from werkzeug.local import LocalProxy
from werkzeug.wrappers import Response

from accounts import sessions, users
from accounts.begun import Begun
from accounts.ended_sessions import EndReason
from errors import AccountDeleted, SignedOut
from models import Session, User
from storage import db
from web.bearer import is_bearer, load_bearer_login
from web.paths import path_of
from web.request_state import Login, request_state
from web.return_to import local_path
from web.session_cookie import load_session_login, load_usual_login, read_end

ANONYMOUS = AnonymousUserMixin()


def current_login() -> Login:
    """Return the login of this request, which is loaded once, when it is asked for."""
    state = request_state()
    if state.login is None:
        state.login = load_bearer_login() if is_bearer() else load_session_login()
    return state.login


def load_without_user() -> None:
    """Load the login of this request without its user's row, where that is usual; elsewhere
    ``current_login`` loads it. For views that need the person's id only."""
    state = request_state()
    if state.login is None and not is_bearer():
        state.login = load_usual_login()


def current_user() -> User | None:
    """Return the signed-in user."""
    login = current_login()
    if login.user is None and login.session is not None:
        login.user = db.session.get(User, login.session.user_id)
    return login.user


def this_user() -> User:
    """Return the user, in a view that only signed-in people reach."""
    user = current_user()
    assert user is not None
    return user


def current_user_id() -> str | None:
    login = current_login()
    if login.session is not None:
        return login.session.user_id
    return login.user.id if login.user else None


def is_signed_in() -> bool:
    return current_user_id() is not None


def current_session() -> Session | Begun | None:
    """Return the session of this request's cookie; None for a bearer token."""
    return current_login().session


def current_session_id() -> str | None:
    """Return the id of the session that acts; None for a bearer token."""
    session = current_session()
    return session.id if session else None


def this_session() -> Session | Begun:
    """Return the session, in a view that only signed-in people reach."""
    session = current_session()
    assert session is not None
    return session


def forget_login() -> None:
    """Take this request for anybody's from here on: nobody is signed in any more, or the page
    that follows must not ask the database."""
    request_state().login = Login()


def ended_meanwhile() -> SignedOut | None:
    """Return how this request's session ended, if it was alive when the request began."""
    login = request_state().login
    if login is None or login.ids is None:
        return None
    user_id, session_id = login.ids
    if sessions.exists(session_id):
        return None
    if users.exists(user_id):
        return SignedOut("the session has ended")
    return AccountDeleted("the account is gone")


def ended_before() -> SignedOut | None:
    """Return how the session of this request's cookie was ended from elsewhere, if it was."""
    if is_bearer() or is_signed_in():
        return None
    ended = read_end()
    if ended and ended.reason in (EndReason.DELETED, EndReason.REJECTED, EndReason.MERGED):
        return AccountDeleted("the account is gone")
    return SignedOut("the session has ended") if ended else None


# The user for templates and for Flask-Login: loaded only when it is looked at.
visitor = LocalProxy(lambda: current_user() or ANONYMOUS)


class SessionLoginManager(LoginManager):
    """Flask-Login without what it keeps in cookies: the session's row says who is signed in."""

    def _load_user(self) -> None:
        self._update_request_context_with_user(visitor)

    def _update_remember_cookie(self, response: Response) -> Response:
        return response


login_manager = SessionLoginManager()


@login_manager.unauthorized_handler
def redirect_to_sign_in() -> Response:
    """Redirect anonymous visitors to sign-in. A GET returns to its page; a POST is not
    replayed."""
    wanted = path_of(request) if request.method == "GET" else ""
    return redirect(url_for("login.choose", next=local_path(wanted) or None))
