"""Issuers that redirect on to hosts that only they know: Dex, Keycloak, federated tenants."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.site import Site, Sites
from tests.system.browser.conftest import Come


class Hop(ThreadingHTTPServer):
    """A server that redirects every request to another address, with its query."""

    daemon_threads = True

    def __init__(self, host: str, target: str) -> None:
        self.target = target
        super().__init__(("127.0.0.1", 0), Redirecting)
        self.url = f"http://{host}:{self.server_port}/further"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


class Redirecting(BaseHTTPRequestHandler):
    server: Hop

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", f"{self.server.target}?{self.path.partition('?')[2]}")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def brokered(make_site: Sites) -> Iterator[Site]:
    """A site with Acme, whose authorization endpoint is two hosts away from its pages."""
    site = make_site(look_alikes=("google", "acme"))
    acme = site.simulator.acme
    last = Hop("127.0.0.1", f"{acme.url}{acme.authorize_path}")
    first = Hop("localhost", last.url)
    acme.metadata_changes = {"authorization_endpoint": first.url}
    yield site
    for hop in (first, last):
        hop.shutdown()
        hop.server_close()


@pytest.mark.parametrize("javascript", [True, False])
def test_linking_and_reauthenticating_survive_a_broker_that_redirects_on(
    come_to: Come, brokered: Site, javascript: bool
) -> None:
    """Chromium silently blocked the second hop, so that the button did nothing."""
    ada = come_to(brokered, javascript=javascript)
    ada.be_signed_in("google", "ada")
    ada.link("Acme", "ada")
    ada.is_told("Acme connected. You can now sign in with it.")
    brokered.execute("UPDATE sessions SET authenticated_at = '2026-01-01 00:00:00.000000'")
    ada.open("/account/data")
    ada.sees("Confirm it's you")
    ada.press("Continue with Acme")
    ada.be("ada")
    ada.sees("Download your data", "/account/data")
    assert any("/further" in url for url in ada.requests)
    ada.requests[:] = [url for url in ada.requests if "/further" not in url]
