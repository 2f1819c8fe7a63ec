"""A provider as a value, and the values of one sign-in with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from config.registrations import Registration, client_auth_faults, openid_faults
from errors import ProviderError
from providers.criteria import Criteria, Criterion, Fact
from providers.parts import EmailTrust, Errors, OAuth1, OAuth2, OpenIDConnect, Params

Get = Callable[[str], Any]


class NotShared(ProviderError, KeyError):
    """The provider does not have it, or does not share it (HTTP 403, 404).

    ``get`` also raises it for what could not be read now, so a profile function need not tell the
    two apart: ``read_profile`` does. A KeyError, so that in a test ``get`` can be a dict's
    ``__getitem__``.
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


class SubjectMissing(ProviderError):
    """The answer lacks the subject. ``profile`` has the rest, and no subject: it may be of a person
    for whom the provider once gave subject and username together."""

    def __init__(self, detail: str, profile: Profile) -> None:
        super().__init__(detail)
        self.profile = profile


@dataclass(frozen=True, kw_only=True, slots=True)
class Assertion:
    """The result of one completed flow: an identity and the provider's token for it.

    ``token`` is the token response (RFC 6749 5.1) without the members of this sign-in only; empty
    if an app sent just an ID token. ``auth_time`` is a Unix time, if it is known.
    ``is_relayed``: another party than the provider describes the person. Such a profile counts for
    a new identity, but does not update a known one.
    ``incomplete``: the code of the failure that hid a part of the profile. Such a profile opens a
    known identity and updates nothing; it is not enough for a new one.
    ``begun_at``: when the sign-in at the provider began, as a Unix time, if it is known.
    ``upstream_sid``: the provider's name for its session, if it has one.
    ``facts``: how the person stands to the operator's rules, by the names of their conditions.
    """

    provider: str
    issuer: str
    profile: Profile
    scopes: tuple[str, ...] = ()
    auth_time: float | None = None
    is_relayed: bool = False
    incomplete: str = ""
    begun_at: float | None = None
    upstream_sid: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)
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
    @property
    def chooses_account(self) -> bool: ...


@dataclass(frozen=True)
class RequestToken:
    """The request token that begins an OAuth 1.0a flow (RFC 5849 2.1)."""

    value: str
    secret: str = field(repr=False)


def no_faults(_registration: Registration) -> list[str]:
    """The usual case: the settings cannot be wrong by themselves."""
    return []


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
    # Parameters of the authorization request: to choose among one's accounts there, to sign in
    # again, and to be asked for the address.
    choice_params: Params = field(default_factory=dict)
    reauth_params: Params = field(default_factory=dict)
    ask_email_params: Params = field(default_factory=dict)
    # Whether it adds a fragment to the address that it returns to, which the browser keeps.
    adds_fragment: bool = False
    # Whether a stored token can refresh the profile; otherwise only a new sign-in does.
    refreshable: bool = True
    # The fields of Registration that what it reports to us needs (inbox/dialects/).
    inbox_settings: tuple[str, ...] = ()
    # Whether it reports single refresh tokens as revoked, by a part or a hash (vault/marks.py).
    reports_tokens: bool = False
    # The questions of the operator's rules about a person, and about any claim, if it has such.
    criteria: Criteria = field(default_factory=dict)
    claim_criterion: Callable[[str], Criterion] | None = None

    @property
    def optional_credentials(self) -> tuple[str, ...]:
        """Return further credentials: a key, instead of the client secret."""
        return self.protocol.optional_credentials

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
        return (*self.protocol.settings, *self.inbox_settings)

    def criterion(self, kind: str) -> Criterion | None:
        """Return what a condition of this kind asks; None if there is no such."""
        of_claim = self.claim_criterion(kind) if self.claim_criterion else None
        return self.criteria.get(kind, of_claim)

    def params_for(self, intent: str, *, chooses_account: bool = False) -> Params:
        """Return the further parameters of an authorization request for this intent."""
        if intent == "reauth":  # names its account
            return self.reauth_params
        asked = self.ask_email_params if intent == "ask_email" else {}
        return {**(self.choice_params if chooses_account else {}), **asked}

    def faults(self, registration: Registration) -> list[str]:
        """Return the faults of its settings, one line each, naming the variable."""
        faults = self.check_registration(registration)
        faults = faults + client_auth_faults(self.key, registration)
        is_openid = isinstance(self.protocol, OpenIDConnect)
        return faults + (openid_faults(self.key, registration) if is_openid else [])
