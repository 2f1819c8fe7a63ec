"""Google's stream of security events: one for each Cloud project, set up with the key of a service
account. https://developers.google.com/identity/protocols/risc
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from inbox import stream_states
from inbox.events import OAUTH, RISC, RISC_VERIFICATION
from inbox.reading import text_at
from inbox.streams import State, StreamFailed, call, document_of, words_of
from keys.client_assertion import ClientKey, load_client_key
from providers.http.responses import Answer
from providers.protocols.connector import Connector

API = "https://risc.googleapis.com/v1beta"
AUDIENCE = "https://risc.googleapis.com/google.identity.risc.v1beta.RiscManagementService"
PUSH = "https://schemas.openid.net/secevent/risc/delivery-method/push"
TOKEN_SECONDS = 3600
EVENTS = (
    *(f"{RISC}{name}" for name in ("sessions-revoked", "account-disabled", "account-enabled")),
    f"{RISC}account-credential-change-required",
    RISC_VERIFICATION,
    # Under oauth, not risc: Google drops a type that it does not know without a word.
    *(f"{OAUTH}{name}" for name in ("tokens-revoked", "token-revoked")),
)
NOT_FOUND, FORBIDDEN = 404, 403
# Advice for a 403, by words of its message; the words are from memory, and the first found count.
ADVICE: Mapping[str, str] = {
    "firebase": "Firebase owns the stream of this project: a project has one. Use a project of its"
    " own, with its own OAuth client",
    "https": "the address must begin with https: set PUBLIC_URL",
    "domain": "add the domain of PUBLIC_URL to the authorized domains of the project's consent"
    " screen",
    "oauth client": "the project has no OAuth client: use the project that has this site's",
    "permission": "give the service account the role RISC Configuration Admin"
    " (roles/riscconfigs.admin), and enable the RISC API in this project",
}


@dataclass(frozen=True)
class Account:
    """A service account."""

    email: str
    key: ClientKey = field(repr=False)


def read_account(text: str) -> Account:
    """Read the JSON key of a service account. Raises StreamFailed, without what is in it."""
    try:
        document = json.loads(text)
        email, key_id, pem = (
            document[name] for name in ("client_email", "private_key_id", "private_key")
        )
        return Account(str(email), load_client_key(str(pem), str(key_id)))
    except (ValueError, TypeError, KeyError):
        raise StreamFailed("the file is no JSON key of a service account") from None


class RISCStream:
    """The stream of one project. Each verb raises StreamFailed or ProviderError."""

    def __init__(self, connector: Connector, account: Account) -> None:
        self._connector = connector
        self._account = account
        self._api = connector.registration.risc_api_url or API

    def register(self, url: str) -> None:
        """Have Google report to this address."""
        delivery = {"delivery_method": PUSH, "url": url}
        self._post("stream:update", {"delivery": delivery, "events_requested": list(EVENTS)})

    def status(self) -> State:
        """Return how the stream is."""
        answer = self._call("GET", "stream")
        if answer.status_code == NOT_FOUND:
            return State("none")
        document = document_of(answer)
        return State(text_at(document, "status") or "enabled", text_at(document, "delivery", "url"))

    def stop(self) -> None:
        """Have Google report no more; nothing is kept for later."""
        self._post("stream/status:update", {"status": "disabled"})

    def start(self) -> None:
        """Have Google report again."""
        self._post("stream/status:update", {"status": "enabled"})

    def verify(self) -> str:
        """Have a verification sent; return its state, which its receipt has as detail."""
        state = stream_states.make(self._connector.name)
        self._post("stream:verify", {"state": state})
        return state

    def _post(self, path: str, document: object) -> None:
        document_of(self._call("POST", path, document))

    def _call(self, method: str, path: str, document: object = None) -> Answer:
        now, email = int(time.time()), self._account.email
        claims = {"iss": email, "sub": email, "aud": AUDIENCE, "iat": now}
        token = self._account.key.sign(claims | {"exp": now + TOKEN_SECONDS}, ("RS256",))
        headers = {"Authorization": f"Bearer {token}"}
        answer = call(self._connector, method, f"{self._api}/{path}", headers, document)
        if answer.status_code == FORBIDDEN:
            raise StreamFailed(_advice(words_of(answer)))
        return answer


def _advice(said: str) -> str:
    for words, advice in ADVICE.items():
        if words in said.lower():
            return f"{advice} (Google says: {said})"
    return f"Google refuses: {said or '403 without a reason'}"


def open_stream(connector: Connector, key_text: str) -> RISCStream:
    """Return the stream of the project that a service account's key belongs to. Raises
    StreamFailed."""
    return RISCStream(connector, read_account(key_text))
