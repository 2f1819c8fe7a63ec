"""The handle by which a test controls a fake provider: client, endpoints, faults and people."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from simulator.clients import Client
from simulator.misbehaviour import ANSWERS, OFFERED
from simulator.visit import Callback, Refused, choose

# How a provider can spoil the callback.
CALLBACKS = ("server_error", "wrong_state", "no_code")


@dataclass(frozen=True)
class Endpoints:
    """The URLs of a provider's endpoints; empty if it has none."""

    authorization: str = ""
    token: str = ""
    # The base of its API paths.
    api: str = ""
    userinfo: str = ""
    issuer: str = ""
    metadata: str = ""
    jwks: str = ""
    # OAuth 1.0a only.
    request_token: str = ""

    def present(self) -> dict[str, str]:
        pairs = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: url for name, url in pairs.items() if url}


class Handles:
    """The methods behind ``look_alikes.github.choose(url, "ada")`` and so on."""

    name: ClassVar[str]
    client: Client
    # Its URL, once it is served.
    url: str
    # The response of each endpoint from now on, to every request.
    answers: dict[str, str]
    # Endpoints that can misbehave besides callback and token, and the provider's own faults.
    places: ClassVar[tuple[str, ...]] = ("profile",)
    own_faults: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def settings(cls, url: str) -> dict[str, str]:
        raise NotImplementedError

    @property
    def client_id(self) -> str:
        return self.client.client_id

    @property
    def client_secret(self) -> str:
        return self.client.client_secret

    @property
    def endpoints(self) -> Endpoints:
        """Return the endpoints, read from the settings that point a site here."""
        upper = self.name.upper()
        given = self.settings(self.url)
        names = ("authorization", "token", "api", "request_token")
        return Endpoints(**{n: given.get(f"{upper}_{n.upper()}_URL", "") for n in names})

    def register(self, *redirect_uris: str) -> None:
        """Register a redirect URI; it must match exactly (RFC 6749 3.1.2.3)."""
        for uri in redirect_uris:
            check_redirect_uri(uri)
        known = self.client.redirect_uris
        added = tuple(uri for uri in dict.fromkeys(redirect_uris) if uri not in known)
        self.client = replace(self.client, redirect_uris=known + added)

    def choose(
        self, authorization_url: str, person: str, behave: str = "", **form: str
    ) -> Callback:
        """Play a person at the provider's page; return the callback URL."""
        if not authorization_url.startswith(f"{self.url}/"):
            raise Refused(f"{authorization_url} is not an address of the fake {self.name}")
        if behave and behave not in self.misbehaviours:
            known = ", ".join(self.misbehaviours)
            raise ValueError(f"{self.name} has no misbehaviour {behave!r}; it has {known}")
        return choose(authorization_url, person, behave, **form)

    def cancel(self, authorization_url: str) -> Callback:
        """Refuse consent at the provider's page."""
        return self.choose(authorization_url, "", cancel="1")

    def answer(self, place: str, answer: str) -> None:
        """Give this response from now on, to every request: ``answer("token", "status_503")``."""
        if answer not in ANSWERS:
            raise ValueError(f"no answer {answer!r}; there are {', '.join(ANSWERS)}")
        self.answers[place] = answer

    @property
    def flaws(self) -> tuple[str, ...]:
        """Return the possible flaws of its id_token, if it issues one."""
        return ()

    @property
    def misbehaviours(self) -> tuple[str, ...]:
        """Return every value that ``behave`` accepts."""
        callbacks = [f"callback:{each}" for each in CALLBACKS]
        answers = [f"{place}:{each}" for place in ("token", *self.places) for each in ANSWERS]
        flaws = [f"id_token:{flaw}" for flaw in self.flaws]
        return (*callbacks, *answers, *flaws, *self.own_faults)

    def offered(self) -> dict[str, str]:
        """Return the misbehaviours that its page offers, in words."""
        return OFFERED

    # In the terms of client libraries.

    def flask_dance(self) -> dict[str, Any]:
        """Return arguments for ``OAuth2ConsumerBlueprint(…, **look_alike.flask_dance())``; OAuth
        1.0a likewise."""
        at = self.endpoints
        old = bool(at.request_token)
        return {
            "client_key" if old else "client_id": self.client_id,
            "client_secret": self.client_secret,
            "base_url": at.api or f"{self.url}/",
            "authorization_url": at.authorization,
            "access_token_url" if old else "token_url": at.token,
            **({"request_token_url": at.request_token} if old else {}),
        }

    def lead(self, blueprint: Any) -> None:
        """Point an existing blueprint here, such as one of flask_dance.contrib."""
        for name, value in self.flask_dance().items():
            # A new session takes the client's id from there.
            setattr(blueprint, "_client_id" if name == "client_id" else name, value)
            blueprint.from_config.pop(name, None)
        vars(blueprint).pop("session", None)

    def authlib(self) -> dict[str, Any]:
        """Return arguments for ``oauth.register("github", **look_alike.authlib())``."""
        names: Mapping[str, str] = {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "server_metadata_url": self.endpoints.metadata,
            "authorize_url": self.endpoints.authorization,
            "access_token_url": self.endpoints.token,
            "api_base_url": self.endpoints.api,
            "request_token_url": self.endpoints.request_token,
        }
        return {name: value for name, value in names.items() if value}


def check_redirect_uri(uri: str) -> None:
    """Check that it is absolute and without a fragment (RFC 6749 3.1.2). Raises ValueError."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or not parts.hostname or "#" in uri:
        raise ValueError(f"{uri!r} is no redirect URI: http://host/path, without a fragment")
