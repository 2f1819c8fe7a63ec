"""OpenID Connect: metadata and keys of an issuer, cached; the checks of an id_token.
https://openid.net/specs/openid-connect-core-1_0.html"""

import base64
import hashlib
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from config.registrations import Registration
from config.validators import check_endpoint, is_loopback
from errors import NotAllowed, NotFresh, ProviderError
from keys.jwk_set import import_jwk_set
from keys.jwt import (
    LEEWAY_SECONDS,
    VerifiedClaims,
    check_times,
    equal,
    number,
    require,
    verify_signature,
)
from providers.base import ClientAuth, Get, NotShared, Profile, Provider, make_profile
from providers.http.cache import Cached
from providers.http.transport import prepare
from providers.protocols.key_set import KeySet, PublishedKeys

# Apple's native tokens say they are good for a day; an app sends one as soon as it has it.
NATIVE_MAX_AGE_SECONDS = 3600
# How long ago somebody may have proved themselves who was sent to do it again.
FRESH_SECONDS = 300
PLAIN_URL = re.compile(r"[\x21-\x7e]{1,2048}")
# As Microsoft's metadata write it, and what stands in its place.
TENANT = "{tenantid}"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

FetchJSON = Callable[[str], Any]


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


def named_issuer(name: str, registration: Registration) -> Provider:
    """The provider of an issuer that only the settings know (OIDC_PROVIDERS)."""

    def profile(get: Get) -> Profile:
        claims = dict(claims_with_userinfo(get, needs=("email", "name")))
        if not registration.trust_email:
            # Anybody can run an issuer: its word counts where the operator says so.
            claims["email_verified"] = False
        return profile_from(claims, email_trusted=registration.trust_email)

    return Provider(
        name=name,
        label=registration.label or name.capitalize(),
        scope="openid email profile",
        issuer=registration.issuer,
        profile=profile,
        intent_params={"reauth": {"max_age": "0"}},
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


@dataclass(frozen=True)
class Metadata:
    """What discovery said (OpenID Connect Discovery 3), of the parts that are used."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    revocation_endpoint: str | None
    client_auth: ClientAuth
    sends_iss: bool


class UpstreamIssuer:
    """One issuer. Reads its metadata and keys when they are first needed, never at start.

    ``any_tenant``: path segments of ``url`` that stand for its tenants, each with those that it
    leaves out. Each tenant is an issuer of its own then, named by the claim ``tid``.
    """

    def __init__(
        self,
        url: str,
        fetch: FetchJSON,
        aliases: tuple[str, ...] = (),
        any_tenant: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.url = url
        self._named = frozenset({url, *aliases})
        segments = any_tenant or {}
        self._template = _template(url, tuple(segments))
        self._many = bool(segments)
        self._left_out = {
            tenant for name, out in segments.items() if name in url.split("/") for tenant in out
        }
        self._fetch = fetch
        self._metadata = Cached(self._read_metadata)
        self.keys = KeySet(lambda: PublishedKeys(import_jwk_set(fetch(self.metadata().jwks_uri))))

    @property
    def identity_issuer(self) -> str:
        """What subjects belong to: one tenant's stay the same when the settings let in all."""
        return self.form_origin if self._many else self.url

    @property
    def form_origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def form_origins(self) -> tuple[str, ...]:
        """Where its pages are: its own origin and, once its metadata are known, their word."""
        known = self._metadata.known
        if known is None:
            return (self.form_origin,)
        parts = urlsplit(known.authorization_endpoint)
        return (self.form_origin, f"{parts.scheme}://{parts.netloc}")

    def accepts(self, issuer: object, tenant: object = None) -> bool:
        """Whether a token or a callback may name this issuer; with a tenant, exactly that one."""
        if not isinstance(issuer, str):
            return False
        if self._template is None:
            return issuer in self._named
        before, _, after = self._template.partition(TENANT)
        named = issuer[len(before) : len(issuer) - len(after)]
        if not GUID.fullmatch(named) or f"{before}{named}{after}" != issuer:
            return False
        if named in self._left_out:
            return False
        return tenant is None or tenant == named

    def metadata(self) -> Metadata:
        """The issuer's endpoints. Raises ProviderError."""
        return self._metadata.get()

    def _read_metadata(self) -> Metadata:
        answer = self._fetch(self.url.rstrip("/") + "/.well-known/openid-configuration")
        if not isinstance(answer, dict):
            raise ProviderError("the metadata are not a JSON object")
        # Discovery 4.3: otherwise one issuer could speak for another.
        if answer.get("issuer") != (self._template or self.url):
            raise ProviderError("the metadata name another issuer")
        return Metadata(
            authorization_endpoint=_endpoint(answer, "authorization_endpoint", self.url),
            token_endpoint=_endpoint(answer, "token_endpoint", self.url),
            jwks_uri=_endpoint(answer, "jwks_uri", self.url),
            userinfo_endpoint=_optional_endpoint(answer, "userinfo_endpoint", self.url),
            revocation_endpoint=_optional_endpoint(answer, "revocation_endpoint", self.url),
            client_auth=_client_auth(answer),
            sends_iss=answer.get("authorization_response_iss_parameter_supported") is True,
        )

    def prepare(self) -> None:
        """Read metadata and keys where that is due, so that what follows can be quick.
        Raises ProviderError."""
        self.metadata()
        self.keys.read()

    def check_id_token(
        self, unverified_token: object, *, client_id: str, nonce: str, access_token: str
    ) -> VerifiedClaims:
        """The claims of an id_token that was made by this issuer, for this client, for this
        flow, and is still good (OpenID Connect Core 3.1.3.7). Raises ProviderError.

        Key and algorithm come from the issuer's key set and our list; nothing in the token's
        header but its key id and the name of its algorithm is ever looked at.
        """
        claims = self._check(unverified_token, client_id, access_token)
        require(equal(claims.get("nonce"), nonce), "nonce is missing or of another flow")
        return VerifiedClaims(claims)

    def check_refreshed_id_token(
        self, unverified_token: object, *, client_id: str, subject: str, access_token: str
    ) -> VerifiedClaims:
        """The claims of an id_token that came with a refreshed access token: of this issuer, for
        this client, about the same person (OpenID Connect Core 12.2). It belongs to no flow, so
        it has no nonce to compare. Raises ProviderError.
        """
        claims = self._check(unverified_token, client_id, access_token)
        require(equal(claims["sub"], subject), "sub is another person")
        return VerifiedClaims(claims)

    def _check(self, unverified_token: object, client_id: str, access_token: str) -> dict[str, Any]:
        claims, algorithm = verify_signature(unverified_token, self.keys)
        self._check_issuer(claims)
        _check_audience(claims, client_id)
        check_times(claims)
        subject = claims.get("sub")
        require(isinstance(subject, str) and bool(subject), "sub is missing")
        if "at_hash" in claims:
            expected = left_half_hash(access_token, algorithm)
            require(equal(claims["at_hash"], expected), "at_hash is of another access token")
        return claims

    def _check_issuer(self, claims: Mapping[str, Any]) -> None:
        tenant = claims.get("tid", "") if self._template else None
        require(self.accepts(claims.get("iss"), tenant), "iss is another issuer")

    def check_native_token(
        self, unverified_token: object, client_ids: Collection[str]
    ) -> VerifiedClaims:
        """The claims of an ID token that an app was given on its device, and sends by itself.

        Nothing ties it to a flow: nonce and azp are the app's own affair (Android's client
        stands in azp, the server's in aud). So whom it is for is all the more exact, and it
        is good for an hour at most, whatever it says. Raises ProviderError.
        """
        claims, _algorithm = verify_signature(unverified_token, self.keys)
        self._check_issuer(claims)
        audience, subject = claims.get("aud"), claims.get("sub")
        require(isinstance(audience, str) and audience in client_ids, "aud is no client of ours")
        check_times(claims)
        age = time.time() - number(claims, "iat")
        require(bool(age < NATIVE_MAX_AGE_SECONDS + LEEWAY_SECONDS), "it is older than an hour")
        require(isinstance(subject, str) and bool(subject), "sub is missing")
        return VerifiedClaims(claims)


def check_hosted_domain(claims: Mapping[str, Any], domain: str | None) -> None:
    """Raises NotAllowed for an account of another domain than the settings let in."""
    if domain and claims.get("hd") != domain:
        raise NotAllowed("the account is of another domain", email=str(claims.get("email", "")))


def left_half_hash(text: str, algorithm: str) -> str:
    """at_hash and c_hash (OpenID Connect Core 3.1.3.6); EdDSA as Ed25519, so SHA-512."""
    bits = "512" if algorithm == "EdDSA" else algorithm[-3:]
    digest = hashlib.new(f"sha{bits}", text.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    """OpenID Connect Core 3.1.3.7 (errata 2): among several clients azp may be missing."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    require(client_id in audiences, "aud is another client")
    require(claims.get("azp", client_id) == client_id, "azp is another client")


def check_fresh(claims: Mapping[str, Any], *, required: bool) -> None:
    """Raises NotFresh unless the person proved themselves just now, as far as the id_token tells;
    ``required``: it must tell, because max_age was sent (OpenID Connect Core 3.1.2.1).

    The browser carries the request to the issuer, so whoever sits there can take
    prompt=login or max_age out of it.
    """
    if "auth_time" not in claims and not required:
        return
    proved, now = claims.get("auth_time"), time.time()
    is_number = isinstance(proved, int | float) and not isinstance(proved, bool)
    if not is_number or not now - FRESH_SECONDS < proved < now + LEEWAY_SECONDS:  # type: ignore[operator]
        raise NotFresh("the id_token tells of no proof of the last minutes")


def _endpoint(answer: Mapping[str, Any], name: str, issuer: str) -> str:
    url = answer.get(name)
    # Printable ASCII (RFC 3986 2): anything else fails, or is misread, where it is used.
    if not isinstance(url, str) or not PLAIN_URL.fullmatch(url):
        raise ProviderError(f"the metadata's {name} is not a plain URL")
    try:
        check_endpoint(url)
        prepare("GET", url)
    except (ValueError, ProviderError) as error:
        raise ProviderError(f"the metadata's {name}: {error}") from None
    # An issuer elsewhere has no business with this machine.
    if is_loopback(urlsplit(url).hostname) and not is_loopback(urlsplit(issuer).hostname):
        raise ProviderError(f"the metadata's {name} is on this machine")
    return url


def _optional_endpoint(answer: Mapping[str, Any], name: str, issuer: str) -> str | None:
    return _endpoint(answer, name, issuer) if answer.get(name) else None


def _client_auth(answer: Mapping[str, Any]) -> ClientAuth:
    """In the body where that is offered: a header needs an encoding that not all agree on."""
    offered = answer.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if isinstance(offered, list) and "client_secret_post" in offered:
        return "post"
    return "basic"


def _template(url: str, any_tenant: tuple[str, ...]) -> str | None:
    segments = url.split("/")
    if not set(segments) & set(any_tenant):
        return None
    return "/".join(TENANT if segment in any_tenant else segment for segment in segments)


def check_userinfo(answer: object, subject: str) -> Mapping[str, Any]:
    """Userinfo of the same person as the id_token (OpenID Connect Core 5.3.2).

    Raises NotShared for anything else: claims of another sub must not be used.
    """
    if not isinstance(answer, dict) or not equal(answer.get("sub"), subject):
        raise NotShared("userinfo is of another subject")
    return answer
