"""The document by which a sender of security events says who it is and where its keys are (Shared
Signals Framework 1.0, 7.1; RISC before it)."""

from collections.abc import Iterator, Sequence

from errors import ProviderError
from keys.jwk_set import PublishedKey, import_jwk_set
from providers.http.transport import Transport


class SignedConfiguration:
    """Issuer and keys of one sender, read with its keys. Contains the issuers that it names."""

    def __init__(self, url: str, http: Transport) -> None:
        self._url = url
        self._http = http
        self._issuer = ""

    def read_keys(self) -> Sequence[PublishedKey]:
        """Read the document and the keys. Raises ProviderError."""
        document = self._http.get_json(self._url)
        document = document if isinstance(document, dict) else {}
        issuer, keys_url = document.get("issuer"), document.get("jwks_uri")
        if not isinstance(issuer, str) or not isinstance(keys_url, str):
            raise ProviderError("the configuration names no issuer, or no keys")
        self._issuer = issuer
        return import_jwk_set(self._http.get_json(keys_url))

    def __contains__(self, issuer: object) -> bool:
        return bool(self._issuer) and issuer == self._issuer

    def __iter__(self) -> Iterator[str]:
        return iter([self._issuer] if self._issuer else [])

    def __len__(self) -> int:
        return 1 if self._issuer else 0
