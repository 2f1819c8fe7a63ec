"""Pending questions: flows that wait for their person's answer, with their assertion.

A question waits for the browser of its flow and, if a person was signed in, for that person only,
for 10 minutes. Its row is a row of flows, whose secrets are the sealed assertion.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from accounts import actors, flow_rows, flows
from accounts.activity import Caller
from accounts.flows import Flow
from errors import Expired
from providers.base import Assertion, Profile
from providers.criteria import Fact
from storage import atomic, is_id


class Question(StrEnum):
    """The questions that a person may be asked; the values are stored."""

    VERIFY_OWNERSHIP = "prove"
    SWITCH_ACCOUNT = "switch"
    MERGE = "merge"
    KEEP_ACCOUNT = "keep"


@dataclass(frozen=True)
class PendingQuestion:
    """A flow that waits for its person's answer, with its assertion."""

    flow: Flow
    waiting_for: Question
    assertion: Assertion


@atomic
def keep(flow: Flow, question: Question, assertion: Assertion, caller: Caller) -> None:
    """Store a flow's assertion until its person has answered; they have 10 minutes.

    Raises SignedOut if the flow's account or session is gone.
    """
    if flow.user_id:
        actors.lock(flow.user_id, flow.session_id)
    flows.add(flow, asdict(assertion), caller, parked_as=question.value)


def find(
    flow_id: str, *, cookies: Mapping[str, str], user_id: str | None, session_id: str | None
) -> PendingQuestion:
    """Return a pending question of this browser.

    ``cookies``: this browser's flow cookies, by flow id. ``user_id``, ``session_id``: of this
    browser's current session. Raises Expired or StateMismatch.
    """
    row = flow_rows.find(flow_id) if is_id(flow_id) else None
    if row is None or row.parked_as is None:
        raise Expired("no such flow is waiting")
    flows.check_browser(row, cookies, has_cookies=True)
    flows.check_person(row, user_id, session_id)
    held = flow_rows.open_secrets(row)
    assertion = Assertion(
        provider=held["provider"],
        issuer=held["issuer"],
        profile=Profile(**held["profile"]),
        scopes=tuple(held["scopes"]),
        token=held["token"],
        # Accept the earlier name while instances of two releases run.
        auth_time=held.get("auth_time", held.get("proved_at")),
        is_relayed=held.get("is_relayed", False),
        incomplete=held.get("incomplete", ""),
        begun_at=held.get("begun_at"),
        upstream_sid=held.get("upstream_sid", ""),
        facts={name: Fact.of(row) for name, row in held.get("facts", {}).items()},
    )
    return PendingQuestion(flows.flow_of(row, cookies[row.id]), Question(row.parked_as), assertion)


@atomic
def take(flow: Flow) -> None:
    """End a pending question because it is being answered now.

    Raises StateMismatch the second time.
    """
    flow_rows.delete_flow(flow.id, otherwise="that question was answered already")
