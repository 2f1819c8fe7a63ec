"""A provider as a value, and what one sign-in with it brings."""

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, ClassVar, Literal, Protocol
from urllib.parse import urlsplit

from config.registrations import Registration, openid_faults
from errors import ProviderError

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # a tenant's id

Get = Callable[[str], Any]
Params = Mapping[str, str]


class NotShared(ProviderError, KeyError):
    """The provider has no such thing, or keeps it from us (HTTP 401, 403, 404).

    A KeyError, so that in a test ``get`` can be a dict's ``__getitem__``.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """What a provider said about a person, once, normalised. Build it with ``make_profile``.

    ``email_verified``: the provider vouches for the address, and its word may be believed.
    ``email_trusted``: believed so far that an operator may let it join accounts by itself.
    """

    subject: str
    email: str | None = None
    email_verified: bool = False
    email_trusted: bool = False
    name: str | None = None
    username: str | None = None
    picture: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Assertion:
    """What one completed flow brought: an identity and the provider's token for it.

    ``token`` is the token response (RFC 6749 5.1) without what was only for this sign-in;
    empty where an app brought an ID token and nothing else.
    ``proved_at``: when the person proved themselves, in seconds since 1970, if that is said.
    ``is_relayed``: somebody else than the provider tells the profile. It is good for a new
    identity, but no news of a known one.
    """

    provider: str
    issuer: str
    profile: Profile
    scopes: tuple[str, ...] = ()
    auth_time: float | None = None
    is_relayed: bool = False
    token: dict[str, Any] = field(repr=False, default_factory=dict)


class Flow(Protocol):
    """The part of a flow that a provider's side of the protocol needs."""

    @property
    def state(self) -> str: ...
    @property
    def code_verifier(self) -> str: ...
    @property
    def nonce(self) -> str: ...
    @property
    def intent(self) -> str: ...
    @property
    def request_token_secret(self) -> str: ...


@dataclass(frozen=True)
class RequestToken:
    """What an OAuth 1.0a flow begins with (RFC 5849 2.1)."""

    value: str
    secret: str = field(repr=False)


ClientAuth = Literal["post", "basic", "none"]


def no_params(_client_secret: str, _access_token: str) -> Params:
    """The usual case: the access token is all that a profile request needs."""
    return {}


def no_faults(_registration: Registration) -> list[str]:
    """The usual case: nothing about the settings can be wrong by itself."""
    return []


@dataclass(frozen=True, slots=True)
class Revocation:
    """How a provider revokes a token: one request to ``path``, in which ``{client_id}`` is ours.

    ``auth``: ``form``, the client with a form (RFC 7009 2.1), at an endpoint beside the token
    endpoint; below ``api_url``, ``client``, the client with HTTP Basic and JSON, and ``bearer``,
    the access token itself.
    """

    path: str
    _: KW_ONLY
    method: Literal["POST", "DELETE"] = "POST"
    auth: Literal["form", "client", "bearer"] = "form"


