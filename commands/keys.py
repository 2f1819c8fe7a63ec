"""``keys status``, ``rotate`` and ``generate``: the keys that seal provider tokens."""

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

from accounts import key_rotation
from accounts.key_rotation import Outcome, Place
from commands.console import json_option, needs_database, print_note, print_result, site
from commands.progress import show_progress
from commands.signing_keys import rotate_signing_keys
from issuer import signing_keys
from issuer.models import SigningKeyRow
from keys.sealing import key_id
from web.text.words import count_of

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
        """Where the operator finds it in the settings."""
        return f"{self.setting}, no. {self.position}"


def configured_keys() -> list[Key]:
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


PLACES = (
    *key_rotation.PLACES,
    Place("signing_keys", SigningKeyRow, SigningKeyRow.private, signing_keys.bound_to),
)


def _count_sealed() -> dict[str, Counter[str]]:
    """Count the values that each key has sealed: by place, then by key id."""
    return {place.name: key_rotation.count(place) for place in PLACES}


@keys.command("status")
@json_option
@needs_database
def status(*, as_json: bool) -> None:
    """Count the values that each key has sealed.

    Keys are shown by an id that reveals nothing about them.
    """
    counts, known = _count_sealed(), configured_keys()
    items: list[dict[str, Any]] = [
        {**asdict(key), "seals": key.id == known[0].id, "sealed": _sealed_with(counts, key.id)}
        for key in known
    ]
    lost = {key for each in counts.values() for key in each} - {key.id for key in known}
    gone = {name: sum(each[key] for key in lost) for name, each in counts.items()}
    lines = [
        f"{key.id}  {key.place}{' (seals)' if item['seals'] else ''}: "
        + _describe_counts(item["sealed"])
        for item, key in zip(items, known, strict=True)
    ]
    if lost:
        lines.append(f"{UNKNOWN}: {_describe_counts(gone)}")
    print_result({"items": items, "unknown": gone}, lines, as_json=as_json)


def _sealed_with(counts: Mapping[str, Counter[str]], key: str) -> dict[str, int]:
    """Return what one key has sealed."""
    return {name: each[key] for name, each in counts.items()}


def _describe_counts(sealed: Mapping[str, int]) -> str:
    """Write counts as part of a line."""
    return ", ".join(
        count_of(number, name.removesuffix("s").replace("_", " "))
        for name, number in sealed.items()
    )


@keys.command("rotate")
@click.option("--now", "signing", is_flag=True, help="The same as signing-keys rotate --now.")
@json_option
@needs_database
def rotate(*, signing: bool, as_json: bool) -> None:
    """Seal everything again with the first key.

    The first key is the first of TOKEN_ENCRYPTION_KEYS, or SECRET_KEY. Servers may run meanwhile.
    You may interrupt it and run it again. At the end it says which keys you may remove from the
    settings; docs/operate/commands.md has the whole procedure.
    """
    if signing:
        rotate_signing_keys(immediately=True, as_json=as_json)
        return
    with show_progress() as progress:
        outcomes = {place.name: key_rotation.reseal(place, progress.report) for place in PLACES}
    needed, free = _split_older_keys(outcomes)
    document = {
        "key": configured_keys()[0].id,
        **{name: _count_outcome(outcome) for name, outcome in outcomes.items()},
        "removable": [asdict(key) for key in free],
        "still_needed": [asdict(key) for key in needed],
    }
    lines = [
        f"{name.replace('_', ' ')}: {one.resealed} sealed again, {one.already_new} already new, "
        f"{one.unreadable.total()} unreadable"
        for name, one in outcomes.items()
    ]
    print_result(document, [*lines, *_advise(needed, free)], as_json=as_json)
    if any(outcome.unreadable.total() for outcome in outcomes.values()):
        print_note(
            "Unreadable values were sealed with a key that is not configured, or altered. "
            "They stay as they are: the next sign-in brings a new token."
        )


def _count_outcome(outcome: Outcome) -> dict[str, int]:
    """Return an outcome for --json."""
    return {
        "resealed": outcome.resealed,
        "already_new": outcome.already_new,
        "unreadable": outcome.unreadable.total(),
    }


def _split_older_keys(outcomes: Mapping[str, Outcome]) -> tuple[list[Key], list[Key]]:
    """Return the keys after the first that are still needed to open something, and the others."""
    counts = _count_sealed()
    readable = {name: each - outcomes[name].unreadable for name, each in counts.items()}
    known = configured_keys()
    older = [key for key in known if key.id != known[0].id]
    needed = [key for key in older if any(_sealed_with(readable, key.id).values())]
    return needed, [key for key in older if key not in needed and key.setting != "SECRET_KEY"]


def _advise(needed: list[Key], free: list[Key]) -> list[str]:
    """Say which keys the operator may remove from the settings."""
    if needed:
        places = "; ".join(key.place for key in needed)
        return [f"Still needed: {places}. Does every server run with the new key first? Run again."]
    lines = ["Everything is sealed with the first key."]
    if free:
        places = "; ".join(key.place for key in free)
        lines.append(f"May be removed once every server has the new key first: {places}.")
        lines.append(
            "Refresh tokens of applications that were made with a removed key are refused: keep "
            "it for 30 days more, or their people sign in again."
        )
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
    print_result({"key": key, "id": key_id(key)}, [key], as_json=as_json)
