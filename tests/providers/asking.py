"""A connector that asks what rules want to know, and people who sign in with it."""

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import config
from access.rules_file import parse_rules
from providers import PROVIDERS
from providers.base import Assertion
from providers.criteria import Fact
from providers.http.transport import Transport
from providers.protocols.connectors import build_connectors
from providers.protocols.oauth2 import OAuth2Client
from simulator import Server, environment
from tests.site import SECRET_KEY

PUBLIC_URL = "http://localhost:5000"


class Flow:
    """A flow that nobody stored."""

    state = code_verifier = "s" * 43
    nonce = "n" * 43
    intent = request_token_secret = ""
    chooses_account = False


class Places(dict[str, str]):
    """The ids of organisations, in memory."""

    def known(self, place: str) -> str:
        return self.get(place, "")

    def learn(self, place: str, lasting_id: str) -> None:
        self.setdefault(place, lasting_id)


class Asking:
    """A registration at a fake provider, with rules: one condition a line."""

    def __init__(self, simulator: Server, name: str, *conditions: str, **settings: str) -> None:
        variables = {"SECRET_KEY": SECRET_KEY, **environment(simulator.url, name), **settings}
        loaded = config.load(PROVIDERS.values(), variables, None)
        self.transport = Transport()
        built = build_connectors(loaded.registrations, (), PUBLIC_URL, self.transport)
        self.connector, self.simulator = built[name], simulator
        assert isinstance(self.connector, OAuth2Client)
        simulator.register(name, self.connector.redirect_uri)
        text = "".join(f"[[allow]]\n{condition}\n" for condition in conditions)
        rules = parse_rules(text, {name: self.connector.provider}, "ACCESS_FILE")
        self.places = Places()
        self.connector.ask_about(rules.conditions_of(name), self.places)

    def sign_in(self, person: str, **form: str) -> Assertion:
        assert isinstance(self.connector, OAuth2Client)
        url = self.connector.authorization_url(Flow())
        query = parse_qs(urlsplit(self.simulator.choose(url, person, **form)).query)
        answer = self.connector.exchange(query["code"][0], Flow())
        return self.connector.read_assertion(answer, Flow(), {})

    def facts(self, person: str, **form: str) -> dict[str, Fact]:
        """How a person stands who signs in now."""
        return dict(self.sign_in(person, **form).facts)

    def fact(self, person: str, **form: str) -> Fact:
        """The same, if there is one condition."""
        (fact,) = self.facts(person, **form).values()
        return fact

    def again(
        self,
        signed_in: Assertion,
        earlier: Mapping[str, Fact] | None = None,
        scopes: Collection[str] | None = None,
    ) -> dict[str, Fact]:
        """How a person stands now, by the token that they signed in with."""
        token: dict[str, Any] = signed_in.token
        granted = signed_in.scopes if scopes is None else scopes
        return self.connector.read_facts(signed_in.profile.subject, token, granted, earlier)

    def stop(self) -> None:
        self.transport.close()
