"""A provider as a value, and the values of one sign-in with it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from config.registrations import Registration, openid_faults
from errors import ProviderError

# The id of a tenant, for issuers with many.
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

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


def no_proof(_client_secret: str, _access_token: str) -> Params:
    """The usual case: a profile request needs only the access token."""
    return {}


def no_faults(_registration: Registration) -> list[str]:
    """The usual case: the settings cannot be wrong by themselves."""
    return []


@dataclass(frozen=True, kw_only=True, slots=True)
class Revocation:
    """How a provider revokes a token: one request to ``path``, in which ``{client_id}`` stands for
    ours.

    ``asked_by``: ``form``, the client with a form (RFC 7009 2.1), relative to the token endpoint;
    below ``api_url``, ``client``, the client with HTTP Basic and JSON, and ``person``, the access
    token itself.
    """

    path: str
    method: Literal["POST", "DELETE"] = "POST"
    asked_by: Literal["form", "client", "person"] = "form"


@dataclass(frozen=True, kw_only=True)
class Provider:
    """An upstream identity provider. An OpenID Connect provider has an ``issuer``, whose metadata
    configure the rest. A plain OAuth 2.0 provider has endpoints, in which ``{version}`` stands for
    ``api_version``; an OAuth 1.0a provider also has a ``request_token_endpoint``."""

    name: str
    label: str
    profile: Callable[[Get], Profile]
    scope: str = ""
    # If a provider has two protocols: the part that distinguishes this one's settings.
    variant: str = ""
    issuer: str | None = None
    issuer_aliases: tuple[str, ...] = ()
    # Path segments of the issuer that stand for any tenant, each with the tenants it excludes.
    any_tenant: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    request_token_endpoint: str = ""
    # The base of the paths given to ``get``; ends with a slash.
    api_url: str = ""
    api_version: str = ""
    # Whether the provider accepts RFC 7636; a fact, not a choice.
    pkce: bool = True
    # RFC 6749 2.3.1; None: as the issuer's metadata say, otherwise in the body.
    client_auth: ClientAuth | None = None
    # Whether the token request is JSON (RFC 6749 4.1.3 has a form), and repeats the state.
    json_token_request: bool = False
    state_in_token_request: bool = False
    credentials: tuple[str, ...] = ("client_id", "client_secret")
    optional_credentials: tuple[str, ...] = ()
    # Generates the client secret from the client's other credentials and a Unix time.
    make_secret: Callable[[Registration, int], str] | None = None
    check_registration: Callable[[Registration], list[str]] = no_faults
    # For a provider with form_post: what to keep of the form's ``user``.
    read_form_user: Callable[[str], Mapping[str, object]] | None = None
    # API paths that ``profile`` reads by GET, if there are several: they are requested
    # concurrently.
    reads: tuple[str, ...] = ()
    # Whether a stored token can refresh the profile; otherwise only a new sign-in does.
    reads_again: bool = True
    # Whether it ever says that an address is verified.
    vouches_for_email: bool = True
    # Whether it can be told to admit accounts of one domain only (the claim ``hd``).
    hosted_domains: bool = False
    scope_separator: str = " "
    scope_aliases: Params = field(default_factory=dict)
    # The authorization endpoint's name of the client, if it is not ``client_id``.
    client_id_parameter: str = "client_id"
    # Further parameters of the authorization request; by intent, those that ask for more.
    authorize_params: Params = field(default_factory=dict)
    intent_params: Mapping[str, Params] = field(default_factory=dict)
    # Query parameters that authenticate the client in each profile request.
    proof: Callable[[str, str], Params] = no_proof
    authorization_scheme: str = "Bearer"
    # Further headers of token and profile requests, in which ``{client_id}`` is ours.
    api_headers: Params = field(default_factory=dict)
    # The parameters or scope for a refresh token, if the operator wants offline access.
    offline_params: Params = field(default_factory=dict)
    offline_scope: str = ""
    # For OpenID Connect the metadata name the endpoint (RFC 7009).
    revocation: Revocation | None = None
    # API error codes that mean the access token, if it does not use 401.
    access_refused_errors: frozenset[str] = frozenset()
    # Callback error codes that mean that the person refused, in addition to access_denied.
    cancelled_errors: frozenset[str] = frozenset()
    # Token endpoint error codes that mean our settings, in addition to the standard's.
    misconfigured_errors: frozenset[str] = frozenset()
    # … and those that mean the code, while the client is known.
    code_refused_errors: frozenset[str] = frozenset()
    # Further origins between our form and the provider's page (CSP form-action): a browser that is
    # not signed in there is often redirected to another host first.
    also_passes: tuple[str, ...] = ()
    # Whether its native SDKs give apps ID tokens for the web's client id.
    native_tokens: bool = False
    # The cookie that its One Tap form repeats as a field; empty: it has no such form.
    one_tap_cookie: str = ""
    verb: str = "Continue with"
    # The console where an operator registers the client.
    console: str = ""

    @property
    def identity_issuer(self) -> str:
        """Return what keeps its subjects apart from another server's, at its own address."""
        if self.issuer and not self.any_tenant:
            return self.issuer
        return origin(self.issuer or self.api_url)

    @property
    def key(self) -> str:
        """Return the prefix of its settings in lower case, which is its key in PROVIDERS."""
        return f"{self.name}_{self.variant}" if self.variant else self.name

    @property
    def settings(self) -> tuple[str, ...]:
        """Return the optional fields of Registration that it uses."""
        if self.issuer:
            own = ("hosted_domain",) if self.hosted_domains else ()
            return ("scope", "offline_access", "issuer", "mobile_client_ids", *own)
        common = ("authorization_url", "token_url", "api_url", "api_version")
        if self.request_token_endpoint:
            return (*common, "request_token_url")
        return (*common, "scope", "offline_access")

    def faults(self, registration: Registration) -> list[str]:
        """Return the faults of its settings, one line each, naming the variable."""
        faults = self.check_registration(registration)
        return faults + (openid_faults(self.key, registration) if self.issuer else [])


def origin(url: str) -> str:
    """Return scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
