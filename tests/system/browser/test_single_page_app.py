"""A page of another origin, which runs the lines of docs/integrate/api.md in Chromium."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

GUIDE = (Path(__file__).parents[3] / "docs" / "integrate" / "api.md").read_text(encoding="utf-8")
SIGN_IN, CHANGE, EXPORT, SIGN_OUT = re.findall(r"```js\n(.*?)```", GUIDE, re.DOTALL)
LONG_AGO = "2026-01-01 00:00:00.000000"
ME = """const me = await fetch("https://login.example.org/api/v1/me", { credentials: "include" });
return me.status === 200 ? (await me.json()).name : me.status;"""


class Shell(BaseHTTPRequestHandler):
    """Answers every path with the same page, as the server of a single-page app does."""

    def do_GET(self) -> None:
        page = b"<!doctype html><title>App</title><h1>App</h1>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_facts: Any) -> None:
        pass


@pytest.fixture
def origins() -> Iterator[list[str]]:
    """Two origins, each with an app."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Shell) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield [f"http://localhost:{server.server_port}" for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


def unrelated(origin: str) -> str:
    """The same server under a name that is another site to a browser."""
    return origin.replace("localhost", "127.0.0.1")


@pytest.fixture
def site(make_site, origins):
    """A site at which the first origin is registered, under both names of its server."""
    return make_site(CORS_ORIGINS=f"{origins[0]},{unrelated(origins[0])}")


@pytest.fixture
def page(chromium, site) -> Iterator[Page]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def run(page: Page, site: Any, *lines: str) -> Any:
    """Run lines of the guide on the page, against this site."""
    body = "\n".join(lines).replace("https://login.example.org", site.url)
    return page.evaluate(f"async () => {{ {body} }}")


def be_ada(page: Page) -> None:
    page.locator('button[name=person][value="ada"]').click()


def test_a_single_page_app_on_another_origin_signs_in_acts_and_signs_out(page, site, origins):
    app = f"{origins[0]}/start?tab=1#/here"
    page.goto(app)
    assert run(page, site, ME) == 401
    run(page, site, SIGN_IN)
    be_ada(page)
    expect(page).to_have_url(app)

    site.execute("UPDATE users SET name = 'Somebody'")
    run(page, site, CHANGE)
    assert run(page, site, ME) == "Ada Lovelace"

    exported = run(page, site, CHANGE, EXPORT, "return exported;")
    assert exported["profile"]["name"] == "Ada Lovelace"

    site.execute("UPDATE sessions SET authenticated_at = :at", at=LONG_AGO)
    run(page, site, CHANGE, EXPORT)
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm it's you")
    page.get_by_role("button", name="Google").click()
    be_ada(page)
    expect(page).to_have_url(app)
    assert run(page, site, CHANGE, EXPORT, "return answer.status;") == 200

    run(page, site, CHANGE, SIGN_OUT)
    assert run(page, site, ME) == 401
    assert site.rows("SELECT count(*) FROM sessions")[0][0] == 0


def test_a_page_of_an_unregistered_origin_reads_nothing_and_is_not_returned_to(page, site, origins):
    page.goto(origins[0])
    run(page, site, SIGN_IN)
    be_ada(page)
    expect(page).to_have_url(f"{origins[0]}/")

    page.goto(origins[1])
    for lines in (ME, SIGN_IN):
        outcome = run(page, site, f"try {{ {lines} }} catch (error) {{ return error.name; }}")
        assert outcome == "TypeError"
    page.goto(f"{site.url}/login/google?return_to={origins[1]}/")
    be_ada(page)
    expect(page).to_have_url(f"{site.url}/account")


def test_an_unrelated_site_is_without_the_persons_cookie_even_when_registered(page, site, origins):
    page.goto(origins[0])
    run(page, site, SIGN_IN)
    be_ada(page)
    expect(page).to_have_url(f"{origins[0]}/")
    page.goto(unrelated(origins[0]))
    assert run(page, site, ME) == 401
