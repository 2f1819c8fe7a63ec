"""Parameters of requests, as applications send them: each once, and plain text (RFC 6749 3.1)."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from urllib.parse import quote_plus

MAX_CHARACTERS = 4096
# With a redirect URI, a code and our name it stays below the 8 kB that servers take as an address.
MAX_STATE_ENCODED = 5632
# Control characters, lone surrogates, and what stands where bytes were no UTF-8.
_STRANGE = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffd]")
# May be given several times (RFC 8707 2).
MANY = frozenset({"resource"})


@dataclass(frozen=True)
class Parameters:
    """``values``: the last value of each; an empty one counts as absent (RFC 6749 3.1)."""

    values: dict[str, str] = field(repr=False)
    resources: tuple[str, ...] = ()
    repeated: frozenset[str] = frozenset()

    def get(self, name: str) -> str | None:
        return self.values.get(name)

    def only(self, names: Collection[str]) -> "Parameters":
        """Return these parameters alone."""
        return Parameters({name: self.values[name] for name in names if name in self.values})

    def is_repeated(self, *names: str) -> bool:
        return bool(self.repeated & set(names)) if names else bool(self.repeated)

    def are_plain(self) -> bool:
        """Return whether all values can be stored and sent on as they are."""
        texts = (*self.values, *self.values.values(), *self.resources)
        return all(is_plain(text) for text in texts)


def is_plain(text: str) -> bool:
    return len(text) <= MAX_CHARACTERS and _STRANGE.search(text) is None


def is_returnable(state: str | None) -> bool:
    """Return whether a state fits into the address of an answer."""
    if state is None:
        return True
    return len(state) <= MAX_CHARACTERS and len(quote_plus(state)) <= MAX_STATE_ENCODED


def read(pairs: Iterable[tuple[str, str]]) -> Parameters:
    """Read names and values in their order."""
    values: dict[str, str] = {}
    seen, repeated, resources = set(), set(), []
    for name, value in pairs:
        if name in MANY:
            resources.append(value)
            continue
        if name in seen:
            repeated.add(name)
        seen.add(name)
        if value:
            values[name] = value
    return Parameters(values, tuple(resources), frozenset(repeated))
