"""A provider as a value, and what one sign-in with it brings."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from config.registrations import Registration, openid_faults
from errors import ProviderError
from providers.parts import EmailTrust, Errors, OAuth1, OAuth2, OpenIDConnect, Params

Get = Callable[[str], Any]


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

    ``token`` is the token response (RFC 6749 5.1) without what was only for this sign-in; it is
    empty if an app brought an ID token and nothing else. ``auth_time``: when the person signed in
    to the provider, as a Unix time, if known. ``is_relayed``: somebody else than the provider
    vouches for the profile; it may create an identity, but updates no known one.
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


def no_faults(_registration: Registration) -> list[str]:
    """The usual case: nothing about the settings can be wrong by itself."""
    return []


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
