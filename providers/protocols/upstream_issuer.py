"""One upstream issuer of OpenID Connect: its cached metadata and keys, and the verification of its
id_tokens.

https://openid.net/specs/openid-connect-core-1_0.html
"""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from errors import IdTokenRefused, ProviderError
from keys.jwk_set import import_jwk_set
from keys.jwt import (
    LEEWAY_SECONDS,
    VerifiedClaims,
    check_times,
    equal,
    number,
    quoted,
    read_segment,
    require,
    verify_signature,
)
from providers.http.cache import Cached
from providers.parts import GUID
from providers.protocols.id_token import check_audience, left_half_hash
from providers.protocols.key_set import KeySet, PublishedKeys
from providers.protocols.metadata import Metadata, read_metadata

# Apple's native tokens are valid for a day; an app sends one as soon as it has it.
NATIVE_MAX_AGE_SECONDS = 3600
# The tenant placeholder in Microsoft's metadata, and the claim that replaces it.
TENANT = "{tenantid}"

FetchJSON = Callable[[str], Any]


class UpstreamIssuer:
    """One issuer. Its metadata and keys are fetched on first use, never at start.

    ``any_tenant``: path segments of ``url`` that stand for its tenants, each with those that it
    excludes. Each tenant is then an issuer of its own, named by the claim ``tid``. ``variable``:
    the setting that messages name.
    """

    def __init__(
        self,
        url: str,
        fetch: FetchJSON,
        aliases: tuple[str, ...] = (),
        any_tenant: Mapping[str, tuple[str, ...]] | None = None,
        variable: str = "ISSUER",
    ) -> None:
        self.url = url
        self._variable = variable
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
        """Return what subjects belong to; one tenant's stay the same if the settings later admit
        all."""
        return self.form_origin if self._many else self.url

    @property
    def form_origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def form_origins(self) -> tuple[str, ...]:
        """Return where its pages are: its own origin and, once its metadata are loaded, the origins
        they name."""
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
        """Return the issuer's endpoints. Raises ProviderError."""
        return self._metadata.get()

    @property
    def metadata_url(self) -> str:
        """Return the address of its metadata (OpenID Connect Discovery 4)."""
        return self.url.rstrip("/") + "/.well-known/openid-configuration"

    def _read_metadata(self) -> Metadata:
        answer = self._fetch(self.metadata_url)
        return read_metadata(answer, self.url, self._template or self.url, self._variable)

    def prepare(self) -> None:
        """Fetch metadata and keys if that is due, so that what follows is quick. Raises
        ProviderError."""
        self.metadata()
        self.keys.read()

    def insist(self) -> None:
        """Do the same for a callback, whose code works once: an earlier failure does not count.
        Raises ProviderError."""
        self._metadata.insist()
        self.keys.insist()

    def verify_id_token(
        self, unverified_token: object, *, client_id: str, nonce: str, access_token: str
    ) -> VerifiedClaims:
        """Return the claims of a valid id_token of this issuer, for this client and this flow
        (OpenID Connect Core 3.1.3.7). Raises ProviderError.

        The key comes from the issuer's key set, and the algorithm must be in our list; nothing else
        of the token's header than its key id and algorithm name is read.
        """
        claims = self._verify(unverified_token, client_id, access_token)
        require(equal(claims.get("nonce"), nonce), "nonce is missing or of another flow")
        return VerifiedClaims(claims)

    def verify_refreshed_id_token(
        self, unverified_token: object, *, client_id: str, subject: str, access_token: str
    ) -> VerifiedClaims:
        """Return the claims of an id_token that came with a refreshed access token: of this issuer,
        for this client, about the same person (OpenID Connect Core 12.2). It belongs to no flow, so
        it has no nonce to compare. Raises ProviderError."""
        claims = self._verify(unverified_token, client_id, access_token)
        require(equal(claims["sub"], subject), "sub is another person")
        return VerifiedClaims(claims)

    def verify_userinfo(self, unverified_token: str, client_id: str) -> Mapping[str, Any]:
        """Return the claims of a signed userinfo response (OpenID Connect Core 5.3.2). Issuer and
        audience are only recommended there, and times are not mentioned: what is there must hold.
        Raises ProviderError."""
        try:
            claims, _algorithm = verify_signature(unverified_token, self.keys)
            if "iss" in claims:
                self._check_issuer(claims)
            if "aud" in claims:
                check_audience(claims, client_id)
            if "exp" in claims:
                check_times({"iat": 0} | claims)
        except IdTokenRefused as error:
            raise ProviderError(f"the signed userinfo is refused: {error.detail}") from error
        return claims

    def is_of_another(self, unverified_token: str, client_id: str, subject: str) -> bool:
        """Whether an id_token that was refused names another issuer, client or person than it
        should."""
        try:
            claims = read_segment(unverified_token, 1, "claims")
        except IdTokenRefused:
            return False
        try:
            self._check_issuer(claims)
            check_audience(claims, client_id)
        except IdTokenRefused:
            return True
        return not equal(claims.get("sub", subject), subject)

    def _verify(
        self, unverified_token: object, client_id: str, access_token: str
    ) -> dict[str, Any]:
        claims, algorithm = verify_signature(unverified_token, self.keys)
        self._check_issuer(claims)
        check_audience(claims, client_id)
        check_times(claims)
        subject = claims.get("sub")
        require(isinstance(subject, str) and bool(subject), "sub is missing")
        if "at_hash" in claims:
            expected = left_half_hash(access_token, algorithm)
            require(equal(claims["at_hash"], expected), "at_hash is of another access token")
        return claims

    def _check_issuer(self, claims: Mapping[str, Any]) -> None:
        tenant = claims.get("tid", "") if self._template else None
        iss = claims.get("iss")
        what = f"iss is another issuer: {quoted(iss)} instead of {self._template or self.url}"
        require(self.accepts(iss, tenant), what)

    def verify_native_token(
        self, unverified_token: object, client_ids: Collection[str]
    ) -> VerifiedClaims:
        """Return the claims of an ID token that an app received on its device and sends without a
        flow.

        Nothing binds it to a flow: nonce and azp are the app's business (azp is Android's client,
        aud the server's). Therefore the audience must match exactly, and the token is valid for an
        hour at most, whatever its exp. Raises ProviderError.
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


def _template(url: str, any_tenant: tuple[str, ...]) -> str | None:
    segments = url.split("/")
    if not set(segments) & set(any_tenant):
        return None
    return "/".join(TENANT if segment in any_tenant else segment for segment in segments)
