"""Endings: grants end, and applications are told, in the transaction of accounts that ends
a session, an identity or an account (``accounts.endings``).
"""

from sqlalchemy import ColumnElement, Select, select

from accounts.admission import Admission
from issuer import grants, logouts
from issuer.clients import Client
from issuer.models import GrantRow
from storage import atomic, db

SIGNED_OUT, EVERYWHERE, IDENTITY, PERSON = "signed_out", "everywhere", "identity", "person"
REFUSED = "not_admitted"


class Ends:
    """The listener that ``app`` connects."""

    def end_sessions(self, sids: Select[str | None]) -> None:
        """End what needs the session; offline grants go on, and every application is told."""
        logouts.plan_for_sessions(sids)
        grants.end_where(SIGNED_OUT, GrantRow.sid.in_(sids), GrantRow.is_offline.is_(False))

    def end_everywhere(self, user_id: str | None, kept_sid: str | None) -> None:
        """End offline grants too. Sessions are told of separately."""
        which: list[ColumnElement[bool]] = [GrantRow.is_offline.is_(True)]
        which += [GrantRow.user_id == user_id] if user_id is not None else []
        which += [GrantRow.sid.is_distinct_from(kept_sid)] if kept_sid is not None else []
        logouts.plan_for_grants(*which, GrantRow.ended_at.is_(None))
        grants.end_where(EVERYWHERE, *which)

    def end_identity(self, identity_id: str) -> None:
        """End everything that began with an identity."""
        which = GrantRow.identity_id == identity_id
        logouts.plan_for_grants(which, GrantRow.ended_at.is_(None))
        grants.end_where(IDENTITY, which)

    def end_person(self, user_id: str) -> None:
        """End everything of a person; each application is told by ``sub``."""
        logouts.plan_for_person(user_id)
        grants.end_where(PERSON, GrantRow.user_id == user_id)


@atomic
def end_refused(client: Client, admission: Admission) -> int:
    """End the grants of people whom a client's rules do not admit any more, and tell the client;
    return how many people."""
    mine = (GrantRow.client_id == client.id, GrantRow.ended_at.is_(None))
    people = db.session.scalars(select(GrantRow.user_id).where(*mine).distinct()).all()
    refused = [each for each in people if not admission.admits(client, each)]
    for user_id in refused:
        logouts.plan_for_grants(*mine, GrantRow.user_id == user_id)
        grants.end_where(REFUSED, *mine, GrantRow.user_id == user_id)
    return len(refused)
