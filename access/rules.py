"""The operator's rules on who may come in, and as what.

Pure: the facts about a person are read elsewhere (providers/protocols/facts.py).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import idna

from providers.criteria import Condition, Fact, Standing, met, not_met
from providers.profile import email_key

DOMAIN = "domain"
EVERY = timedelta(hours=1)
GRACE = timedelta(hours=24)
# The most hopeful one counts.
HOPES = (
    Standing.MET,
    Standing.NEEDS_CONSENT,
    Standing.UNKNOWN,
    Standing.GRANT_ENDED,
    Standing.NOT_MET,
)


@dataclass(frozen=True)
class Rule:
    """One rule: whoever meets its condition may come in, with these groups and roles."""

    condition: Condition
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.condition.name


@dataclass(frozen=True)
class Deny:
    """The addresses (``email_key``) and domains that may not come in, whatever else they meet."""

    emails: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()

    def entry_for(self, email: str | None) -> str:
        """Return the entry that denies an address, verified or not; empty if none does."""
        if not email:
            return ""
        if email_key(email) in self.emails:
            return f"deny.emails={email_key(email)}"
        domain = domain_of(email)
        return f"deny.domains={domain}" if domain in self.domains else ""


@dataclass(frozen=True)
class Rules:
    """The rules. A person who meets one of ``allow`` may come in, unless ``deny`` names them:
    without rules, nobody.

    ``every``: how often they are checked for people with a session. ``grace``: how long a person
    stays whom a provider cannot be asked about.
    """

    allow: tuple[Rule, ...] = ()
    deny: Deny = field(default_factory=Deny)
    every: timedelta = EVERY
    grace: timedelta = GRACE

    def conditions_of(self, provider: str) -> tuple[Condition, ...]:
        """Return what has to be asked of a provider."""
        return tuple(
            rule.condition for rule in self.allow if rule.condition.provider == provider != ""
        )

    def only_condition_of(self, provider: str) -> Condition | None:
        """Return the one condition that people of a provider can meet; None if there is none, or
        more than one."""
        found = [rule.condition for rule in self.allow if rule.condition.provider in ("", provider)]
        return found[0] if len(found) == 1 and found[0].provider else None

    def find(self, name: str) -> Rule | None:
        """Return the rule of a name; None if there is none any more."""
        return next((rule for rule in self.allow if rule.name == name), None)

    def groups_of(self, names: Collection[str]) -> list[str]:
        """Return the groups that the rules of these names give, in order."""
        return sorted({group for rule in self.allow if rule.name in names for group in rule.groups})

    def roles_of(self, names: Collection[str]) -> list[str]:
        """Return the roles that the rules of these names give, in order."""
        return sorted({role for rule in self.allow if rule.name in names for role in rule.roles})


@dataclass(frozen=True)
class Candidate:
    """An identity, as far as the rules look at it. ``facts``: by the names of conditions."""

    provider: str
    email: str | None
    email_verified: bool
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How an identity stands to the rules. ``denied``: the entry that denies it. ``facts``: by the
    names of the rules, in their order."""

    denied: str
    facts: Mapping[str, Fact]

    @property
    def met(self) -> tuple[str, ...]:
        """Return the names of the rules that let it in."""
        if self.denied:
            return ()
        return tuple(name for name, fact in self.facts.items() if fact.standing is Standing.MET)

    @property
    def standing(self) -> Standing:
        """Return the most hopeful standing to any rule."""
        if self.denied:
            return Standing.NOT_MET
        found = {fact.standing for fact in self.facts.values()}
        return next((hope for hope in HOPES if hope in found), Standing.NOT_MET)


def evaluate(rules: Rules, candidate: Candidate) -> Outcome:
    """Judge an identity by its address and by the facts about its person."""
    facts: dict[str, Fact] = {}
    for rule in rules.allow:
        if rule.condition.kind == DOMAIN and not rule.condition.provider:
            facts[rule.name] = _domain_fact(candidate, rule.condition.value)
        elif rule.condition.provider == candidate.provider:
            unread = Fact(Standing.UNKNOWN, "not asked yet")
            facts[rule.name] = candidate.facts.get(rule.name, unread)
    return Outcome(rules.deny.entry_for(candidate.email), facts)


def _domain_fact(candidate: Candidate, domain: str) -> Fact:
    if not candidate.email:
        return not_met("no address")
    if domain_of(candidate.email) != domain:
        return not_met("another domain")
    return met() if candidate.email_verified else not_met("the address is not verified")


def domain_of(email: str) -> str:
    """Return the domain of an address in the form that is compared; empty for what is no address
    with one @."""
    local, _, domain = email.partition("@")
    return ascii_domain(domain) if local else ""


def ascii_domain(domain: str) -> str:
    """Return a domain in lower-case ASCII (RFC 5891 4); empty if it is none.

    Nothing else is mapped, so no letter becomes the one that it looks like.
    """
    try:
        return idna.encode(domain.lower(), strict=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return ""
