"""The parts of an authorization request (RFC 6749 4.1.1)."""

import base64
import hashlib
from urllib.parse import quote, urlencode

from providers.parts import Params


def query_of(parameters: Params) -> str:
    """Encode a query with %20 instead of +: some providers read it as RFC 3986 does."""
    return urlencode(parameters, quote_via=quote)


def s256(code_verifier: str) -> str:
    """Return a verifier's code challenge (RFC 7636 4.2)."""
    digest = hashlib.sha256(code_verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class InventedFlow:
    """A flow of nobody, to check the settings with."""

    state = code_verifier = "a" * 43
    nonce = intent = request_token_secret = ""
    chooses_account = False
