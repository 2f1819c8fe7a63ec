"""The sender of a request that has not passed through Flask, as TRUSTED_PROXIES says."""

from collections.abc import Iterable
from typing import cast
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.middleware.proxy_fix import ProxyFix

from web.request_info import canonical_address


class AddressReader:
    """Reads the address that the views of this request would see (``request_info.address_of``)."""

    def __init__(self, proxies: int) -> None:
        self._trusting = ProxyFix(_say_address, proxies, proxies, proxies)

    def __call__(self, environ: WSGIEnvironment) -> str | None:
        """Return it; None if it cannot be read."""
        unused = cast(StartResponse, None)
        (said,) = self._trusting(dict(environ), unused)
        try:
            return canonical_address(said.decode())
        except ValueError:
            return None


def _say_address(environ: WSGIEnvironment, _start_response: StartResponse) -> Iterable[bytes]:
    return [str(environ.get("REMOTE_ADDR") or "").encode()]
