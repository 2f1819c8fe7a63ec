"""The parts of a Provider: its protocol, its error codes, revocation, trust in its e-mail."""

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import KW_ONLY, dataclass, field
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from config.registrations import ClientAuth, Registration

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # a tenant's id

Params = Mapping[str, str]


def no_params(_client_secret: str, _access_token: str) -> Params:
    """The usual case: a profile request needs only the access token."""
    return {}


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
    ``verified``: it counts as verified, but joins nothing by itself. ``never``: it is only
    shown, because the provider verifies none. ``unverified``: the same, because this site does not
    take its word. ``none``: it shares no address.
    """

    level: Literal["trusted", "verified", "unverified", "never", "none"]
    when: str
    # Whether that holds for the provider's own server only, not for one that NAME_ISSUER names.
    own_server_only: bool = False
    # Whether a person can verify an address there, so that it counts.
    can_verify: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Errors:
    """A provider's own error codes, in addition to those of the standards."""

    # Callback: the person refused.
    cancelled: AbstractSet[str] = frozenset()
    # Callback and token endpoint: our settings are wrong.
    misconfigured: AbstractSet[str] = frozenset()
    # Token endpoint: the code or the refresh token is invalid.
    code_refused: AbstractSet[str] = frozenset()
    # Token endpoint: the same, where no code says so but the description, in lower case.
    code_refused_words: tuple[str, ...] = ()
    misconfigured_words: tuple[str, ...] = ()
    # API: the access token is invalid, if it does not say so with a 401.
    access_refused: AbstractSet[str] = frozenset()
    # Token endpoint and API: a later try may succeed, if the status does not say so (429, 5xx).
    passing: AbstractSet[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class AuthorizationCode:
    """The common part of OAuth 2.0 and OpenID Connect (RFC 6749 4.1)."""

    scope: str
    scope_separator: str = " "
    scope_aliases: Params = field(default_factory=dict)
    # Whether the provider accepts RFC 7636.
    pkce: bool = True
    # RFC 6749 2.3.1, as the provider documents it; None: as the issuer's metadata say, otherwise
    # in the body.
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
    # For OpenID Connect: the base of the paths that criteria ask, if that is not where userinfo is;
    # ends with a slash.
    criteria_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class OAuth2(AuthorizationCode):
    """A plain OAuth 2.0 provider. ``{version}`` in an address stands for ``api_version``."""

    label: ClassVar = "OAuth 2.0"
    optional_credentials: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar = (
        *("authorization_url", "token_url", "api_url", "api_version", "scope", "client_auth"),
        "offline_access",
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
    # Returns the exact issuer for an address that the provider documents too.
    canonical_issuer: Callable[[str], str] = str
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
        usual = ("scope", "client_auth", "par", "offline_access", "issuer", "mobile_client_ids")
        return (*usual, *own)

    @property
    def optional_credentials(self) -> tuple[str, ...]:
        return () if self.make_secret else ("private_key", "key_id")


@dataclass(frozen=True, kw_only=True)
class OAuth1:
    """An OAuth 1.0a provider (RFC 5849), which has no scopes."""

    label: ClassVar = "OAuth 1.0a"
    optional_credentials: ClassVar[tuple[str, ...]] = ()
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


def origin(url: str) -> str:
    """Return scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
