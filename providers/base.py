"""A provider as a value, and the values of one sign-in with it."""

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
    """The provider does not have it, or does not share it (HTTP 401, 403, 404).

    A KeyError, so that in a test ``get`` can be a dict's ``__getitem__``.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """A provider's statement about a person, normalised. Build it with ``make_profile``.

    ``email_verified``: the provider verified the address, and may be believed. ``email_trusted``:
    it may be believed so far that an operator may let it join accounts without a question.
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
    """The result of one completed flow: an identity and the provider's token for it.

    ``token`` is the token response (RFC 6749 5.1) without the members of this sign-in only; empty
    if an app sent just an ID token. ``proved_at``: auth_time as a Unix time, if it is known.
    ``is_relayed``: another party than the provider describes the person. Such a profile counts for
    a new identity, but does not update a known one.
    """

    provider: str
    issuer: str
    profile: Profile
    scopes: tuple[str, ...] = ()
    auth_time: float | None = None
    is_relayed: bool = False
    token: dict[str, Any] = field(repr=False, default_factory=dict)


class Flow(Protocol):
    """The part of a flow that a protocol client needs."""

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
    """The request token that begins an OAuth 1.0a flow (RFC 5849 2.1)."""

    value: str
    secret: str = field(repr=False)


ClientAuth = Literal["post", "basic", "none"]


def no_params(_client_secret: str, _access_token: str) -> Params:
    """The usual case: a profile request needs only the access token."""
    return {}


def no_faults(_registration: Registration) -> list[str]:
    """The usual case: the settings cannot be wrong by themselves."""
    return []


@dataclass(frozen=True, slots=True)
class Revocation:
    """How a provider revokes a token: one request to ``path``, in which ``{client_id}`` is ours.

    ``auth``: ``form``, the client with a form (RFC 7009 2.1), relative to the token endpoint; below
    ``api_url``, ``client``, the client with HTTP Basic and JSON, and ``bearer``, the access token
    itself.
    """

    path: str
    _: KW_ONLY
    method: Literal["POST", "DELETE"] = "POST"
    auth: Literal["form", "client", "bearer"] = "form"


@dataclass(frozen=True, slots=True)
class EmailTrust:
    """How far a provider's word about an address is believed; ``when`` is the text of the docs'
    tables.

    ``trusted``: it may join two accounts without a question, if the operator allows that.
    ``verified``: it counts as verified, but joins nothing by itself. ``unverified``: it is only
    shown. ``never``: the same, and documented by the provider; visitors are told. ``none``: it
    shares no address.
    """

    level: Literal["trusted", "verified", "unverified", "never", "none"]
    when: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Errors:
    """A provider's own error codes, in addition to those of the standards."""

    # Callback: the person refused.
    cancelled: AbstractSet[str] = frozenset()
    # Callback and token endpoint: our settings are wrong.
    misconfigured: AbstractSet[str] = frozenset()
    # Token endpoint: the code or the refresh token is invalid.
    code_refused: AbstractSet[str] = frozenset()
    # API: the access token is invalid, if it does not say so with a 401.
    access_refused: AbstractSet[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class AuthorizationCode:
    """The common part of OAuth 2.0 and OpenID Connect (RFC 6749 4.1)."""

    scope: str
    scope_separator: str = " "
    scope_aliases: Params = field(default_factory=dict)
    # Whether the provider accepts RFC 7636.
    pkce: bool = True
    # RFC 6749 2.3.1; None: as the issuer's metadata say, otherwise in the body.
    client_auth: ClientAuth | None = None
    # Generates the client secret from the registration and a Unix time.
    make_secret: Callable[[Registration, int], str] | None = None
    # For a provider with form_post: what to keep of the form's ``user``.
    read_form_user: Callable[[str], Mapping[str, object]] | None = None
    # Whether the token request is JSON (RFC 6749 4.1.3 has a form), and repeats the state.
    json_token_request: bool = False
    state_in_token_request: bool = False
    # Further headers of token and profile requests, in which ``{client_id}`` is ours.
    api_headers: Params = field(default_factory=dict)
    authorization_scheme: str = "Bearer"
    # Query parameters, made of secret and token, that authenticate the client in profile requests.
    sign_request: Callable[[str, str], Params] = no_params
    # Further parameters of the authorization request.
    authorize_params: Params = field(default_factory=dict)
    # Those that request a refresh token, if the operator wants one.
    offline_params: Params = field(default_factory=dict)
    # API paths that ``profile`` reads by GET, if there are several: read concurrently.
    reads: tuple[str, ...] = ()
    # For OpenID Connect, if the issuer's metadata name no endpoint (RFC 7009).
    revocation: Revocation | None = None


@dataclass(frozen=True, kw_only=True)
class OAuth2(AuthorizationCode):
    """A plain OAuth 2.0 provider. ``{version}`` in an address stands for ``api_version``."""

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
    """An OpenID Connect provider, whose issuer's metadata name its endpoints."""

    label: ClassVar = "OpenID Connect"
    issuer: str
    issuer_aliases: tuple[str, ...] = ()
    # Path segments of the issuer that stand for any tenant, each with the tenants it excludes.
    any_tenant: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    # Whether it can be told to admit accounts of one domain only (the claim ``hd``).
    hosted_domains: bool = False
    # Whether its native SDKs give apps ID tokens for the web's client id.
    native_tokens: bool = False
    # The cookie that its One Tap form repeats as a field; empty: it has no such form.
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
    """An OAuth 1.0a provider (RFC 5849), which has no scopes."""

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
    # The console where an operator registers the client.
    console: str
    verb: str = "Continue with"
    # If a provider has two protocols: the part that distinguishes this one's settings.
    variant: str = ""
    credentials: tuple[str, ...] = ("client_id", "client_secret")
    check_registration: Callable[[Registration], list[str]] = no_faults
    errors: Errors = field(default_factory=Errors)
    # Parameters of the authorization request: to sign in again, and to be asked for the address.
    reauth_params: Params = field(default_factory=dict)
    ask_email_params: Params = field(default_factory=dict)
    # Further origins between our form and the provider's page (CSP form-action): a browser that is
    # not signed in there is often redirected to another host first.
    also_passes: tuple[str, ...] = ()
    # Whether a stored token can refresh the profile; otherwise only a new sign-in does.
    refreshable: bool = True

    # Only issuers of the settings have any (config.registrations.NamedIssuer).
    optional_credentials: ClassVar[tuple[str, ...]] = ()

    @property
    def identity_issuer(self) -> str:
        """Return what keeps its subjects apart from another server's, at its own address."""
        return self.protocol.identity_issuer

    @property
    def key(self) -> str:
        """Return the prefix of its settings in lower case, which is its key in PROVIDERS."""
        return f"{self.name}_{self.variant}" if self.variant else self.name

    @property
    def settings(self) -> tuple[str, ...]:
        """Return the optional fields of Registration that it uses."""
        return self.protocol.settings

    def params_for(self, intent: str) -> Params:
        """Return the further parameters of an authorization request for this intent."""
        return {"reauth": self.reauth_params, "ask_email": self.ask_email_params}.get(intent, {})

    def faults(self, registration: Registration) -> list[str]:
        """Return the faults of its settings, one line each, naming the variable."""
        faults = self.check_registration(registration)
        is_openid = isinstance(self.protocol, OpenIDConnect)
        return faults + (openid_faults(self.key, registration) if is_openid else [])


def origin(url: str) -> str:
    """Return scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
