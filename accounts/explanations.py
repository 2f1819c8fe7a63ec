"""Explains why the operator's rules let a person in, or do not: each rule with its result, and how
old that is. Nobody is asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from access import checks
from access.checks import Held
from access.rules import Rules
from access.verdicts import Verdict
from accounts import entry, identities
from accounts.rules import Policy
from models import Identity
from providers.criteria import Fact, Standing
from storage import now


@dataclass(frozen=True)
class Result:
    """The result of one rule. ``counts``: whether it lets the person in, perhaps for now only,
    while the provider cannot be asked. ``detail`` is English, for operators."""

    rule: str
    standing: Standing
    counts: bool
    detail: str
    checked_at: datetime | None
    failing_since: datetime | None


@dataclass(frozen=True)
class Explained:
    """An identity and the rules about it. ``is_usable``: False if its provider is off."""

    identity: Identity
    is_usable: bool
    results: tuple[Result, ...]


@dataclass(frozen=True)
class Explanation:
    """Whether a person is in. ``denied``: the entry that keeps them out; empty if none does.
    ``is_admitted``: an invitation lets them in, whether a rule is met or not."""

    is_in: bool
    denied: str
    is_admitted: bool
    roles: list[str]
    identities: list[Explained]


def explain(user_id: str, policy: Policy) -> Explanation | None:
    """Explain a person's access; None if there are no rules."""
    rules, verdict = policy.access, entry.verdict_of(user_id, policy)
    if rules is None or verdict is None:
        return None
    return Explanation(
        verdict.is_in,
        verdict.denied,
        verdict.is_admitted,
        rules.roles_of(verdict.met) if verdict.is_in else [],
        [_explained(each, verdict, rules) for each in identities.of_user(user_id)],
    )


def _explained(identity: Identity, verdict: Verdict, rules: Rules) -> Explained:
    outcome = verdict.outcomes.get(identity.id)
    kept = checks.of_identity(identity.id)
    facts: Mapping[str, Fact] = outcome.facts if outcome else {}
    results = tuple(_result(name, facts[name], kept.get(name), rules) for name in facts)
    return Explained(identity, outcome is not None, results)


def _result(name: str, fact: Fact, held: Held | None, rules: Rules) -> Result:
    if held is None:
        return Result(name, fact.standing, fact.standing is Standing.MET, fact.detail, None, None)
    said = held.fact
    counts = held.counts(rules.grace, now())
    return Result(name, said.standing, counts, said.detail, held.checked_at, held.failing_since)
