"""Sessions of requests, as other libraries make them, over our transport."""

from typing import cast

import requests

from providers.http.transport import HEADERS, Transport


class OwnTransport:
    """Mixed with a session: it then uses our connections and headers only."""

    def use(self, http: Transport) -> None:
        session = cast(requests.Session, self)
        session.trust_env = False
        session.mount("https://", http)
        session.mount("http://", http)
        session.headers.update(HEADERS)

    def get_redirect_target(self, _response: requests.Response) -> None:
        """None: requests would parse, and stumble over, even a target that is not followed."""
