"""Whom the job takes next, where many people are signed in."""

from datetime import timedelta

from sqlalchemy import Select, insert, select

from access import checks
from access.models import AccessCheck
from access.rules import Rules
from models import OAuth, User
from storage import atomic, db, now
from tests.site import Sites

RULES = Rules(every=timedelta(hours=1))
MANY = 10_000
FEW = 500
TAKEN = 100


def people() -> Select[str, bool]:
    """Select everybody. In place of sessions a column says who is signed in."""
    return select(OAuth.id, OAuth.email_verified)


@atomic
def add_people() -> None:
    at = now() - timedelta(minutes=1)
    ids = [f"{number:032x}" for number in range(MANY)]
    blank = {"provider": "github", "issuer": "", "email_trusted": False, "profile": {}}
    blank |= {"scopes": "", "linked_at": at, "last_used_at": at}
    db.session.execute(insert(User), [{"id": each, "created_at": at} for each in ids])
    rows = [
        {**blank, "id": each, "user_id": each, "subject": each, "email_verified": number % 20 != 0}
        for number, each in enumerate(ids)
    ]
    db.session.execute(insert(OAuth), rows)
    due = {"rules": checks.fingerprint(RULES), "facts": {}, "due_at": at}
    db.session.execute(insert(AccessCheck), [{**due, "identity_id": each} for each in ids])


def test_ten_thousand_people_are_taken_once_each_and_not_while_they_are_signed_out(
    make_site: Sites,
) -> None:
    site = make_site()
    site.inside(add_people)
    found: list[str] = []
    while taken := site.inside(checks.take_due, RULES, people(), TAKEN):
        assert len(taken) <= TAKEN
        found += taken
    assert len(found) == len(set(found)) == MANY - FEW
