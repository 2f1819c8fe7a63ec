"""A provider as a value, and what one sign-in with it brings."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from config.registrations import Registration, openid_faults
from errors import ProviderError

# The id of a tenant, where an issuer has many.
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

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


def no_proof(_client_secret: str, _access_token: str) -> Params:
    """The usual case: the access token is all that a profile request needs."""
    return {}


def no_faults(_registration: Registration) -> list[str]:
    """The usual case: nothing about the settings can be wrong by itself."""
    return []


@dataclass(frozen=True, kw_only=True, slots=True)
class Revocation:
    """How a provider takes a grant back: one request to ``path``, in which ``{client_id}`` stands
    for ours.

    ``asked_by``: ``form``, the client with a form (RFC 7009 2.1), at an endpoint beside the token
    endpoint; below ``api_url``, ``client``, the client with HTTP Basic and JSON, and ``person``,
    the access token itself.
    """

    path: str
    method: Literal["POST", "DELETE"] = "POST"
    asked_by: Literal["form", "client", "person"] = "form"


@dataclass(frozen=True, kw_only=True)
class Provider:
    """An upstream identity provider. An OpenID Connect one has an ``issuer``; its metadata
    say the rest. One of plain OAuth 2.0 has endpoints, in which ``{version}`` stands for
    ``api_version``; one of OAuth 1.0a has a ``request_token_endpoint`` besides.
    """

    name: str
    label: str
    profile: Callable[[Get], Profile]
    scope: str = ""
    # Where there are two ways to the same people: what tells this one's settings apart.
    variant: str = ""
    issuer: str | None = None
    issuer_aliases: tuple[str, ...] = ()
    # Path segments of the issuer that stand for any tenant, each with those it leaves out.
    any_tenant: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    request_token_endpoint: str = ""
    # The base that the paths given to ``get`` hang on; ends with a slash.
    api_url: str = ""
    api_version: str = ""
    # The one honest fact about a provider: whether it takes RFC 7636.
    pkce: bool = True
    # RFC 6749 2.3.1; None: as the issuer's metadata say, else in the body.
    client_auth: ClientAuth | None = None
    # Whether the token request is JSON (RFC 6749 4.1.3 has a form), and repeats the state.
    json_token_request: bool = False
    state_in_token_request: bool = False
    credentials: tuple[str, ...] = ("client_id", "client_secret")
    optional_credentials: tuple[str, ...] = ()
    # A client secret that is made of other credentials, by the client and a time in seconds.
    make_secret: Callable[[Registration, int], str] | None = None
    check_registration: Callable[[Registration], list[str]] = no_faults
    # For a provider that answers by POST (form_post): what to keep of the form's ``user``.
    read_form_user: Callable[[str], Mapping[str, object]] | None = None
    # What ``profile`` reads of the API where that is several things, each by GET: asked at once.
    reads: tuple[str, ...] = ()
    # Whether a stored token reads the profile again; else only a new sign-in does.
    reads_again: bool = True
    # Whether it ever says that an address was verified.
    vouches_for_email: bool = True
    # Whether it can be told to let in the accounts of one domain only (the claim ``hd``).
    hosted_domains: bool = False
    scope_separator: str = " "
    scope_aliases: Params = field(default_factory=dict)
    # What the authorization endpoint calls the client, where it is not ``client_id``.
    client_id_parameter: str = "client_id"
    # Further parameters of the authorization request; by intent, those that ask for more.
    authorize_params: Params = field(default_factory=dict)
    intent_params: Mapping[str, Params] = field(default_factory=dict)
    # Query parameters that prove, with each profile request, that it comes from the client.
    proof: Callable[[str, str], Params] = no_proof
    authorization_scheme: str = "Bearer"
    # Further headers of token and profile requests, in which ``{client_id}`` is ours.
    api_headers: Params = field(default_factory=dict)
    # What makes the provider give a refresh token, where the operator asks for offline access.
    offline_params: Params = field(default_factory=dict)
    offline_scope: str = ""
    # An issuer's metadata say how (RFC 7009).
    revocation: Revocation | None = None
    # Error codes of the API that mean the access token, where it says so otherwise than by 401.
    access_refused_errors: frozenset[str] = frozenset()
    # Error codes of the callback that mean that the person said no, beside access_denied.
    cancelled_errors: frozenset[str] = frozenset()
    # Error codes of the token endpoint that mean our settings, beside the standard's own.
    misconfigured_errors: frozenset[str] = frozenset()
    # … and that mean the code, when the client is known.
    code_refused_errors: frozenset[str] = frozenset()
    # Further origins that the way from our form to the provider's page may pass (CSP form-action):
    # a browser that is not signed in there is often sent to another host first.
    also_passes: tuple[str, ...] = ()
    # Whether its native SDKs give apps ID tokens for the client of the web.
    native_tokens: bool = False
    # The name of the cookie that its One Tap form repeats as a field; empty: it has no such form.
    one_tap_cookie: str = ""
    verb: str = "Continue with"
    # Where an operator registers the client.
    console: str = ""

    @property
    def identity_issuer(self) -> str:
        """What keeps its subjects apart from another server's, at its own address."""
        if self.issuer and not self.any_tenant:
            return self.issuer
        return origin(self.issuer or self.api_url)

    @property
    def key(self) -> str:
        """The name of its settings in lower case, and its key in PROVIDERS."""
        return f"{self.name}_{self.variant}" if self.variant else self.name

    @property
    def settings(self) -> tuple[str, ...]:
        """The optional fields of ClientSettings that mean something here."""
        if self.issuer:
            own = ("hosted_domain",) if self.hosted_domains else ()
            return ("scope", "offline_access", "issuer", "mobile_client_ids", *own)
        common = ("authorization_url", "token_url", "api_url", "api_version")
        if self.request_token_endpoint:
            return (*common, "request_token_url")
        return (*common, "scope", "offline_access")

    def faults(self, registration: Registration) -> list[str]:
        """What is wrong with its settings, a line each that names the variable."""
        faults = self.check_registration(registration)
        return faults + (openid_faults(self.key, registration) if self.issuer else [])


def origin(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
