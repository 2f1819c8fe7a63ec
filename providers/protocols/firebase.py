"""Firebase: the ID tokens of one project's apps, and the identities they mean.
https://firebase.google.com/docs/auth/admin/verify-id-tokens

It is not a way to sign in on the web: an app signs its person in with Firebase and sends us the
token (views/sign_in/id_tokens.py).
"""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from config.validators import is_loopback
from errors import IdTokenRefused, NotAllowed, ProviderError
from keys.jwk_set import import_certificates, import_jwk_set
from keys.jwt import (
    LEEWAY_SECONDS,
    VerifiedClaims,
    check_times,
    number,
    read_segment,
    require,
    verify_signature,
)
from providers.base import Assertion, Profile, Provider
from providers.http.cache import LIFETIME_SECONDS
from providers.profile import make_profile, value_at
from providers.protocols.key_set import KeySet, PublishedKeys

NAME = "firebase"
LABEL = "Mobile app"
ISSUER = "https://securetoken.google.com/{project_id}"
KEYS_URL = (
    "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com"
)
ALGORITHMS = frozenset({"RS256"})
SUBJECT_MAX_CHARACTERS = 128
# Bounds for the lifetime that the key server states.
KEYS_MIN_SECONDS = 60
KEYS_MAX_SECONDS = 24 * 3600

# Firebase's names of providers whose subjects it passes on unchanged, and ours. So a person is the
# same in the app and on the web.
PASSED_ON = {
    "google.com": "google",
    "facebook.com": "facebook",
    "github.com": "github",
    "apple.com": "apple",
    "twitter.com": "twitter",
}
# Sign-in methods whose email_verified may be believed. Firebase does not check addresses of
# Facebook, GitHub or Microsoft; with custom tokens, the operator's backend asserts them.
EMAIL_IS_PROVED = frozenset({"google.com", "apple.com", "password"})
# Anybody can create one of these, as often as they like.
REFUSED_WAYS = frozenset({"anonymous"})

FetchDated = Callable[[str], tuple[Any, float | None]]


class Firebase:
    """One Firebase project. ``verify`` turns an ID token into an Assertion.

    ``identity_issuers``: by our provider names, what keeps their subjects apart on the web.
    ``closed``: providers of which only some accounts are admitted, which Firebase cannot tell
    apart. ``trust_unsigned``: accept the tokens of Firebase's local emulator too, which anybody can
    write.
    """

    def __init__(
        self,
        project_id: str,
        fetch: FetchDated,
        *,
        identity_issuers: Mapping[str, str],
        closed: Collection[str] = (),
        keys_url: str | None = None,
        tenant_id: str | None = None,
        trust_unsigned: bool = False,
    ) -> None:
        self.project_id = project_id
        self.issuer = ISSUER.format(project_id=project_id)
        self.keys = KeySet(lambda: read_keys(*fetch(keys_url or KEYS_URL)))
        self._identity_issuers = identity_issuers
        self._closed = closed
        self._tenant_id = tenant_id
        self._trust_unsigned = trust_unsigned

    def verify(self, unverified_token: str) -> Assertion:
        """Return a token's assertion. Raises IdTokenRefused; ProviderError if keys cannot be
        fetched; NotAllowed."""
        claims = self.check(unverified_token)
        way = claims["firebase"]["sign_in_provider"]
        provider = PASSED_ON.get(way, "")
        issuer = self._identity_issuers.get(provider)
        if provider in self._closed:
            raise NotAllowed("Firebase does not say of which domain the account is")
        if issuer is None:
            provider, issuer, subject = NAME, self.issuer, claims["sub"]
        else:
            subject = passed_on_subject(claims, way)
        return Assertion(
            provider=provider,
            issuer=issuer,
            profile=profile_of(claims, subject),
            auth_time=float(max(0, claims["auth_time"])),
            begun_at=float(claims["auth_time"]),
            is_relayed=provider != NAME,
        )

    def accepts(self, issuer: object) -> bool:
        return issuer == self.issuer

    def passes_on(self, provider: str, issuer: str) -> bool:
        """Whether apps may send identities of this provider."""
        return self._identity_issuers.get(provider) == issuer

    def check(self, unverified_token: str) -> VerifiedClaims:
        """Return the claims of a valid token of this project."""
        claims = self._claims(unverified_token)
        require(claims.get("iss") == self.issuer, "iss is another project")
        require(claims.get("aud") == self.project_id, "aud is another project")
        check_times(claims)
        auth_time = number(claims, "auth_time")
        require(bool(auth_time < time.time() + LEEWAY_SECONDS), "auth_time is in the future")
        subject = claims.get("sub")
        require(isinstance(subject, str) and bool(subject), "sub is missing")
        require(len(str(subject)) <= SUBJECT_MAX_CHARACTERS, "sub has over 128 characters")
        self._check_way(claims)
        return VerifiedClaims(claims)

    def _claims(self, unverified_token: str) -> dict[str, Any]:
        if self._trust_unsigned and is_unsigned(unverified_token):
            return read_segment(unverified_token, 1, "claims")
        return verify_signature(unverified_token, self.keys, ALGORITHMS)[0]

    def _check_way(self, claims: Mapping[str, Any]) -> None:
        way = value_at(claims, "firebase.sign_in_provider")
        require(isinstance(way, str) and bool(way), "firebase.sign_in_provider is missing")
        require(way not in REFUSED_WAYS, "anonymous users are nobody")
        # Two tenants may have equal user ids.
        tenant = value_at(claims, "firebase.tenant")
        require(tenant == self._tenant_id, "firebase.tenant is another tenant")


