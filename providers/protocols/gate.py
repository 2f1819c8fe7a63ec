"""The interface from login blueprints to the application, and their state in a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from flask import g

from providers.base import Assertion, Flow


class Gate(Protocol):
    """Begins and claims flows for the login blueprints."""

    def begin(self, provider: str) -> Flow:
        """Begin a flow to sign in, from the current request. Raises SignInError."""

    def claim(self, provider: str, state: str | None) -> Flow:
        """Return the flow of that state, now used up. Raises SignInError."""

    def pack(self, state: str, value: Mapping[str, object]) -> str:
        """Seal something to carry through a redirect of the callback."""

    def unpack(self, provider: str, state: str, text: str) -> Mapping[str, object]:
        """Open what ``pack`` sealed for that state; empty for anything else. It is kept for a day
        in this browser, in case that its flow fails: the provider says it once."""

    def kept(self, provider: str) -> Mapping[str, object]:
        """Return what an earlier flow of this browser brought; empty if nothing was kept."""


class TokenStore(Protocol):
    """Where provider tokens are stored; it concerns the signed-in person, and raises if there is
    none."""

    def get(self, provider: str) -> dict[str, Any] | None: ...
    def set(self, provider: str, token: Mapping[str, Any]) -> None: ...
    def delete(self, provider: str) -> None: ...


@dataclass
class SignInProgress:
    """The progress of this request's sign-in."""

    flow: Flow | None = None
    assertion: Assertion | None = None
    # Flask-Dance's sessions, by provider.
    sessions: dict[str, Any] = field(default_factory=dict, repr=False)


def sign_in_progress() -> SignInProgress:
    """Return the current request's progress, empty at first."""
    if "sign_in_progress" not in g:
        g.sign_in_progress = SignInProgress()
    return cast(SignInProgress, g.sign_in_progress)


class PerRequestSession:
    """The attribute ``session``: one provider session per blueprint and request.

    Flask-Dance caches it on the blueprint, which all threads share (its issue 163).
    """

    def __get__(self, blueprint: Any, _owner: type | None = None) -> Any:
        if blueprint is None:
            return self
        sessions = sign_in_progress().sessions
        if blueprint.name not in sessions:
            sessions[blueprint.name] = blueprint.new_session()
        return sessions[blueprint.name]

    def __set__(self, blueprint: Any, value: Any) -> None:
        sign_in_progress().sessions[blueprint.name] = value

    def __delete__(self, blueprint: Any) -> None:
        del sign_in_progress().sessions[blueprint.name]
