"""The README: short enough to be read, and its lines for a Flask app run as they stand there."""

import re
import threading
from collections.abc import Iterator

import pytest
import requests
from flask import Flask, g
from werkzeug.serving import make_server

from config import ROOT
from simulator.server import Quiet
from tests.browser import Browser
from tests.site import Site

README = (ROOT / "README.md").read_text(encoding="utf-8")
QUICKSTEP = "http://localhost:5000"  # where the printed lines expect it


def test_the_readme_has_at_most_900_words():
    assert len(README.split()) <= 900


def test_the_pictures_of_the_readme_exist_in_light_and_dark():
    shown = re.findall(r'(?:src|srcset)="([^"]+)"', README)
    assert len(shown) == 4
    assert all((ROOT / picture).exists() for picture in shown)


def test_the_licence_is_mit_in_every_place_that_names_one():
    assert (ROOT / "LICENSE").read_text().startswith("MIT License\n")
    for name in ("pyproject.toml", "simulator/pyproject.toml"):
        assert '\nlicense = "MIT"\n' in (ROOT / name).read_text()
    assert 'org.opencontainers.image.licenses="MIT"' in (ROOT / "Dockerfile").read_text()
    assert "\n!LICENSE\n" in (ROOT / ".dockerignore").read_text()


def printed_lines() -> str:
    """The lines under "Add it to my Flask app"."""
    section = README.partition("\n## Add it to my Flask app\n")[2].partition("\n## ")[0]
    (lines,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    return str(lines)


@pytest.fixture
def their_app() -> Iterator[str]:
    """Somebody's Flask app with the printed lines; the address of a page that greets."""
    app = Flask("theirs")
    exec(compile(printed_lines(), "README.md", "exec"), {"app": app})

    @app.get("/hello")
    def hello() -> str:
        return f"Hello, {g.user['name']}"

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://localhost:{server.server_port}/hello"
    server.shutdown()


@pytest.fixture
def site(make_site, their_app, monkeypatch) -> Site:
    """Their requests to port 5000 go to this site, as through a proxy: they may not change."""
    site: Site = make_site(CORS_ORIGINS=their_app.removesuffix("/hello"))
    monkeypatch.setenv("http_proxy", site.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")  # the fake providers
    return site


def visit(url: str, browser: Browser) -> requests.Response:
    cookies = {cookie.name: cookie.value or "" for cookie in browser.http.cookies}
    with requests.Session() as http:
        http.trust_env = False
        return http.get(url, cookies=cookies, allow_redirects=False, timeout=10)


def test_eight_lines_add_sign_in_to_a_flask_app(browser, their_app):
    assert len([line for line in printed_lines().splitlines() if line]) == 8
    sent_on = visit(their_app, browser).headers["Location"]
    assert sent_on == f"{QUICKSTEP}/login?return_to={their_app}"
    page = browser.get(sent_on.removeprefix(QUICKSTEP))
    (google,) = [link for link in page.links() if link.startswith("/login/google?")]
    page = browser.get(browser.choose(browser.fetch(google).location, "ada"))
    assert their_app in page.links()  # "Taking you back"
    assert visit(their_app, browser).text == "Hello, Ada Lovelace"
    browser.sign_out()
    assert visit(their_app, browser).status_code == 302
