"""What a test takes a look-alike by: its client, its endpoints, its faults, and somebody to be."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from simulator.clients import Client
from simulator.misbehaviour import ANSWERS, OFFERED
from simulator.visit import Callback, Refused, choose

# The ways back that a provider can spoil.
CALLBACKS = ("server_error", "wrong_state", "no_code")


@dataclass(frozen=True)
class Endpoints:
    """Where a provider is asked for what; empty: it has none of that."""

    authorization: str = ""
    token: str = ""
    # What paths of its API are below.
    api: str = ""
    userinfo: str = ""
    issuer: str = ""
    metadata: str = ""
    jwks: str = ""
    # Of OAuth 1.0a only.
    request_token: str = ""

    def present(self) -> dict[str, str]:
        pairs = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: url for name, url in pairs.items() if url}


class Handles:
    """``look_alikes.github.choose(url, "ada")``, and so on."""

    name: ClassVar[str]
    client: Client
    # Where it is served, once it is.
    url: str
    # How each place answers from now on, whoever asks.
    answers: dict[str, str]
    # What can be answered badly beside the callback and the token, and faults of its own.
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
        """From the settings that lead a site here."""
        upper = self.name.upper()
        given = self.settings(self.url)
        names = ("authorization", "token", "api", "request_token")
        return Endpoints(**{n: given.get(f"{upper}_{n.upper()}_URL", "") for n in names})

    def register(self, *redirect_uris: str) -> None:
        """Let the client be answered there too: exactly there (RFC 6749 3.1.2.3)."""
        for uri in redirect_uris:
            check_redirect_uri(uri)
        known = self.client.redirect_uris
        added = tuple(uri for uri in dict.fromkeys(redirect_uris) if uri not in known)
        self.client = replace(self.client, redirect_uris=known + added)

    def choose(
        self, authorization_url: str, person: str, behave: str = "", **form: str
    ) -> Callback:
        """Be somebody at its page: the callback URL that it sends the browser to."""
        if not authorization_url.startswith(f"{self.url}/"):
            raise Refused(f"{authorization_url} is no address of the look-alike of {self.name}")
        if behave and behave not in self.misbehaviours:
            known = ", ".join(self.misbehaviours)
            raise ValueError(f"{self.name} has no misbehaviour {behave!r}; it has {known}")
        return choose(authorization_url, person, behave, **form)

    def cancel(self, authorization_url: str) -> Callback:
        """Say no at its page."""
        return self.choose(authorization_url, "", cancel="1")

    def answer(self, place: str, answer: str) -> None:
        """Answer so at this place from now on, whoever asks: ``answer("token", "status_503")``."""
        if answer not in ANSWERS:
            raise ValueError(f"no answer {answer!r}; there are {', '.join(ANSWERS)}")
        self.answers[place] = answer

    @property
    def flaws(self) -> tuple[str, ...]:
        """What can be wrong with its id_token, if it gives one."""
        return ()

    @property
    def misbehaviours(self) -> tuple[str, ...]:
        """All that ``behave`` can be."""
        callbacks = [f"callback:{each}" for each in CALLBACKS]
        answers = [f"{place}:{each}" for place in ("token", *self.places) for each in ANSWERS]
        flaws = [f"id_token:{flaw}" for flaw in self.flaws]
        return (*callbacks, *answers, *flaws, *self.own_faults)

    def offered(self) -> dict[str, str]:
        """The misbehaviours that its page offers, in words."""
        return OFFERED

    # In the words of the libraries that sign in with it.

    def flask_dance(self) -> dict[str, Any]:
        """For ``OAuth2ConsumerBlueprint(…, **look_alike.flask_dance())``; OAuth 1.0a likewise."""
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
        """Lead a blueprint that is made already here, such as one of flask_dance.contrib."""
        for name, value in self.flask_dance().items():
            # Its session takes the client's id from there, whenever it is made anew.
            setattr(blueprint, "_client_id" if name == "client_id" else name, value)
            blueprint.from_config.pop(name, None)
        vars(blueprint).pop("session", None)

    def authlib(self) -> dict[str, Any]:
        """For ``oauth.register("github", **look_alike.authlib())``."""
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
    """RFC 6749 3.1.2: absolute, and without a fragment. Raises ValueError."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or not parts.hostname or "#" in uri:
        raise ValueError(f"{uri!r} is no redirect URI: http://host/path, without a fragment")
