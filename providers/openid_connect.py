"""OpenID Connect: metadata and keys of an issuer, cached; the checks of an id_token.
https://openid.net/specs/openid-connect-core-1_0.html"""

import base64
import binascii
import copy
import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NewType, TypeVar
from urllib.parse import urlsplit

from joserfc import jwk, jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError

from clients import ClientSettings, check_endpoint
from errors import NotFresh, ProviderError
from providers.base import ClientAuth, Get, NotShared, Profile, Provider, make_profile
from providers.transport import prepare

# Signatures that an issuer's published key can check. Never none, never a shared secret.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
LEEWAY_SECONDS = 60
# How long ago somebody may have proved themselves who was sent to do it again.
FRESH_SECONDS = 300
LIFETIME_SECONDS = 3600
COOL_DOWN_SECONDS = 60
# After a failed read the old copy serves this long before the issuer is asked again.
RETRY_SECONDS = 30
# With no old copy, a failure stands this long for everybody who asks.
FAILURE_SECONDS = 2
ID_TOKEN_MAX_CHARACTERS = 64 * 1024
RSA_MIN_BITS = 2048
PLAIN_URL = re.compile(r"[\x21-\x7e]{1,2048}")
# As Microsoft's metadata write it, and what stands in its place.
TENANT = "{tenantid}"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

VerifiedClaims = NewType("VerifiedClaims", dict[str, Any])
FetchJSON = Callable[[str], Any]
T = TypeVar("T")


class _Registry(jws.JWSRegistry):
    max_header_length = 8192

    def get_alg(self, name: str) -> Any:
        """Without a warning at each EdDSA token: RFC 9864 renames it, issuers still say it."""
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


# Header parameters of other makers are let by unread.
REGISTRY = _Registry(strict_check_header=False)


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


def named_issuer(name: str, client: ClientSettings) -> Provider:
    """The provider of an issuer that only the settings know (OIDC_PROVIDERS)."""

    def profile(get: Get) -> Profile:
        claims = dict(claims_with_userinfo(get, needs=("email", "name")))
        if not client.trust_email:
            # Anybody can run an issuer: its word counts where the operator says so.
            claims["email_verified"] = False
        return profile_from(claims, email_trusted=client.trust_email)

    return Provider(
        name=name,
        label=client.label or name.capitalize(),
        scope="openid email profile",
        issuer=client.issuer,
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


class Cached(Generic[T]):
    """Something read from afar: kept for an hour, served stale while reading it again fails.

    Thread-safe. One caller reads while the others wait; when there is nothing to serve, the
    failure is theirs too, so that many who wait do not wait one after the other.
    """

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._value: T | None = None
        self._until = 0.0
        self._asked = float("-inf")
        self._failure: ProviderError | None = None

    @property
    def known(self) -> T | None:
        """The last copy, without asking; None while there is none."""
        return self._value

    def get(self) -> T:
        """Raises ProviderError."""
        if self._value is not None and time.monotonic() < self._until:
            return self._value
        with self._lock:
            if self._value is not None and time.monotonic() < self._until:
                return self._value
            return self._read_now()

    def renew(self) -> T:
        """Read it again now, unless that was done less than a minute ago."""
        with self._lock:
            if self._value is not None and time.monotonic() < self._asked + COOL_DOWN_SECONDS:
                return self._value
            return self._read_now()

    def _read_now(self) -> T:
        if self._failure and time.monotonic() < self._asked + FAILURE_SECONDS:
            raise copy.copy(self._failure)
        self._failure = None
        try:
            self._value = self._read()
            self._until = time.monotonic() + LIFETIME_SECONDS
        except ProviderError as error:
            if self._value is None:
                self._failure = error
                raise
            self._until = time.monotonic() + RETRY_SECONDS
        finally:
            self._asked = time.monotonic()
        return self._value


class Issuer:
    """One issuer. Reads its metadata and keys when they are first needed, never at start.

    ``any_tenant``: path segments of ``url`` that stand for all of its tenants. Each of them is
    an issuer of its own then, named by the claim ``tid``.
    """

    def __init__(
        self,
        url: str,
        fetch: FetchJSON,
        aliases: tuple[str, ...] = (),
        any_tenant: tuple[str, ...] = (),
    ) -> None:
        self.url = url
        self._named = frozenset({url, *aliases})
        self._template = _template(url, any_tenant)
        self._many = bool(any_tenant)
        self._fetch = fetch
        self._metadata = Cached(self._read_metadata)
        self._keys = Cached(lambda: _import_keys(fetch(self.metadata().jwks_uri)))

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
            authorization_endpoint=_endpoint(answer, "authorization_endpoint"),
            token_endpoint=_endpoint(answer, "token_endpoint"),
            jwks_uri=_endpoint(answer, "jwks_uri"),
            userinfo_endpoint=_optional_endpoint(answer, "userinfo_endpoint"),
            revocation_endpoint=_optional_endpoint(answer, "revocation_endpoint"),
            client_auth=_client_auth(answer),
            sends_iss=answer.get("authorization_response_iss_parameter_supported") is True,
        )

    def key(self, kid: str | None) -> jwk.Key:
        """The issuer's key of that id; without an id, its only key. Raises ProviderError.

        An unknown id makes the key set be read again, at most once a minute: whoever sends
        tokens with made-up ids must not make this server hammer the issuer.
        """
        found = _find(self._keys.get(), kid) or _find(self._keys.renew(), kid)
        if found is None:
            raise ProviderError("the id_token is signed with a key the issuer does not publish")
        return found

    def check_id_token(
        self, unverified_token: object, *, client_id: str, nonce: str, access_token: str
    ) -> VerifiedClaims:
        """The claims of an id_token that was made by this issuer, for this client, for this
        flow, and is still good (OpenID Connect Core 3.1.3.7). Raises ProviderError.

        Key and algorithm come from the issuer's key set and our list; nothing in the token's
        header but its key id and the name of its algorithm is ever looked at.
        """
        claims, algorithm = self._check_signature(unverified_token)
        tenant = claims.get("tid", "") if self._template else None
        _require(self.accepts(claims.get("iss"), tenant), "iss is another issuer")
        _check_audience(claims, client_id)
        _check_times(claims)
        subject = claims.get("sub")
        _require(isinstance(subject, str) and bool(subject), "sub is missing")
        _require(_equal(claims.get("nonce"), nonce), "nonce is missing or of another flow")
        if "at_hash" in claims:
            expected = left_half_hash(access_token, algorithm)
            _require(_equal(claims["at_hash"], expected), "at_hash is of another access token")
        return VerifiedClaims(claims)

    def _check_signature(self, unverified_token: object) -> tuple[dict[str, Any], str]:
        if not isinstance(unverified_token, str):
            raise ProviderError("the answer holds no id_token")
        _require(len(unverified_token) <= ID_TOKEN_MAX_CHARACTERS, "it is too long")
        unverified_header = _unverified_header(unverified_token)
        algorithm = unverified_header.get("alg")
        _require(isinstance(algorithm, str) and algorithm in ALGORITHMS, "alg is not allowed")
        # RFC 7515 4.1.11: what is in it must be understood, and nothing that could be is.
        _require("crit" not in unverified_header, "crit is not understood")
        kid = unverified_header.get("kid")
        _require(kid is None or isinstance(kid, str), "kid is not a string")
        key = self.key(kid)
        try:
            signed = jws.deserialize_compact(unverified_token, key, registry=REGISTRY)
            claims = json.loads(signed.payload or b"")
        except (JoseError, ValueError, RecursionError, TypeError) as error:
            raise ProviderError(f"the id_token does not hold: {type(error).__name__}") from error
        if not isinstance(claims, dict):
            raise ProviderError("the id_token's claims are not an object")
        return claims, str(algorithm)