@dataclass(frozen=True, slots=True)
class EmailTrust:
    """How far a provider's word about an address goes; ``when`` is what the docs' tables say.

    ``trusted``: it may join two accounts without a question, where the operator allows that.
    ``verified``: it counts as verified, but joins nothing by itself. ``unverified``: it is shown
    only. ``never``: the same, and documented so, which visitors are told. ``none``: it shares no
    address.
    """

    level: Literal["trusted", "verified", "unverified", "never", "none"]
    when: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Errors:
    """A provider's own error codes, beside those of the standards."""

    # Of the callback: the person said no.
    cancelled: AbstractSet[str] = frozenset()
    # Of callback and token endpoint: our settings are wrong.
    misconfigured: AbstractSet[str] = frozenset()
    # Of the token endpoint: the code or the refresh token is no good.
    code_refused: AbstractSet[str] = frozenset()
    # Of the API: the access token is no good, where that is not said by 401.
    access_refused: AbstractSet[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class AuthorizationCode:
    """What OAuth 2.0 and OpenID Connect have in common (RFC 6749 4.1)."""

    scope: str
    scope_separator: str = " "
    scope_aliases: Params = field(default_factory=dict)
    # Whether the provider takes RFC 7636.
    pkce: bool = True
    # RFC 6749 2.3.1; None: as the issuer's metadata say, else in the body.
    client_auth: ClientAuth | None = None
    # A client secret that is made of other credentials, by the registration and a Unix time.
    make_secret: Callable[[Registration, int], str] | None = None
    # For a provider that answers by POST (form_post): what to keep of the form's ``user``.
    read_form_user: Callable[[str], Mapping[str, object]] | None = None
    # Whether the token request is JSON (RFC 6749 4.1.3 has a form), and repeats the state.
    json_token_request: bool = False
    state_in_token_request: bool = False
    # Further headers of token and profile requests, in which ``{client_id}`` is ours.
    api_headers: Params = field(default_factory=dict)
    authorization_scheme: str = "Bearer"
    # Query parameters that show, by secret and token, that a profile request is the client's.
    sign_request: Callable[[str, str], Params] = no_params
    # Further parameters of the authorization request.
    authorize_params: Params = field(default_factory=dict)
    # Those that make the provider give a refresh token, where the operator asks for one.
    offline_params: Params = field(default_factory=dict)
    # What ``profile`` reads of the API where that is several things, each by GET: read
    # concurrently.
    reads: tuple[str, ...] = ()
    # Of OpenID Connect: where the issuer's metadata do not say how (RFC 7009).
    revocation: Revocation | None = None


@dataclass(frozen=True, kw_only=True)
class OAuth2(AuthorizationCode):
    """A provider of plain OAuth 2.0. ``{version}`` in an address stands for ``api_version``."""

    label: ClassVar = "OAuth 2.0"
    settings: ClassVar = (
        *("authorization_url", "token_url", "api_url", "api_version", "scope", "offline_access"),
    )
    authorization_endpoint: str
    token_endpoint: str
    # The base of the paths given to ``get``; ends with a slash.
    api_url: str
    api_version: str = ""

    @property
    def identity_issuer(self) -> str:
        return origin(self.api_url)


@dataclass(frozen=True, kw_only=True)
class OpenIDConnect(AuthorizationCode):
    """A provider of OpenID Connect, whose issuer's metadata say where its endpoints are."""

    label: ClassVar = "OpenID Connect"
    issuer: str
    issuer_aliases: tuple[str, ...] = ()
    # Path segments of the issuer that stand for any tenant, each with those it leaves out.
    any_tenant: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Whether it can be told to let in the accounts of one domain only (the claim ``hd``).
    hosted_domains: bool = False
    # Whether its native SDKs give apps ID tokens for the client of the web.
    native_tokens: bool = False
    # The name of the cookie that its One Tap form repeats as a field; empty: it has no such form.
    one_tap_cookie: str = ""

    @property
    def identity_issuer(self) -> str:
        return origin(self.issuer) if self.any_tenant else self.issuer

    @property
    def settings(self) -> tuple[str, ...]:
        own = ("hosted_domain",) if self.hosted_domains else ()
        return ("scope", "offline_access", "issuer", "mobile_client_ids", *own)


@dataclass(frozen=True, kw_only=True)
class OAuth1:
    """A provider of OAuth 1.0a (RFC 5849), which knows no scopes."""

    label: ClassVar = "OAuth 1.0a"
    scope: ClassVar[str] = ""
    settings: ClassVar = (
        *("authorization_url", "token_url", "api_url", "api_version", "request_token_url"),
    )
    request_token_endpoint: str
    authorization_endpoint: str
    token_endpoint: str
    api_url: str
    api_version: str = ""
    authorize_params: Params = field(default_factory=dict)

    @property
    def identity_issuer(self) -> str:
        return origin(self.api_url)


@dataclass(frozen=True, kw_only=True)
class Provider:
    """An upstream identity provider."""

    name: str
    label: str
    protocol: OAuth2 | OpenIDConnect | OAuth1
    profile: Callable[[Get], Profile]
    email: EmailTrust
    # Where an operator registers the client.
    console: str
    verb: str = "Continue with"
    # Where there are two ways to the same people: what tells this one's settings apart.
    variant: str = ""
    credentials: tuple[str, ...] = ("client_id", "client_secret")
    check_registration: Callable[[Registration], list[str]] = no_faults
    errors: Errors = field(default_factory=Errors)
    # Parameters of the authorization request: to sign in again, and to be asked for the address.
    reauth_params: Params = field(default_factory=dict)
    ask_email_params: Params = field(default_factory=dict)
    # Further origins that the way from our form to the provider's page may pass (CSP form-action):
    # a browser that is not signed in there is often sent to another host first.
    also_passes: tuple[str, ...] = ()
    # Whether a stored token can refresh the profile; else only a new sign-in does.
    refreshable: bool = True

    # No provider of the catalogue has any (config.registrations.NamedIssuer has).
    optional_credentials: ClassVar[tuple[str, ...]] = ()

    @property
    def identity_issuer(self) -> str:
        """What keeps its subjects apart from another server's, at its own address."""
        return self.protocol.identity_issuer

    @property
    def key(self) -> str:
        """The name of its settings in lower case, and its key in PROVIDERS."""
        return f"{self.name}_{self.variant}" if self.variant else self.name

    @property
    def settings(self) -> tuple[str, ...]:
        """The optional fields of Registration that mean something here."""
        return self.protocol.settings

    def params_for(self, intent: str) -> Params:
        """Return the further parameters of an authorization request, by what it is for."""
        return {"reauth": self.reauth_params, "ask_email": self.ask_email_params}.get(intent, {})

    def faults(self, registration: Registration) -> list[str]:
        """Return what is wrong with its settings, a line each that names the variable."""
        faults = self.check_registration(registration)
        is_openid = isinstance(self.protocol, OpenIDConnect)
        return faults + (openid_faults(self.key, registration) if is_openid else [])


def origin(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
