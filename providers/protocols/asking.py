"""The part of a connector that asks the provider what the operator's rules want to know."""

from collections.abc import Collection, Mapping

from config.registrations import Registration
from errors import ProviderError
from providers.base import Get, Provider
from providers.criteria import Condition, Fact
from providers.http.responses import Answer, is_of_the_api, is_success
from providers.http.transport import Transport
from providers.protocols.client_auth import AuthenticatedClient
from providers.protocols.connector import Token, with_query
from providers.protocols.facts import Asked, NoPlaces, Places, read_facts


class AskingClient(AuthenticatedClient):
    """A connector whose provider can be asked about a person; ``headers`` go with each request."""

    headers: Mapping[str, str]

    def __init__(
        self, provider: Provider, registration: Registration, http: Transport, redirect_uri: str
    ) -> None:
        super().__init__(provider, registration, http, redirect_uri)
        self.places: Places = NoPlaces()
        # A parameter of usual sign-ins.
        self.hint: dict[str, str] = {}

    def ask_about(self, conditions: Collection[Condition], places: Places) -> None:
        self.conditions, self.places = tuple(conditions), places
        names = self.scope.replace(",", " ").split()
        for condition in self.conditions:
            criterion = self.provider.criterion(condition.kind)
            names += criterion.missing_scopes(names) if criterion else []
        self.scope = " ".join(names)

    def expect(self, condition: Condition | None) -> None:
        criterion = self.provider.criterion(condition.kind) if condition else None
        if condition and criterion and criterion.hint:
            self.hint = {criterion.hint: condition.value}

    def facts_url(self, path: str) -> str:
        """Return an address of the API, for a path of the provider's criteria."""
        return self.own_url(path)

    def facts_at_sign_in(
        self, subject: str, answer: Token, get: Get, granted: Collection[str]
    ) -> dict[str, Fact]:
        """Return how a person who is signing in stands to all conditions, by their names."""
        asked = self._asked(subject, answer, get, is_sign_in=True)
        return read_facts(self.provider, self.conditions, asked, granted)

    @property
    def asked_again(self) -> tuple[Condition, ...]:
        found = ((each, self.provider.criterion(each.kind)) for each in self.conditions)
        return tuple(each for each, criterion in found if criterion and criterion.is_asked_again)

    def read_facts(
        self,
        subject: str,
        token: Token,
        scopes: Collection[str],
        earlier: Mapping[str, Fact] | None = None,
    ) -> dict[str, Fact]:
        get = self._stored_getter(subject, token)
        asked = self._asked(subject, token, get, is_sign_in=False)
        return read_facts(self.provider, self.asked_again, asked, scopes, earlier)

    def _asked(self, subject: str, token: Token, get: Get, *, is_sign_in: bool) -> Asked:
        def send(
            path: str, *, document: object = None, headers: Mapping[str, str] | None = None
        ) -> Answer:
            method, _, place = path.rpartition(" ")
            own, params = self.credentials(token)
            url = with_query(self.facts_url(place), params)
            sent = {**self.headers, **own, **(headers or {})}
            answer = self.http.ask(method or "GET", url, headers=sent, document=document)
            self.check_access(answer)
            if not is_success(answer) and not is_of_the_api(answer):
                raise ProviderError(f"{place} answered {answer.status_code} with a page")
            return answer

        return Asked(self.name, subject, get, send, self.places, is_sign_in)
