"""Endings: other rooms hear, in the same transaction, that sessions, identities or people end.

``app`` connects the listeners, so this room knows none of the rooms above it. A listener writes
rows and asks nobody.
"""

from typing import Protocol, cast

from flask import Flask, current_app
from sqlalchemy import Select

EXTENSION = "endings"


class Listener(Protocol):
    """A room that keeps something about sessions, identities or people."""

    def end_sessions(self, sids: Select[str | None]) -> None:
        """Hear that the sessions with these sids end."""

    def end_everywhere(self, user_id: str | None, kept_sid: str | None) -> None:
        """Hear that a person, or everybody, signs out everywhere, except in one session."""

    def end_identity(self, identity_id: str) -> None:
        """Hear that an identity is removed from its account."""

    def end_person(self, user_id: str) -> None:
        """Hear that an account is disabled, merged into another, or deleted."""


def init_app(app: Flask) -> list[Listener]:
    """Give an application an empty list of listeners, and return it."""
    listeners: list[Listener] = app.extensions.setdefault(EXTENSION, [])
    return listeners


def listeners() -> list[Listener]:
    return cast(list[Listener], current_app.extensions.get(EXTENSION, []))


def end_everywhere(user_id: str | None, kept_sid: str | None = None) -> None:
    """Tell that a person, or everybody (None), signs out everywhere. Call within the atomic
    verb."""
    for listener in listeners():
        listener.end_everywhere(user_id, kept_sid)


def end_sessions(sids: Select[str | None]) -> None:
    """Tell that sessions end, before their rows are deleted. Call within the atomic verb."""
    for listener in listeners():
        listener.end_sessions(sids)


def end_identity(identity_id: str) -> None:
    """Tell that an identity is removed. Call within the atomic verb."""
    for listener in listeners():
        listener.end_identity(identity_id)


def end_person(user_id: str) -> None:
    """Tell that an account is disabled, merged or deleted, before its rows are. Call within the
    atomic verb."""
    for listener in listeners():
        listener.end_person(user_id)
