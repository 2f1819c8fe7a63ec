"""Steps: what an authorization request needs next from its person (OpenID Connect Core 3.1.2.3)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from accounts.admission import Admission
from issuer import consents
from issuer.authorization import Asked
from storage import now


class Step(Enum):
    """``value``: the fault that stands for it under prompt=none."""

    SIGN_IN = "login_required"
    REAUTHENTICATE = "reauthenticate"
    SWITCH = "other_person"
    SELECT = "selection_required"
    REFUSE = "not_admitted"
    CONSENT = "consent_required"
    GO_ON = ""

    @property
    def fault(self) -> str:
        return "login_required" if self is Step.REAUTHENTICATE else self.value


@dataclass(frozen=True)
class Visitor:
    """The signed-in person and their session. ``is_bound``: they signed in in this very
    browser."""

    user_id: str
    identity_id: str | None
    sid: str
    provider: str
    auth_time: datetime
    is_bound: bool


@dataclass(frozen=True)
class Situation:
    """A request and who is there. ``asked_at``: when the request came; a later authentication is
    the one that it asked for."""

    asked: Asked
    visitor: Visitor
    admission: Admission
    asked_at: datetime
    has_selected: bool


def is_unbound(here: Situation) -> bool:
    """A session that another host planted signs nobody in to an application."""
    return not here.visitor.is_bound


def wants_selection(here: Situation) -> bool:
    return bool(here.asked.prompt & {"select_account", "create"}) and not here.has_selected


def is_other_person(here: Situation) -> bool:
    expected = here.asked.expected_sub
    return expected is not None and here.asked.client.subject_of(here.visitor.user_id) != expected


def wants_fresh_auth(here: Situation) -> bool:
    """Tell whether prompt=login or max_age asks for a newer authentication."""
    auth_time, max_age = here.visitor.auth_time, here.asked.max_age
    if auth_time >= here.asked_at:
        return False
    if "login" in here.asked.prompt:
        return True
    return max_age is not None and now() - auth_time > timedelta(seconds=max_age)


def is_not_admitted(here: Situation) -> bool:
    return not here.admission.admits(here.asked.client, here.visitor.user_id)


def has_to_consent(here: Situation) -> bool:
    return needs_consent(here.asked, here.visitor.user_id)


# In this order.
STEPS = (
    (is_unbound, Step.REAUTHENTICATE),
    (wants_selection, Step.SELECT),
    (is_other_person, Step.SWITCH),
    (wants_fresh_auth, Step.REAUTHENTICATE),
    (is_not_admitted, Step.REFUSE),
    (has_to_consent, Step.CONSENT),
)


def next_step(
    asked: Asked,
    visitor: Visitor | None,
    admission: Admission,
    *,
    asked_at: datetime,
    has_selected: bool,
) -> Step:
    """Return what comes next."""
    if visitor is None:
        return Step.SIGN_IN
    here = Situation(asked, visitor, admission, asked_at, has_selected)
    return next((step for is_next, step in STEPS if is_next(here)), Step.GO_ON)


def needs_consent(asked: Asked, user_id: str) -> bool:
    """Tell whether the person is asked: once for each scope, each time by an app on a device, and
    never by the site's own clients unless they want it."""
    if "consent" in asked.prompt or asked.is_native:
        return True
    if asked.client.is_first_party:
        return False
    given = consents.given(user_id, asked.client.id)
    resource = asked.resource.id if asked.resource else None
    return given is None or not given.covers(asked.scopes, resource)