def passed_on_subject(claims: VerifiedClaims, way: str) -> object:
    """Return the person's id at the provider they signed in with."""
    identities = claims["firebase"].get("identities")
    subjects = identities.get(way) if isinstance(identities, dict) else None
    is_one = isinstance(subjects, list) and len(subjects) == 1
    require(is_one, f"firebase.identities names not exactly one identity of {way}")
    return subjects[0]  # type: ignore[index]


def profile_of(claims: VerifiedClaims, subject: object) -> Profile:
    """Return the person as Firebase describes them. Its word joins no accounts by itself, because
    the address is that of the Firebase user, who may have signed in with something else."""
    way = claims["firebase"]["sign_in_provider"]
    try:
        return make_profile(
            subject=subject,
            email=claims.get("email"),
            email_verified=claims.get("email_verified") if way in EMAIL_IS_PROVED else False,
            name=claims.get("name"),
            picture=claims.get("picture"),
        )
    except ProviderError as error:
        raise IdTokenRefused(error.detail) from error


def read_keys(answer: object, fresh_seconds: float | None) -> PublishedKeys:
    """Import keys in either format that Google publishes: a JWK set, or a map from key id to X.509
    certificate. Raises ProviderError."""
    is_set = isinstance(answer, dict) and isinstance(answer.get("keys"), list)
    keys = import_jwk_set(answer) if is_set else import_certificates(answer)
    seconds = LIFETIME_SECONDS if fresh_seconds is None else fresh_seconds
    return PublishedKeys(keys, min(max(seconds, KEYS_MIN_SECONDS), KEYS_MAX_SECONDS))


def is_unsigned(unverified_token: str) -> bool:
    """Whether a token is one of the emulator's: alg none and an empty signature."""
    header = read_segment(unverified_token, 0, "header")
    is_empty = unverified_token.count(".") == 2 and unverified_token.endswith(".")
    return header.get("alg") == "none" and is_empty


def identity_issuers(
    providers: Mapping[str, Provider], configured: Mapping[str, str]
) -> dict[str, str]:
    """Return what keeps subjects apart on the web, by provider: the provider's own address, whether
    or not it is on yet.

    ``configured`` may point elsewhere. Firebase means github.com even if the buttons lead to a
    company's own GitHub, whose user 42 is another person. Only fake providers, which are on this
    machine, have a fake Firebase with the same people.
    """
    found = {}
    for name in PASSED_ON.values():
        if name in providers:
            found[name] = providers[name].identity_issuer
            other = configured.get(name)
            if other and is_loopback(urlsplit(other).hostname):
                found[name] = other
    return found
