"""``keys status``, ``rotate`` and ``generate``: the keys that seal provider tokens."""

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from flask import current_app
from flask.cli import AppGroup

from accounts import key_rotation
from accounts.key_rotation import Outcome
from commands.console import json_option, needs_database, note, site, tell
from keys.sealing import key_id

keys = AppGroup("keys", help="Count, rotate and generate the keys that seal provider tokens.")

KEY_BYTES = 48
UNKNOWN = "no configured key"


@dataclass(frozen=True)
class Key:
    """A key of the settings: its variable and its id, not the key itself."""

    setting: str
    position: int
    id: str

    @property
    def place(self) -> str:
        return f"{self.setting}, no. {self.position}"


def configured() -> list[Key]:
    """Return all keys that open, the sealing key first (web/flask_config.py)."""
    settings, config = site().settings, current_app.config
    values = [
        ("TOKEN_ENCRYPTION_KEYS", k.get_secret_value()) for k in settings.token_encryption_keys
    ]
    values.append(("SECRET_KEY", config["SECRET_KEY"]))
    values += [("SECRET_KEY_FALLBACKS", text) for text in config["SECRET_KEY_FALLBACKS"]]
    seen: Counter[str] = Counter()
    found = []
    for setting, text in values:
        seen[setting] += 1
        found.append(Key(setting, seen[setting], key_id(text)))
    return found


def _counts() -> dict[str, Counter[str]]:
    """Count the values that each key has sealed: by place, then by key id."""
    return {place.name: key_rotation.count(place) for place in key_rotation.PLACES}


@keys.command("status")
@json_option
@needs_database
def status(*, as_json: bool) -> None:
    """Count the values that each key has sealed.

    Keys are shown by an id that reveals nothing about them.
    """
    counts, known = _counts(), configured()
    items: list[dict[str, Any]] = [
        {**asdict(key), "seals": key.id == known[0].id, "sealed": _sealed(counts, key.id)}
        for key in known
    ]
    lost = {key for each in counts.values() for key in each} - {key.id for key in known}
    gone = {name: sum(each[key] for key in lost) for name, each in counts.items()}
    lines = [
        f"{item['id']}  {key.place}{' (seals)' if item['seals'] else ''}: {_words(item['sealed'])}"
        for item, key in zip(items, known, strict=True)
    ]
    if lost:
        lines.append(f"{UNKNOWN}: {_words(gone)}")
    tell({"items": items, "unknown": gone}, lines, as_json=as_json)


def _sealed(counts: Mapping[str, Counter[str]], key: str) -> dict[str, int]:
    return {name: each[key] for name, each in counts.items()}


def _words(sealed: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sealed.items())


@keys.command("rotate")
@json_option
@needs_database
def rotate(*, as_json: bool) -> None:
    """Seal everything again with the first key.

    That is the first of TOKEN_ENCRYPTION_KEYS, or SECRET_KEY. Servers may run meanwhile. You may
    interrupt it and run it again. At the end it says which keys you may remove from the settings;
    docs/commands.md has the whole procedure.
    """
    outcomes = {place.name: key_rotation.reseal(place) for place in key_rotation.PLACES}
    needed, free = _needed(outcomes)
    document = {
        "key": configured()[0].id,
        **{name: _numbers(outcome) for name, outcome in outcomes.items()},
        "removable": [asdict(key) for key in free],
        "still_needed": [asdict(key) for key in needed],
    }
    lines = [
        f"{name}: {one.resealed} sealed again, {one.already_new} already new, "
        f"{one.unreadable.total()} unreadable"
        for name, one in outcomes.items()
    ]
    tell(document, [*lines, *_advice(needed, free)], as_json=as_json)
    if any(outcome.unreadable.total() for outcome in outcomes.values()):
        note(
            "Unreadable values were sealed with a key that is not configured, or altered. "
            "They stay as they are: the next sign-in brings a new token."
        )


def _numbers(outcome: Outcome) -> dict[str, int]:
    return {
        "resealed": outcome.resealed,
        "already_new": outcome.already_new,
        "unreadable": outcome.unreadable.total(),
    }


def _needed(outcomes: Mapping[str, Outcome]) -> tuple[list[Key], list[Key]]:
    """Return the keys after the first that are still needed to open something, and the others."""
    counts = _counts()
    readable = {name: each - outcomes[name].unreadable for name, each in counts.items()}
    known = configured()
    older = [key for key in known if key.id != known[0].id]
    needed = [key for key in older if any(_sealed(readable, key.id).values())]
    return needed, [key for key in older if key not in needed and key.setting != "SECRET_KEY"]


def _advice(needed: list[Key], free: list[Key]) -> list[str]:
    if needed:
        places = "; ".join(key.place for key in needed)
        return [f"Still needed: {places}. Does every server run with the new key first? Run again."]
    lines = ["Everything is sealed with the first key."]
    if free:
        places = "; ".join(key.place for key in free)
        lines.append(f"May be removed once every server has the new key first: {places}.")
    if any(key.setting == "SECRET_KEY_FALLBACKS" for key in free):
        lines.append(
            "SECRET_KEY_FALLBACKS also sign browser cookies, for up to 90 days: without them "
            "nobody is signed out, but open forms expire and sensitive acts need a new sign-in."
        )
    return lines


@keys.command("generate")
@json_option
def generate(*, as_json: bool) -> None:
    """Print a new key.

    For SECRET_KEY or TOKEN_ENCRYPTION_KEYS. It is not stored anywhere.
    """
    key = secrets.token_urlsafe(KEY_BYTES)
    tell({"key": key, "id": key_id(key)}, [key], as_json=as_json)
