"""Reads how a person stands to the conditions of the operator's rules: at a sign-in, and again
later with a stored token."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Protocol, TypeVar

import structlog

from errors import AccessRefused, ProviderError
from providers.answers import HTTPAnswer
from providers.base import Get, NotShared, Provider
from providers.criteria import Condition, Fact, Standing, not_met
from providers.http.responses import read_json

log = structlog.get_logger()
T = TypeVar("T")


class Places(Protocol):
    """The lasting ids of the organisations that rules name, which may be renamed."""

    def known(self, place: str) -> str:
        """Return the id under which a place was first seen; empty if never."""

    def learn(self, place: str, lasting_id: str) -> None:
        """Remember a place's id, unless it has one."""


class NoPlaces:
    """Remembers nothing."""

    def known(self, _place: str) -> str:
        return ""

    def learn(self, _place: str, _lasting_id: str) -> None:
        pass


class Send(Protocol):
    """Sends a request with a person's token."""

    def __call__(
        self, path: str, *, document: object = None, headers: Mapping[str, str] | None = None
    ) -> HTTPAnswer: ...


@dataclass(frozen=True)
class Asked:
    """One person to ask about; an ``Ask`` of providers/criteria.py."""

    provider: str
    subject: str
    get: Get
    send: Send
    places: Places
    is_sign_in: bool
    earlier: Fact | None = None
    # All values of this kind that are asked for.
    values: tuple[str, ...] = ()
    _found: dict[str, Any] = field(default_factory=dict)

    def read(self, reply: HTTPAnswer) -> Any:
        return read_json(reply)

    def once(self, what: str, find: Callable[[], T]) -> T:
        if what not in self._found:
            self._found[what] = find()
        found: T = self._found[what]
        return found

    def known_id(self, place: str) -> str:
        return self.places.known(f"{self.provider}:{place}")

    def learn_id(self, place: str, lasting_id: str) -> None:
        if lasting_id:
            self.places.learn(f"{self.provider}:{place}", lasting_id)


def no_token(
    path: str, *, document: object = None, headers: Mapping[str, str] | None = None
) -> HTTPAnswer:
    """The ``Send`` of an ID token that came alone."""
    del path, document, headers
    raise NotShared("an ID token alone lets nothing else be asked")


def read_facts(
    provider: Provider,
    conditions: Collection[Condition],
    asked: Asked,
    granted: Collection[str] | None,
    earlier: Mapping[str, Fact] | None = None,
) -> dict[str, Fact]:
    """Return one fact for each condition, by its name. ``granted``: the scopes of the token; None:
    there is no token.

    Raises AccessRefused if a stored token is refused, nothing else.
    """
    asked, facts = replace(asked, get=cache(asked.get)), {}
    for condition in conditions:
        values = tuple(each.value for each in conditions if each.kind == condition.kind)
        last = (earlier or {}).get(condition.name)
        about = replace(asked, earlier=last, values=values)
        facts[condition.name] = _fact(provider, condition, about, granted)
    for name, fact in facts.items():
        if fact.standing is not Standing.MET:
            what = {"rule": name, "standing": fact.standing.value, "detail": fact.detail}
            log.info("rule_not_met", provider=provider.name, **what)
    return facts


def _fact(
    provider: Provider, condition: Condition, asked: Asked, granted: Collection[str] | None
) -> Fact:
    criterion = provider.criterion(condition.kind)
    assert criterion is not None  # rules that name another are refused at the start
    if granted is not None and (lacking := criterion.missing_scopes(granted)):
        return Fact(Standing.NEEDS_CONSENT, f"the token lacks the scope {' '.join(lacking)}")
    try:
        return criterion.read(asked, condition.value)
    except NotShared as error:
        return Fact(Standing.UNKNOWN, error.detail) if granted is None else not_met(error.detail)
    except AccessRefused as error:
        if not asked.is_sign_in:
            raise
        return Fact(Standing.UNKNOWN, error.detail)
    except ProviderError as error:
        return Fact(Standing.UNKNOWN, error.detail)


class AsksNothing:
    """A connector that asks nothing for the operator's rules; ``asking`` has the one that asks."""

    # The conditions of the rules on people here.
    conditions: tuple[Condition, ...] = ()

    def ask_about(self, conditions: Collection[Condition], places: Places) -> None:
        """Read how people stand to these conditions at each sign-in, and request the scopes that
        this needs. Call once, before the first flow."""

    def expect(self, condition: Condition | None) -> None:
        """Have the provider offer accounts that meet the one condition by which people of it come
        in, if it can. Call once, before the first flow."""

    @property
    def asked_again(self) -> tuple[Condition, ...]:
        """Return the conditions that a stored token can ask again; sign-ins show the others."""
        return ()

    def read_facts(
        self,
        subject: str,
        token: Mapping[str, Any],
        scopes: Collection[str],
        earlier: Mapping[str, Fact] | None = None,
    ) -> dict[str, Fact]:
        """Return how a person stands to the conditions of ``asked_again`` now, by their names.

        ``earlier``: the facts of the last time. Raises AccessRefused if the stored token is
        refused; any other failure is a fact.
        """
        del subject, token, scopes, earlier
        return {}