def _find(keys: Mapping[str, jwk.Key], kid: str | None) -> jwk.Key | None:
    if kid is None:
        return next(iter(keys.values())) if len(keys) == 1 else None
    return keys.get(kid)


def left_half_hash(text: str, algorithm: str) -> str:
    """at_hash and c_hash (OpenID Connect Core 3.1.3.6); EdDSA as Ed25519, so SHA-512."""
    bits = "512" if algorithm == "EdDSA" else algorithm[-3:]
    digest = hashlib.new(f"sha{bits}", text.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ProviderError(f"the id_token was refused: {otherwise}")


def _equal(value: object, expected: str) -> bool:
    # JSON can hold half a surrogate pair, which plain UTF-8 cannot.
    return isinstance(value, str) and hmac.compare_digest(
        value.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass")
    )


def _check_audience(claims: Mapping[str, Any], client_id: str) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    _require(client_id in audiences, "aud is another client")
    _require(len(audiences) == 1 or "azp" in claims, "aud has several clients and no azp")
    _require(claims.get("azp", client_id) == client_id, "azp is another client")


def _check_times(claims: Mapping[str, Any]) -> None:
    now = time.time()
    expires, issued = claims.get("exp"), claims.get("iat")
    for name, value in (("exp", expires), ("iat", issued)):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        _require(is_number, f"{name} is not a number")
    # Written so that a NaN fails.
    _require(bool(expires > now - LEEWAY_SECONDS), "it has expired")  # type: ignore[operator]
    _require(bool(issued < now + LEEWAY_SECONDS), "it is from the future")  # type: ignore[operator]


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


def _unverified_header(unverified_token: str) -> dict[str, Any]:
    try:
        segment = unverified_token.partition(".")[0]
        header = json.loads(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise ProviderError("the id_token is not a JWT") from error
    if not isinstance(header, dict):
        raise ProviderError("the id_token's header is not an object")
    return header


def _import_keys(answer: object) -> dict[str, jwk.Key]:
    """The signing keys of a JWK set (RFC 7517) by key id; those of unknown kinds are left out."""
    rows = answer.get("keys") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise ProviderError("the key set is not one")
    keys: dict[str, jwk.Key] = {}
    for row in rows:
        if not isinstance(row, dict) or row.get("use", "sig") != "sig":
            continue
        if row.get("kty") not in ("RSA", "EC", "OKP"):
            continue
        try:
            key = jwk.import_key(row)
            if isinstance(key, jwk.RSAKey) and key.raw_value.key_size < RSA_MIN_BITS:
                continue
        except (JoseError, ValueError, TypeError, KeyError):  # KeyError: a curve it does not know
            continue
        kid = row.get("kid")
        keys[kid if isinstance(kid, str) else key.thumbprint()] = key
    if not keys:
        raise ProviderError("the key set holds no key that can check a signature")
    return keys


def _endpoint(answer: Mapping[str, Any], name: str) -> str:
    url = answer.get(name)
    # Printable ASCII (RFC 3986 2): anything else fails, or is misread, where it is used.
    if not isinstance(url, str) or not PLAIN_URL.fullmatch(url):
        raise ProviderError(f"the metadata's {name} is not a plain URL")
    try:
        check_endpoint(url)
        prepare("GET", url)
    except (ValueError, ProviderError) as error:
        raise ProviderError(f"the metadata's {name}: {error}") from None
    return url


def _optional_endpoint(answer: Mapping[str, Any], name: str) -> str | None:
    return _endpoint(answer, name) if answer.get(name) else None


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
    if not isinstance(answer, dict) or not _equal(answer.get("sub"), subject):
        raise NotShared("userinfo is of another subject")
    return answer
