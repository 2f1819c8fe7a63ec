"""Twitch's EventSub subscription, which reports that people took the permission back.

https://dev.twitch.tv/docs/eventsub/manage-subscriptions/
"""

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode

from inbox.reading import text_at
from inbox.streams import State, StreamFailed, call, document_of
from providers.protocols.connector import Connector

API = "https://api.twitch.tv/helix/eventsub/subscriptions"
TYPE = "user.authorization.revoke"
THERE_ALREADY, DELETED = 409, 204


class Subscription:
    """The subscription of one site. Each verb raises StreamFailed or ProviderError."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._api = connector.registration.eventsub_url or API
        self._token = ""

    def register(self, url: str) -> None:
        """Have Twitch report to this address, at which it sends a challenge first."""
        secret = self._connector.registration.webhook_secret
        if secret is None:
            key = self._connector.registration.key.upper()
            raise StreamFailed(f"set {key}_WEBHOOK_SECRET, and restart the server")
        transport = {"method": "webhook", "callback": url, "secret": secret.get_secret_value()}
        document = {
            "type": TYPE,
            "version": "1",
            "condition": {"client_id": self._connector.client_id},
            "transport": transport,
        }
        answer = call(self._connector, "POST", self._api, self._headers(), document)
        if answer.status_code != THERE_ALREADY:
            document_of(answer)

    def start(self) -> None:
        """A subscription begins once its challenge was answered."""

    def status(self) -> State:
        """Return how the first subscription is."""
        for each in self._subscriptions():
            return State(text_at(each, "status"), text_at(each, "transport", "callback"))
        return State("none")

    def stop(self) -> None:
        """Delete the subscriptions."""
        for each in list(self._subscriptions()):
            url = f"{self._api}?{urlencode({'id': text_at(each, 'id')})}"
            answer = call(self._connector, "DELETE", url, self._headers())
            if answer.status_code != DELETED:
                document_of(answer)

    def _subscriptions(self) -> Iterator[Mapping[str, object]]:
        url = f"{self._api}?{urlencode({'type': TYPE})}"
        found = document_of(call(self._connector, "GET", url, self._headers())).get("data")
        for each in found if isinstance(found, list) else []:
            if isinstance(each, dict) and text_at(each, "condition", "client_id") == (
                self._connector.client_id
            ):
                yield each

    def _headers(self) -> dict[str, str]:
        """Return the headers with an app access token."""
        if not self._token:
            url = self._connector.endpoint_url("token")
            form = {"grant_type": "client_credentials"}
            answer = self._connector.post_as_client(url, form)
            self._token = text_at(document_of(answer), "access_token")
        return {"Client-Id": self._connector.client_id, "Authorization": f"Bearer {self._token}"}


def open_stream(connector: Connector, _key_text: str) -> Subscription:
    """Return the subscription of this site's client."""
    return Subscription(connector)
