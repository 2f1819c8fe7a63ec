"""A page of another origin signs people in with oidc-client-ts, by the files of its own page."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from werkzeug import Request
from werkzeug.middleware.shared_data import SharedDataMiddleware
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from simulator.server import Quiet
from tests.issuer.relying_party import App
from tests.processes import free_port
from tests.site import Site
from tests.system.browser.visitor import Visitor
from tests.system.clients import pages
from tests.system.clients.node import node, node_packages

__all__ = ["node", "node_packages"]

HOME = """<!doctype html><title>Notes</title><h1>Notes</h1><button>Sign out</button>
<script type="importmap">{"imports": {
  "oidc-client-ts": "/modules/oidc-client-ts/dist/esm/oidc-client-ts.js",
  "jwt-decode": "/modules/jwt-decode/build/esm/index.js"}}</script>
<script type="module" src="/main.js"></script>"""
# The library renews like this by itself, a minute before the end.
RENEW = """async ([issuer, client]) => {
  const { makeManager } = await import("/sign-in.js");
  const manager = makeManager(issuer, client);
  const before = await manager.getUser();
  const user = await manager.signinSilent();
  return [user.profile.sub, user.access_token !== before.access_token];
}"""


@pytest.fixture
def app(site: Site, node_packages: Path, tmp_path: Path) -> Iterator[App]:
    """The page, served from files alone."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    ways = ("--redirect-uri", url, "--post-logout-redirect-uri", url)
    app = App(site, "Notes", "--public", *ways)
    pages.write_files("single-page-app", tmp_path)
    main = tmp_path / "main.js"
    text = main.read_text().replace("https://login.example.org", site.url)
    main.write_text(text.replace("7d0f…", app.client_id))
    shell = Request.application(lambda _request: Response(HOME, mimetype="text/html"))
    files: Any = {"/modules": str(node_packages / "node_modules")}
    files |= {f"/{name}": str(tmp_path / name) for name in ("main.js", "sign-in.js")}
    served = SharedDataMiddleware(shell, files)
    server = make_server("127.0.0.1", port, served, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield app
    server.shutdown()
    server.server_close()


def test_a_single_page_app_signs_in_renews_and_signs_out(
    chromium: Browser, site: Site, app: App
) -> None:
    visitor = Visitor(chromium, site)
    visitor.open(app.redirect_uri)
    visitor.sees("Sign in to continue to Notes")
    visitor.press("Continue with Google")
    visitor.be("grace")
    visitor.press("Continue to Notes")
    visitor.sees("Hello Grace Hopper")
    # The address keeps no code, and a reload asks nobody.
    expect(visitor.page).to_have_url(app.redirect_uri)
    visitor.page.reload()
    visitor.sees("Hello Grace Hopper")

    ((user_id,),) = site.rows("SELECT id FROM users")
    assert visitor.page.evaluate(RENEW, [site.url, app.client_id]) == [user_id, True]

    visitor.press("Sign out")
    visitor.sees("Sign in to continue to Notes")
    assert site.rows("SELECT count(*) FROM sessions")[0][0] == 0
    assert not [text for text in visitor.complaints if "a request to" not in text]
    visitor.leave()
