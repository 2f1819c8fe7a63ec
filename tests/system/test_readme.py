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

README = (ROOT / "README.md").read_text(encoding="utf-8")
QUICKSTEP = "http://localhost:5000"  # where the printed lines expect it


def test_the_readme_has_at_most_900_words():
    assert len(README.split()) <= 900


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
def their_app(site, monkeypatch) -> Iterator[str]:
    """Somebody's Flask app with the printed lines. Their requests to port 5000 go to the site, as
    through a proxy: they may not change."""
    monkeypatch.setenv("http_proxy", site.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")  # the fake providers
    app = Flask("theirs")
    exec(compile(printed_lines(), "README.md", "exec"), {"app": app})

    @app.get("/hello")
    def hello() -> str:
        return f"Hello, {g.user['name']}"

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://localhost:{server.server_port}/hello"
    server.shutdown()


def cookies_of(browser: Browser) -> dict[str, str]:
    return {cookie.name: cookie.value or "" for cookie in browser.http.cookies}


def visit(url: str, cookies: dict[str, str]) -> requests.Response:
    with requests.Session() as http:
        http.trust_env = False
        return http.get(url, cookies=cookies, allow_redirects=False, timeout=10)


def test_eight_lines_add_sign_in_to_a_flask_app(site, browser, their_app):
    assert len([line for line in printed_lines().splitlines() if line]) == 8
    asked = visit(their_app, {})
    assert (asked.status_code, asked.headers["Location"]) == (302, f"{QUICKSTEP}/login")
    browser.sign_in("google", "ada")
    assert visit(their_app, cookies_of(browser)).text == "Hello, Ada Lovelace"
    browser.sign_out()
    assert visit(their_app, cookies_of(browser)).status_code == 302
