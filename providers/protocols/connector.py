"""A connector: one provider as it is registered and wired here.

The protocol clients (``oauth2``, ``openid_connect``, ``oauth1``) derive from it. It knows no
request, no person and no table, and all threads share it.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import structlog

from config.registrations import Registration
from errors import (
    AccessRefused,
    Cancelled,
    Misconfigured,
    ProviderBusy,
    ProviderDown,
    ProviderError,
)
from providers.answers import HTTPAnswer
from providers.base import Flow, Get, NotShared, Profile, Provider, RequestToken, SubjectMissing
from providers.http.responses import Answer, is_passing, is_success, read_json
from providers.http.transport import Transport
from providers.parts import OAuth1, OAuth2, OpenIDConnect, Params, origin
from providers.protocols.error_codes import (
    CANCELLED_ERRORS,
    MISCONFIGURED_ERRORS,
    PASSING_ERRORS,
    api_error_code,
    plain_code,
    with_description,
)
from providers.protocols.facts import AsksNothing
from providers.protocols.upstream_issuer import UpstreamIssuer

log = structlog.get_logger()

Token = Mapping[str, Any]


class Connector(AsksNothing):
    """One provider as registered and wired here; the parts that do not depend on the protocol."""

    # Parameters that a callback may contain only once.
    callback_parameters: tuple[str, ...] = ()
    # Whether a flow begins with a request token (OAuth 1.0a).
    needs_request_token = False
    # OpenID Connect only.
    issuer: UpstreamIssuer | None = None
    _endpoints: dict[str, str]

    def __init__(
        self, provider: Provider, registration: Registration, http: Transport, redirect_uri: str
    ) -> None:
        self.provider = provider
        self.registration = registration
        self.http = http
        self.redirect_uri = redirect_uri
        self.name = provider.name
        self.label = provider.label
        self.client_id = registration.client_id
        self.scope = registration.scope or provider.protocol.scope
        # An issuer's are in its metadata.
        self.api_url, self._endpoints = "", {}
        if not isinstance(provider.protocol, OpenIDConnect):
            self.api_url, self._endpoints = _addresses(provider.protocol, registration)

    @property
    def client_secret(self) -> str:
        """The client secret; empty for a public client."""
        return self.registration.secret

    @property
    def verifies_email(self) -> bool:
        """Whether this server ever says, and is believed, that an address is verified."""
        trust, issuer = self.provider.email, self.registration.issuer
        is_own = issuer in (None, getattr(self.provider.protocol, "issuer", None))
        return trust.level in ("trusted", "verified") and (is_own or not trust.own_server_only)

    @property
    def identity_issuer(self) -> str:
        """Return what keeps this server's subjects apart from another server's of the same name."""
        return origin(self.api_url)

    @property
    def form_origins(self) -> tuple[str, ...]:
        """Return where the provider's own pages are, which may send us a form."""
        return (origin(self._endpoints["authorization"]),)

    def endpoint_url(self, name: str) -> str:
        """Return the address of an endpoint. Raises ProviderError."""
        return self._endpoints[name]

    def key_faults(self) -> list[str]:
        """Describe what is wrong with the private key in the settings, if there is one."""
        return []

    # The flow.

    def fetch_request_token(self) -> RequestToken | None:
        """Fetch the request token of a flow, if the protocol needs one. Raises ProviderError."""
        return None

    def authorization_url(self, flow: Flow) -> str:
        """Build the URL of the provider's consent page. Raises ProviderError if its metadata cannot
        be read."""
        raise NotImplementedError

    def warm_up(self) -> bool:
        """Open connections that the callback will need, and return whether there were none.

        Raises ProviderError.
        """
        return False

    def callback_error(self, error: str, description: object = "") -> Cancelled | ProviderError:
        """Convert an error in the callback (RFC 6749 4.1.2.1) into an exception."""
        detail = with_description(f"the callback says {plain_code(error)}", description)
        if error in CANCELLED_ERRORS | self.provider.errors.cancelled:
            return Cancelled(detail)
        if error in MISCONFIGURED_ERRORS | self.provider.errors.misconfigured:
            return Misconfigured(detail)
        return ProviderError(detail)

    # API requests on behalf of a person.

    def own_url(self, path: str) -> str:
        """Return an address of the provider's API. Raises ValueError for any other: an access
        token is sent nowhere else."""
        url = urljoin(self.api_url, path)
        if not self.owns(url):
            raise ValueError(f"{urlsplit(url).netloc} is not {self.name}'s API")
        return url

    def owns(self, url: str) -> bool:
        """Return whether an access token may be sent to this address."""
        return origin(url) == origin(self.api_url)

    def credentials(self, _token: Token) -> tuple[dict[str, str], Params]:
        """Return headers and query parameters that speak for the person of a token."""
        raise ProviderError("this protocol signs each request by itself")

    def request_as(self, token: Token, path: str) -> Answer:
        """Call the provider's API with a person's token; ``POST path`` sends a POST."""
        raise NotImplementedError

    def read(self, path: str, token: Token) -> Any:
        """Return JSON of the provider's API. Raises NotShared or ProviderError."""
        answer = self.request_as(token, path)
        self.check_passing(answer)
        return read_json(answer)

    def check_passing(self, answer: HTTPAnswer) -> None:
        """Raise ProviderBusy for a failure that passes, as the provider says in its own words."""
        if is_success(answer):
            return
        code = api_error_code(answer)
        if is_passing(answer) or code in PASSING_ERRORS | self.provider.errors.passing:
            words = f" with error {plain_code(code)}" if code else ""
            raise ProviderBusy(f"the API answered {answer.status_code}{words}")

    def read_profile(self, get: Get) -> tuple[Profile, ProviderError | None]:
        """Read a profile, and return the failure that hid a part of it, if one did.

        A part that could not be read now is not the same as one that is not there. Raises
        ProviderError if the failure left no profile.
        """
        failures: list[ProviderError] = []
        try:
            profile = self.provider.profile(self._noting(get, failures))
        except SubjectMissing as missing:
            return missing.profile, missing
        except ProviderError as error:
            # A refused request, or a passing failure, explains a profile that lacks something.
            explains = AccessRefused | ProviderBusy | ProviderDown
            is_explained = failures and isinstance(failures[0], explains)
            raise (failures[0] if is_explained else error) from None
        if failures:
            log.warning("profile_incomplete", provider=self.name, detail=failures[0].detail)
        return profile, failures[0] if failures else None

    def _noting(self, get: Get, failures: list[ProviderError]) -> Get:
        """Make a ``get`` that raises NotShared for every failure too, and notes it."""

        def careful(path: str) -> Any:
            try:
                return get(path)
            except NotShared as error:
                log.info("profile_not_shared", provider=self.name, detail=error.detail)
                raise
            except ProviderError as error:
                failures.append(error)
                raise NotShared(error.detail) from error

        return careful

    def fetch_profile(self, subject: str, token: Token) -> Profile:
        """Fetch the provider's current profile of a stored token's person, the whole of it.

        Raises AccessRefused if the token is refused, otherwise ProviderError. The caller compares
        the subject.
        """
        profile, failure = self.read_profile(self._stored_getter(subject, token))
        if failure:
            raise failure
        return profile

    def _stored_getter(self, _subject: str, token: Token) -> Get:
        """Make the ``get`` for a stored token, which has neither form nor id_token."""

        def get(path: str) -> Any:
            if path in ("token", "form_user"):
                return dict(token) if path == "token" else {}
            return self._read_stored(path, token)

        return get

    def _read_stored(self, path: str, token: Token) -> Any:
        answer = self.request_as(token, path)
        self.check_access(answer)
        return read_json(answer)

    def check_access(self, answer: HTTPAnswer) -> None:
        """Raise AccessRefused if a stored access token is refused, ProviderBusy if just now."""
        self.check_passing(answer)
        if answer.status_code == 401 or self._refuses_access(answer):
            raise AccessRefused(f"the API answered {answer.status_code} to the access token")

    def _refuses_access(self, answer: HTTPAnswer) -> bool:
        known = self.provider.errors.access_refused
        return bool(known) and api_error_code(answer) in known

    # After the sign-in.

    def prepare(self) -> None:
        """Read in advance what ``refresh`` needs, so that it is one request. Raises
        ProviderError."""

    def refresh(self, _subject: str, _token: Token) -> dict[str, Any]:
        """Fetch a person's next token response (RFC 6749 6).

        Raises CodeRefused if only a new sign-in helps, Misconfigured, otherwise ProviderError,
        including when the response is about another person than ``subject``.
        """
        raise ProviderError("this protocol renews no token")

    def can_revoke(self) -> bool:
        """Return whether the provider has a way to revoke a token. Raises ProviderError."""
        return False

    def revoke(self, _token: Token) -> None:
        """Revoke a token; success too if the provider does not know it any more.

        Raises Misconfigured or ProviderError if it was not revoked.
        """
        raise ProviderError("this protocol revokes no token")

    def post_as_client(self, _url: str, _form: Params) -> HTTPAnswer:
        """Send a form with the client's authentication. Raises ProviderError."""
        raise ProviderError("this protocol knows no such call")

    def check(self) -> None:
        """Send the provider an invalid code, which it must refuse as invalid.

        Raises CodeRefused if all is well, Misconfigured or another ProviderError otherwise.
        """
        raise NotImplementedError


def _addresses(protocol: OAuth1 | OAuth2, registration: Registration) -> tuple[str, dict[str, str]]:
    """Return the base of the API and the endpoints, as the settings say or the provider."""
    version = registration.api_version or protocol.api_version
    endpoints = {
        "authorization": registration.authorization_url or protocol.authorization_endpoint,
        "token": registration.token_url or protocol.token_endpoint,
    }
    if isinstance(protocol, OAuth1):
        url = registration.request_token_url or protocol.request_token_endpoint
        endpoints["request_token"] = url
    api_url = registration.api_url or protocol.api_url
    return api_url.replace("{version}", version), {
        name: url.replace("{version}", version) for name, url in endpoints.items()
    }


def with_query(url: str, parameters: Params) -> str:
    """Return an address with further query parameters."""
    if not parameters:
        return url
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(parameters)}"
