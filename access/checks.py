"""Facts about identities, which are kept until their provider is asked again.

While a provider cannot be asked, its latest definite answer counts for as long as the rules grant.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, insert, literal, not_, select, update

from access.models import AccessCheck
from access.rules import Rules
from providers.criteria import Fact, Standing
from storage import atomic, db, now

# The provider did not answer, so what it said before counts for a while.
UNANSWERED = (Standing.UNKNOWN, Standing.GRANT_ENDED)
MAX_DETAIL, MAX_VALIDATOR = 200, 300
# How many due rows are looked at together, and when one is due again whose check broke off.
LOOKED_AT, AGAIN_AFTER = 100, timedelta(minutes=10)


@dataclass(frozen=True)
class Held:
    """A fact as it is kept. ``was_met``: whether the latest definite answer let in.
    ``failing_since``: when the provider first did not answer, if it did not the last time."""

    fact: Fact
    checked_at: datetime
    was_met: bool = False
    failing_since: datetime | None = None

    def counts(self, grace: timedelta, at: datetime) -> bool:
        """Whether the condition counts as met."""
        if self.failing_since is None:
            return self.was_met
        return self.was_met and at < self.failing_since + grace

    def effective(self, grace: timedelta, at: datetime) -> Fact:
        """Return the fact as the rules are to see it."""
        return replace(self.fact, standing=Standing.MET) if self.counts(grace, at) else self.fact


Facts = Mapping[str, Held]


def take(earlier: Held | None, fact: Fact, at: datetime) -> Held:
    """Return a new fact as it is kept, after an earlier one."""
    if fact.standing not in UNANSWERED:
        return Held(fact, at, was_met=fact.standing is Standing.MET)
    if earlier is None:
        return Held(fact, at, failing_since=at)
    return Held(fact, at, earlier.was_met, earlier.failing_since or at)


def take_all(earlier: Facts, facts: Mapping[str, Fact], at: datetime) -> Facts:
    """Do the same with all facts of an identity; what was not asked stays."""
    return {**earlier, **{name: take(earlier.get(name), facts[name], at) for name in facts}}


def take_signed_in(earlier: Facts, facts: Mapping[str, Fact], at: datetime) -> Facts:
    """Return the facts of a sign-in after earlier ones: an ID token alone knows less than they do,
    which is no failure of the provider."""
    said = {
        name: fact
        for name, fact in facts.items()
        if fact.standing is not Standing.UNKNOWN or name not in earlier
    }
    return take_all(earlier, said, at)


def effective(facts: Facts, rules: Rules, at: datetime) -> dict[str, Fact]:
    """Return facts as the rules are to see them."""
    return {name: held.effective(rules.grace, at) for name, held in facts.items()}


def fingerprint(rules: Rules) -> str:
    """Return what tells these rules from others."""
    written = repr((rules.allow, sorted(rules.deny.emails), sorted(rules.deny.domains)))
    return hashlib.sha256(written.encode()).hexdigest()[:32]


def of_identity(identity_id: str) -> Facts:
    """Return what is kept about an identity."""
    return of_identities([identity_id]).get(identity_id, {})


def of_identities(identity_ids: Collection[str]) -> dict[str, Facts]:
    """Return what is kept, by identity."""
    query = select(AccessCheck.identity_id, AccessCheck.facts)
    rows = db.session.execute(query.where(AccessCheck.identity_id.in_(identity_ids))).all()
    return {key: _read(facts) for key, facts in rows}


def read_stored(facts: str | Mapping[str, Any] | None) -> Facts:
    """Return the facts in a value of the column as a driver returns it; none if there is no row."""
    return _read(json.loads(facts) if isinstance(facts, str) else facts or {})


@atomic
def keep(identity_id: str, facts: Facts, rules: Rules) -> None:
    """Keep what was found about an identity now, until it is due again."""
    at = now()
    values = {
        "rules": fingerprint(rules),
        "facts": _write({name: held for name, held in facts.items() if rules.find(name)}),
        "checked_at": at,
        "due_at": at + rules.every,
    }
    this = AccessCheck.identity_id == identity_id
    if db.session.scalar(select(AccessCheck.identity_id).where(this)):
        db.session.execute(update(AccessCheck).where(this).values(**values))
    else:
        db.session.execute(insert(AccessCheck).values(identity_id=identity_id, **values))


@atomic
def begin(rules: Rules, live: Select[str]) -> None:
    """Make due whatever was not checked by these rules: identities of people who are signed in
    (``live`` selects their ids) and were never checked, and all that other rules were about."""
    at, current = now(), fingerprint(rules)
    these = live.subquery()
    identity_id = these.columns[0]
    is_known = select(AccessCheck.identity_id).where(AccessCheck.identity_id == identity_id)
    values = literal(""), literal({}, AccessCheck.facts.type), literal(at, AccessCheck.due_at.type)
    new = select(identity_id, *values).where(not_(is_known.exists()))
    columns = ["identity_id", "rules", "facts", "due_at"]
    db.session.execute(insert(AccessCheck).from_select(columns, new))
    others = update(AccessCheck).where(AccessCheck.rules != current)
    others = others.values(rules=current, due_at=at)
    db.session.execute(others.execution_options(synchronize_session=False))


@atomic
def take_due(rules: Rules, which: Select[str, bool], limit: int) -> list[str]:
    """Return identities that are due, the longest first, of people who are signed in. The others
    wait: a sign-in checks them anyway.

    ``which`` selects the ids of identities, and whether their person is signed in.
    """
    at, these = now(), which.subquery()
    identity_id, is_live = these.columns
    query = select(AccessCheck.identity_id, is_live)
    query = query.join(these, identity_id == AccessCheck.identity_id)
    query = query.where(AccessCheck.due_at <= at).order_by(AccessCheck.due_at).limit(LOOKED_AT)
    rows = db.session.execute(query).all()
    found = [key for key, live in rows if live][:limit]
    _put_off([key for key, live in rows if not live], at + rules.every)
    _put_off(found, at + AGAIN_AFTER)
    return found


def _put_off(identity_ids: Collection[str], until: datetime) -> None:
    if identity_ids:
        these = update(AccessCheck).where(AccessCheck.identity_id.in_(identity_ids))
        these = these.values(due_at=until).execution_options(synchronize_session=False)
        db.session.execute(these)


@atomic
def make_due(identity_id: str) -> None:
    """Have an identity checked soon."""
    _put_off([identity_id], now())


def _write(facts: Facts) -> dict[str, Any]:
    return {
        name: {
            "standing": held.fact.standing.value,
            "detail": held.fact.detail[:MAX_DETAIL],
            "validator": held.fact.validator[:MAX_VALIDATOR],
            "checked_at": held.checked_at.isoformat(),
            "was_met": held.was_met,
            "failing_since": held.failing_since and held.failing_since.isoformat(),
        }
        for name, held in facts.items()
    }


def _read(facts: Mapping[str, Any]) -> Facts:
    return {
        name: Held(
            Fact(Standing(row["standing"]), row["detail"], row["validator"]),
            datetime.fromisoformat(row["checked_at"]),
            row["was_met"],
            row["failing_since"] and datetime.fromisoformat(row["failing_since"]),
        )
        for name, row in facts.items()
    }
