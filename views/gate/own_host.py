"""Applications on PUBLIC_URL's own host, on another path or port.

Browsers send them the session cookie anyway, because cookies know neither. So it decides, and no
gate is needed. Only questions without the name of a gate are answered so.
"""

from collections.abc import Iterable
from urllib.parse import urlencode
from wsgiref.types import WSGIEnvironment

from config.settings import Settings
from gates import asked
from gates.asked import Asked
from web.session_cookie import read_session_tokens


class OwnHost:
    """Our own host, by its settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._origin = asked.origin_of(settings.public_url) or ""
        self._any_port = asked.without_port(self._origin)

    def is_at(self, origin: str) -> bool:
        """Tell whether an origin is on our host, by the scheme that its cookies are for."""
        return asked.without_port(origin) == self._any_port != ""

    def session_tokens(
        self, cookies: Iterable[tuple[str, str]], environ: WSGIEnvironment
    ) -> list[str]:
        """Return the values of the session cookie of a request."""
        return read_session_tokens(cookies, environ, self._settings).tokens

    def sign_in_url(self, wanted: Asked) -> str:
        """Return the address of the sign-in, which leads back. To another port it does if
        CORS_ORIGINS names that (web/return_to.py)."""
        target = asked.storable(wanted.target)
        back = {"next": target}
        if wanted.origin != self._origin:
            back = {"return_to": wanted.origin + target}
        return f"{self._settings.base_url}/login?{urlencode(back)}"
