"""Profiles made of sample responses, with changes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from providers import PROVIDERS
from providers.base import Profile

SAMPLES = {
    name: json.loads((Path(__file__).parent / f"samples/{name}.json").read_text(encoding="utf-8"))
    for name in PROVIDERS
}


def short(value: object) -> str:
    """A test id for a value; Python refuses to print the largest integers."""
    return f"{value.bit_length()} bits" if isinstance(value, int) else ascii(value)[:20]


def answers(provider: str, **changes: Any) -> dict[str, Any]:
    """The sample's responses; each change replaces one of the provider's values."""
    said = json.loads(json.dumps(SAMPLES[provider]["answers"]))
    first = next(iter(said.values()))
    first.update(changes)
    return dict(said)


def profile_of(name: str, said: Mapping[str, Any]) -> Profile:
    """Call the provider's profile function; a response that is an exception is raised."""

    def get(url: str) -> Any:
        answer = said[url]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return PROVIDERS[name].profile(get)


def github(emails: Any = None, **values: Any) -> Profile:
    said = answers("github", **values)
    if emails is not None:
        said["user/emails"] = emails
    return profile_of("github", said)


def row(email: Any, *flags: str) -> dict[str, Any]:
    return {"email": email, "visibility": None} | {
        flag: flag in flags for flag in ("primary", "verified")
    }


A, B = "a@b.example", "b@b.example"
