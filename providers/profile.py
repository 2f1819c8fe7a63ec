"""A person's profile, built from a provider's response: cleaned, bounded, or refused."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from errors import ProviderError
from providers.base import Get, NotShared, Profile, SubjectMissing

SUBJECT_MAX_CHARACTERS = 255
EMAIL_MAX_CHARACTERS = 254
NAME_MAX_CHARACTERS = 200
PICTURE_MAX_CHARACTERS = 2048

# Tab, and Unicode's space separators; a line break may be an attempt at another header.
_BLANKS = "\t \u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_NOT_IN_EMAIL = re.compile(r'[\s<>(),;:\\"\[\]]')
_NOT_IN_PICTURE = re.compile(r'[\x00-\x20"<>\\]')
# Control characters, and marks that change the direction of the surrounding text.
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
# Letters and symbols that are blank: fillers, BRAILLE PATTERN BLANK, MUSICAL SYMBOL NULL NOTEHEAD.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\U0001d159")
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
    """Build a Profile from a provider's values: any type, any length, hostile.

    Raises ProviderError without a usable subject; any other bad value counts as missing.
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
    """Return the provider's stable id as a string; an integer becomes its decimal digits.

    Raises ProviderError for anything else, and for an empty or overlong one: an inexact id
    identifies nobody.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        # Python refuses to print integers of thousands of digits.
        value = str(value) if value.bit_length() < 512 else ""
    if not isinstance(value, str) or not value:
        raise ProviderError(f"the subject is {type(value).__name__}, not an id")
    if len(value) > SUBJECT_MAX_CHARACTERS or _UNPRINTABLE.search(value):
        raise ProviderError("the subject is longer than 255 characters or unprintable")
    if not has_visible_character(value):
        raise ProviderError("the subject has no visible character")
    return value


def clean_id(value: object) -> str:
    """Return an id as ``clean_subject`` does; empty for what that refuses."""
    try:
        return clean_subject(value)
    except ProviderError:
        return ""


def has_visible_character(text: str) -> bool:
    """Find a letter, digit, mark of punctuation or symbol. Blanks, controls, format characters and
    combining marks alone show nothing."""
    return any(unicodedata.category(each)[0] in "LNPS" and each not in _BLANK for each in text)


def clean_text(value: object, limit: int = NAME_MAX_CHARACTERS) -> str | None:
    """Return a display name: one line, no control or direction marks, at most ``limit``
    characters, at least one of them visible."""
    if not isinstance(value, str):
        return None
    text = " ".join(_UNPRINTABLE.sub(" ", value[: limit * 4]).split())[:limit].strip()
    return text if has_visible_character(text) else None


def says_something(value: object) -> bool:
    """Whether a value is neither missing nor a text without a visible character."""
    return value is not None and not (isinstance(value, str) and not has_visible_character(value))


def first_said(*values: object) -> object:
    """Return the first of several values that says something; None if none does."""
    return next((value for value in values if says_something(value)), None)


def clean_email(value: object) -> str | None:
    """Return an address as given, but without blanks around it; None if it is not plainly one."""
    if not isinstance(value, str):
        return None
    value = value.strip(_BLANKS)
    if len(value) > EMAIL_MAX_CHARACTERS:
        return None
    local, _, domain = value.rpartition("@")
    if not local or not domain or "@" in local or _UNPRINTABLE.search(value):
        return None
    if _NOT_IN_EMAIL.search(value):
        return None
    return value


def email_key(email: str) -> str:
    """Return the address for comparison: only ASCII case is folded, so no homograph matches."""
    return email.translate(_ASCII_LOWER)


def clean_picture(value: object) -> str | None:
    """Return an https URL, or None. We never fetch it."""
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
    """Whether a provider's flag is set: true, or the text "true" (Apple, Cognito)."""
    return value is True or value == "true"


def claims_at(
    path: str, *, is_username_unique: bool = False, **claims: str
) -> Callable[[Get], Profile]:
    """Build the ``profile`` function of a provider that is pure data: one request, a map of claims.

    Each keyword names a field of ``make_profile`` and the dotted path of its value, such as
    ``picture="images.0.url"``; for ``name or nickname``, the first one that says something counts.
    Never for a subject: a person who is identified by one path today and by another tomorrow would
    be two people. With ``is_username_unique``, SubjectMissing is raised if only the username is
    there.
    """

    def profile(get: Get) -> Profile:
        answer = get(path)
        values = {name: _first_at(answer, places) for name, places in claims.items()}
        if is_username_unique and values["subject"] is None and clean_text(values["username"]):
            rest = make_profile(**{**values, "subject": "missing"})
            raise SubjectMissing("the subject is missing", replace(rest, subject=""))
        return make_profile(**values)

    return profile


def value_at(answer: object, place: str) -> object:
    """Return the value at a dotted path in nested objects and lists; None if the path ends
    early."""
    for key in place.split("."):
        if isinstance(answer, list) and key.isdecimal():
            answer = answer[int(key)] if int(key) < len(answer) else None
        elif isinstance(answer, Mapping):
            answer = answer.get(key)
        else:
            return None
    return answer


def _first_at(answer: object, places: str) -> object:
    return first_said(*(value_at(answer, place) for place in places.split(" or ")))


def profile_from(claims: Mapping[str, Any], *, email_trusted: bool = False) -> Profile:
    """Build a Profile from the standard claims (OpenID Connect Core 5.1)."""
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
    """Return the id_token's claims; if one of ``needs`` is missing, completed from userinfo.

    The id_token is signed, so it takes precedence, and it is enough if the issuer has no userinfo
    or does not let us read it.
    """
    claims: Mapping[str, Any] = get("id_token")
    if all(says_something(claims.get(name)) for name in needs):
        return claims
    try:
        userinfo: Mapping[str, Any] = get("userinfo")
    except NotShared:
        return claims
    said = {name: value for name, value in claims.items() if says_something(value)}
    # An address and its verified flag must come from the same source.
    source = claims if "email" in said else userinfo
    return {**userinfo, **said, **{name: source.get(name) for name in ("email", "email_verified")}}
