"""Admission: who may use an application, by its rules, the site's allow-list and its rules of
access.

Asked when a person comes to an application, and again at each use of what it was given.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from access import groups, roles
from accounts.entry import is_in
from accounts.identities import of_user
from accounts.rules import Policy, WayIn, any_allowed
from config.settings import Settings
from storage import is_id

EVERYONE = "everyone"
WORDS = "everyone, domain=example.org, group=NAME, role=NAME, user=ID or provider=NAME"
DOMAIN = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?\.[a-z0-9-]+")
PROVIDER = re.compile(r"[a-z0-9_-]{1,64}")

# Reads the names of a person's groups, or of their roles.
Names = Callable[[], Collection[str]]


def fault(rule: str) -> str | None:
    """Return why a rule cannot be used; None if it can."""
    if rule == EVERYONE:
        return None
    kind, _, value = rule.partition("=")
    is_good = {
        "domain": DOMAIN.fullmatch(value) is not None,
        "group": groups.is_name(value),
        "role": groups.is_name(value),
        "user": is_id(value),
        "provider": PROVIDER.fullmatch(value) is not None,
    }.get(kind, False)
    return None if is_good else f"must be {WORDS}"


class Application(Protocol):
    """An application, as far as its rules are asked."""

    @property
    def allow(self) -> Sequence[str]: ...


@dataclass(frozen=True)
class Admission:
    """The site's own rules, and whether an application without rules is everybody's."""

    policy: Policy
    is_open: bool = True

    def admits(self, application: Application, user_id: str) -> bool:
        """Return whether a person may use an application now."""
        if not is_in(user_id, self.policy):
            return False
        if self._admits_everyone(application):
            return True
        return self.admits_person(
            application,
            user_id,
            of_user(user_id),
            lambda: groups.of_user(user_id),
            lambda: roles.of_user(user_id),
        )

    def admits_person(
        self,
        application: Application,
        user_id: str,
        identities: Sequence[WayIn],
        groups_of_person: Names,
        roles_of_person: Names,
    ) -> bool:
        """Return the same of a person whose identities, groups and roles are at hand, and who is in
        by the rules of ACCESS_FILE (accounts/entry.py)."""
        if self._admits_everyone(application):
            return True
        identities = [each for each in identities if each.suspended_at is None]
        if not any_allowed(identities, self.policy):
            return False
        rules = self._rules_of(application)
        named = {"group": groups_of_person, "role": roles_of_person}
        return any(_admits(rule, user_id, identities, named) for rule in rules)

    def _rules_of(self, application: Application) -> Sequence[str]:
        return application.allow or ([EVERYONE] if self.is_open else [])

    def _admits_everyone(self, application: Application) -> bool:
        return EVERYONE in self._rules_of(application) and not self.policy.allowed_email_domains


def admission_of(policy: Policy, settings: Settings) -> Admission:
    return Admission(policy, settings.apps_default == "open")


def _admits(
    rule: str,
    user_id: str,
    identities: Sequence[WayIn],
    named: Mapping[str, Names],
) -> bool:
    kind, _, value = rule.partition("=")
    if kind == "domain":
        return value in _verified_domains(identities)
    if kind == "provider":
        return any(identity.provider == value for identity in identities)
    if kind in named:
        return value in named[kind]()
    return rule == EVERYONE or (kind == "user" and value == user_id)


def _verified_domains(identities: Iterable[WayIn]) -> set[str]:
    return {
        identity.email.rpartition("@")[2].lower()
        for identity in identities
        if identity.email and identity.email_verified and identity.email.isascii()
    }
