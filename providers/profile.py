"""A person's profile, made of what a provider sent: cleaned, bounded, refused."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from errors import ProviderError
from providers.base import Get, Profile

SUBJECT_MAX_CHARACTERS = 255
EMAIL_MAX_CHARACTERS = 254
NAME_MAX_CHARACTERS = 200
PICTURE_MAX_CHARACTERS = 2048

_NOT_IN_EMAIL = re.compile(r'[\s<>(),;:\\"\[\]]')
_NOT_IN_PICTURE = re.compile(r'[\x00-\x20"<>\\]')
# Controls, and the marks that turn the direction of the text around them.
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def make_profile(
    *,
    subject: object,
    email: object = None,
    email_verified: object = False,
    email_trusted: object = False,
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
        email_trusted=verified and is_true(email_trusted),
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
    if _NOT_IN_EMAIL.search(value):
        return None
    return value


def email_key(email: str) -> str:
    """The address as it is compared: only ASCII case is folded, so no homograph matches."""
    return email.translate(_ASCII_LOWER)


def clean_picture(value: object) -> str | None:
    """An https URL, or None. Nothing here ever fetches it."""
    if not isinstance(value, str) or len(value) > PICTURE_MAX_CHARACTERS:
        return None
    if not value.isascii() or _NOT_IN_PICTURE.search(value):
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    return value if parts.scheme == "https" and parts.hostname else None


def is_true(value: object) -> bool:
    """A flag as providers send it: true, or the text "true" (Apple, Cognito); else false."""
    return value is True or value == "true"


def claims_at(path: str, **claims: str) -> Callable[[Get], Profile]:
    """The ``profile`` function of a provider that is pure data: one request, a map of claims.

    Each keyword names a field of ``make_profile`` and the dotted place of its value, such as
    ``picture="images.0.url"``; of ``name or nickname``, the first that is not empty counts.
    Never for a subject: known by one place today and another tomorrow, a person would be two.
    """

    def profile(get: Get) -> Profile:
        answer = get(path)
        return make_profile(**{name: _first_at(answer, places) for name, places in claims.items()})

    return profile


def value_at(answer: object, place: str) -> object:
    """The value at a dotted place in nested objects and lists; None where the way ends."""
    for key in place.split("."):
        if isinstance(answer, list) and key.isdecimal():
            answer = answer[int(key)] if int(key) < len(answer) else None
        elif isinstance(answer, Mapping):
            answer = answer.get(key)
        else:
            return None
    return answer


def _first_at(answer: object, places: str) -> object:
    found = (value_at(answer, place) for place in places.split(" or "))
    return next((value for value in found if value not in (None, "")), None)


def profile_from(claims: Mapping[str, Any], *, email_trusted: bool = False) -> Profile:
    """The standard claims (OpenID Connect Core 5.1) as a Profile."""
    return make_profile(
        subject=claims.get("sub"),
        email=claims.get("email"),
        email_verified=claims.get("email_verified"),
        email_trusted=email_trusted,
        name=claims.get("name"),
        username=claims.get("preferred_username"),
        picture=claims.get("picture"),
    )


def claims_with_userinfo(get: Get, needs: tuple[str, ...]) -> Mapping[str, Any]:
    """The id_token's claims; when one of ``needs`` is missing, userinfo's beneath them.

    The id_token is what was signed, so it wins, and it is enough: an issuer without a
    userinfo endpoint, or with a broken one, costs a name or a picture but no sign-in.
    """
    claims: Mapping[str, Any] = get("id_token")
    if all(claims.get(name) for name in needs):
        return claims
    try:
        userinfo: Mapping[str, Any] = get("userinfo")
    except ProviderError:
        return claims
    said = {name: value for name, value in claims.items() if value not in (None, "")}
    # An address and the word that it is verified come from the same place.
    source = claims if "email" in said else userinfo
    return {**userinfo, **said, **{name: source.get(name) for name in ("email", "email_verified")}}
