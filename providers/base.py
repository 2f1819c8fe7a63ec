"""What a provider is, and what it says about a person once it is put in one shape."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from errors import ProviderError

SUBJECT_MAX_CHARACTERS = 255
EMAIL_MAX_CHARACTERS = 254
NAME_MAX_CHARACTERS = 200
PICTURE_MAX_CHARACTERS = 2048

# Controls, and the marks that turn the direction of the text around them.
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")

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
class Grant:
    """What one completed flow brought: an identity and the provider's token for it.

    ``token`` is the token response (RFC 6749 5.1) without what was only for this sign-in;
    empty where an app brought an ID token and nothing else.
    ``proved_at``: when the person proved themselves, in seconds since 1970; None: just now.
    ``is_relayed``: somebody else than the provider tells the profile. It is good for a new
    identity, but no news of a known one.
    """

    provider: str
    issuer: str
    profile: Profile
    scopes: tuple[str, ...] = ()
    proved_at: float | None = None
    is_relayed: bool = False
    token: dict[str, Any] = field(repr=False, default_factory=dict)


class Attempt(Protocol):
    """The part of a flow that a provider's side of the protocol needs."""

    @property
    def state(self) -> str: ...
    @property
    def code_verifier(self) -> str: ...
    @property
    def nonce(self) -> str: ...
    @property
    def intent(self) -> str: ...


def no_proof(_client_secret: str, _access_token: str) -> Params:
    """The usual case: the access token is all that a profile request needs."""
    return {}


@dataclass(frozen=True, kw_only=True)
class Provider:
    """An upstream identity provider. An OpenID Connect one has an ``issuer``; its metadata
    say the rest. A plain OAuth 2.0 one has endpoints, in which ``{version}`` stands for
    ``api_version``.
    """

    name: str
    label: str
    scope: str
    profile: Callable[[Get], Profile]
    issuer: str | None = None
    issuer_aliases: tuple[str, ...] = ()
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    # The base that the paths given to ``get`` hang on; ends with a slash.
    api_url: str = ""
    api_version: str = ""
    # The one honest fact about a provider: whether it takes RFC 7636.
    pkce: bool = True
    scope_separator: str = " "
    scope_aliases: Params = field(default_factory=dict)
    # Further parameters of the authorization request; by intent, those that ask for more.
    authorize_params: Params = field(default_factory=dict)
    intent_params: Mapping[str, Params] = field(default_factory=dict)
    # Query parameters that prove, with each profile request, that it comes from the client.
    proof: Callable[[str, str], Params] = no_proof
    # Error codes of the token endpoint that mean our settings, beside the standard's own.
    misconfigured_errors: frozenset[str] = frozenset()
    # … and that mean the code, when the client is known.
    code_refused_errors: frozenset[str] = frozenset()
    # Further origins that the way from our form to the provider's page may pass (CSP form-action).
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
        return self.issuer or origin(self.api_url)


def make_profile(
    *,
    subject: object,
    email: object = None,
    email_verified: object = False,
    email_trusted: bool = False,
    name: object = None,
    username: object = None,
    picture: object = None,
) -> Profile:
    """A Profile from values as a provider sent them: any type, any length, hostile.

    Raises ProviderError when there is no usable subject; anything else that is bad is absent.
    """
    address = clean_email(email)
    verified = address is not None and is_true(email_verified)
    return Profile(
        subject=clean_subject(subject),
        email=address,
        email_verified=verified,
        email_trusted=verified and email_trusted,
        name=clean_text(name),
        username=clean_text(username),
        picture=clean_picture(picture),
    )


def clean_subject(value: object) -> str:
    """The provider's stable id as a string: an integer becomes its decimal digits.

    Raises ProviderError for anything else, and for an empty or overlong one: an identity
    that is not exactly known is no identity.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        # Python refuses to print integers of thousands of digits.
        value = str(value) if value.bit_length() < 512 else ""
    if not isinstance(value, str) or not value:
        raise ProviderError(f"the subject is {type(value).__name__}, not an id")
    if len(value) > SUBJECT_MAX_CHARACTERS or _UNPRINTABLE.search(value):
        raise ProviderError("the subject is longer than 255 characters or unprintable")
    return value


def clean_text(value: object, limit: int = NAME_MAX_CHARACTERS) -> str | None:
    """A name to show: one line, no control or direction marks, at most ``limit`` characters."""
    if not isinstance(value, str):
        return None
    text = " ".join(_UNPRINTABLE.sub(" ", value[: limit * 4]).split())
    return text[:limit].strip() or None


def clean_email(value: object) -> str | None:
    """An address as it was given, or None when it is not plainly one."""
    if not isinstance(value, str) or len(value) > EMAIL_MAX_CHARACTERS:
        return None
    local, _, domain = value.rpartition("@")
    if not local or not domain or "@" in local or _UNPRINTABLE.search(value):
        return None
    if any(character.isspace() or character in '<>(),;:\\"[]' for character in value):
        return None
    return value


def email_key(email: str) -> str:
    """The address as it is compared: only ASCII case is folded, so no homograph matches."""
    return email.translate(_ASCII_LOWER)


def clean_picture(value: object) -> str | None:
    """An https URL, or None. Nothing here ever fetches it."""
    if not isinstance(value, str) or len(value) > PICTURE_MAX_CHARACTERS:
        return None
    if not value.isascii() or any(character <= " " or character in '"<>\\' for character in value):
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    return value if parts.scheme == "https" and parts.hostname else None


def origin(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_true(value: object) -> bool:
    """A flag as providers send it: true, or the text "true" (Apple, Cognito); else false."""
    return value is True or value == "true"


def claims_at(path: str, **claims: str) -> Callable[[Get], Profile]:
    """The ``profile`` function of a provider that is pure data: one request, a map of claims.

    Each keyword names a field of ``make_profile`` and the dotted place of its value in the
    answer, such as ``picture="picture.data.url"``.
    """

    def profile(get: Get) -> Profile:
        answer = get(path)
        return make_profile(**{name: value_at(answer, place) for name, place in claims.items()})  # type: ignore[arg-type]

    return profile


def value_at(answer: object, place: str) -> object:
    """The value at a dotted place in nested objects; None where the way ends early."""
    for key in place.split("."):
        if not isinstance(answer, Mapping):
            return None
        answer = answer.get(key)
    return answer
