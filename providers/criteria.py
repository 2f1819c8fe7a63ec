"""Questions of the operator's rules about a person at a provider: conditions, criteria and facts.

Values only. Each provider lists its criteria; ``protocols/facts.py`` asks them.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from errors import ProviderError
from providers.answers import HTTPAnswer

T = TypeVar("T")


class Standing(StrEnum):
    """How a person stands to a condition; the values are stored."""

    MET = "met"
    # The provider says no.
    NOT_MET = "not_met"
    # The token lacks the scope of the criterion, which a new consent adds.
    NEEDS_CONSENT = "needs_consent"
    # The provider refuses the token for good: only a new sign-in shows more.
    GRANT_ENDED = "grant_ended"
    # It could not be asked now.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the operator's rules, as ``github.org = "acme"``.

    ``provider``: a provider's name; empty for a condition on the address. ``kind``: the name of the
    criterion, or the path of a claim.
    """

    provider: str
    kind: str
    value: str
    # The name of the provider in the rules, if it differs.
    prefix: str = ""

    @property
    def name(self) -> str:
        """Return the condition in one line, which is stored and logged."""
        before = self.prefix or self.provider
        return f"{before}.{self.kind}={self.value}" if before else f"{self.kind}={self.value}"


@dataclass(frozen=True, slots=True)
class Fact:
    """How a person stood to a condition when the provider was asked.

    ``detail`` is for logs and commands. ``validator`` is for the next time the same is asked: the
    ETag of the answer (RFC 9110 8.8.3), or the place where a claim was found.
    """

    standing: Standing
    detail: str = ""
    validator: str = ""

    @classmethod
    def of(cls, row: Mapping[str, str]) -> "Fact":
        """Return the fact that was stored as its fields."""
        return cls(Standing(row["standing"]), row["detail"], row["validator"])


def met(detail: str = "", validator: str = "") -> Fact:
    return Fact(Standing.MET, detail, validator)


def not_met(detail: str, validator: str = "") -> Fact:
    return Fact(Standing.NOT_MET, detail, validator)


def met_if(is_met: bool, otherwise: str, validator: str = "") -> Fact:
    return met(validator=validator) if is_met else not_met(otherwise, validator)


class Ask(Protocol):
    """The reader that a criterion gets: the person's claims, and the API on their behalf.

    Everything raises ProviderError when it cannot be read, NotShared when it is not there.
    """

    @property
    def subject(self) -> str:
        """Return the person's subject here."""

    @property
    def earlier(self) -> Fact | None:
        """Return the fact of the last time this was asked, if it was."""

    @property
    def is_sign_in(self) -> bool:
        """Whether this is a sign-in, so that the ID token is at hand."""

    @property
    def values(self) -> tuple[str, ...]:
        """Return all values that the rules name for this criterion."""

    def once(self, what: str, find: Callable[[], T]) -> T:
        """Find something once for all conditions on this person."""

    def get(self, path: str) -> Any:
        """Return ``id_token``, ``userinfo``, ``token``, or JSON of the API."""

    def send(
        self, path: str, *, document: object = None, headers: Mapping[str, str] | None = None
    ) -> HTTPAnswer:
        """Send a GET, or ``POST path`` with a document, whatever the status says."""

    def read(self, reply: HTTPAnswer) -> Any:
        """Return the JSON of a reply."""

    def known_id(self, place: str) -> str:
        """Return the lasting id under which an organisation was first seen; empty if never."""

    def learn_id(self, place: str, lasting_id: str) -> None:
        """Remember it, unless it is known."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """Something that can be asked about a person.

    ``read`` gets the value that the rules name. ``noun``: what the person has, with ``{value}``.
    ``pattern``: the values that make sense; ``example``: one of them. ``scope``: what the sign-in
    must ask for. ``covered_by``: wider scopes, of which the provider names only the widest.
    """

    read: Callable[[Ask, str], Fact]
    noun: str
    _: KW_ONLY
    example: str
    pattern: str = r"\S(.{0,198}\S)?"
    scope: str = ""
    covered_by: frozenset[str] = frozenset()
    # Whether a stored token can ask again; otherwise only a sign-in shows it.
    is_asked_again: bool = True
    # The parameter of an authorization request that has the provider offer such accounts. It is no
    # check: anybody may take it away.
    hint: str = ""
    # Whether the provider's names of these ignore case.
    folds_case: bool = False

    def fault(self, value: str) -> str | None:
        """Say why no person can meet this value; None if one can."""
        is_good = re.fullmatch(self.pattern, self.normal(value)) is not None
        return None if is_good else f"must be such as {self.example!r}"

    def normal(self, value: str) -> str:
        """Return the value as it is compared."""
        return value.lower() if self.folds_case else value

    def missing_scopes(self, granted: Collection[str]) -> list[str]:
        """Return the scopes that a token lacks."""
        if self.covered_by & set(granted):
            return []
        return [scope for scope in self.scope.split() if scope not in granted]


def claim_is(
    claim: str, noun: str, *, example: str, pattern: str = r"\S+", hint: str = ""
) -> Criterion:
    """Build the criterion of a claim of the ID token, which only a sign-in shows."""

    def read(ask: Ask, value: str) -> Fact:
        said = ask.get("id_token").get(claim)
        return met_if(said == value, f"{claim} is {told(said)}")

    return Criterion(read, noun, example=example, pattern=pattern, is_asked_again=False, hint=hint)


def told(value: object) -> str:
    """Describe what a provider says in a few words, for a log."""
    if value is None:
        return "missing"
    return repr(value)[:80] if isinstance(value, str | int | bool) else type(value).__name__


def rows_of(value: object) -> list[Mapping[str, Any]]:
    """Return the objects of a list. Raises ProviderError for anything else."""
    if not isinstance(value, list):
        raise ProviderError(f"the answer has {told(value)} where a list belongs")
    return [row for row in value if isinstance(row, dict)]


# The criteria of one provider, by name.
Criteria = Mapping[str, Criterion]
