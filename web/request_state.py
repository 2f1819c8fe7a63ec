"""The state of one request: a single typed value, held on Flask's ``g``."""

from dataclasses import dataclass, field
from datetime import datetime

from flask import g

from accounts.activity import Caller
from accounts.begun import Begun
from errors import Problem
from models import Session, User


@dataclass
class Login:
    """The sender of a request as the session cookie or a bearer token identifies them."""

    session: Session | Begun | None = None
    # Loaded on first use if this request began the session.
    user: User | None = None
    # Why a bearer token was refused, and when its person signed in at its issuer.
    bearer_problem: Problem | None = None
    bearer_auth_time: datetime | None = None
    # The ids of user and session. Their rows may be deleted while the request runs.
    ids: tuple[str, str] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.session is not None:
            self.ids = self.session.user_id, self.session.id


@dataclass
class RequestState:
    """One request. web/ owns it; what a provider's blueprint knows is in providers/protocols."""

    # The reference that the log lines and the page of this request share.
    reference: str = ""
    # By ``time.perf_counter``.
    began: float | None = None
    address: str | None = None
    caller: Caller | None = None
    # None until it is asked for.
    login: Login | None = None
    # The name by which the session cookie came, and whether several came and none was chosen.
    session_cookie: str | None = None
    has_ambiguous_session: bool = False
    # The provider of a failure that is shown again (web/failure_page.py).
    failed_provider: str | None = None
    # The program that acts, at the administrators' API.
    program: Caller | None = None
    # Cookies to set, by name: value and lifetime in seconds.
    cookies: dict[str, tuple[str, int]] = field(default_factory=dict)
    # Where else a form of this page may lead: an application's origin or scheme.
    form_targets: tuple[str, ...] = ()
    # For how long anybody may keep this answer; None: nobody may.
    public_seconds: int | None = None


def request_state() -> RequestState:
    """Return the state of the current request."""
    state = g.get("request_state")
    if state is None:
        state = g.request_state = RequestState()
    assert isinstance(state, RequestState)
    return state
