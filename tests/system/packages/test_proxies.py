"""nginx and Caddy as deploy/ shows them: people sign in over https, and nobody talks past them."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
import requests
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER

from tests.system.packages.fronts import DEPLOY

EXAMPLES = ["nginx/quickstep.conf", "caddy/Caddyfile"]
SHARED = ["nginx/quickstep-paths.conf", "caddy/Caddyfile.paths"]
SPOOFED = {
    "X-Forwarded-For": "203.0.113.9, 198.51.100.4",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Port": "81",
    "X-Forwarded-Prefix": "/evil",
    "SCRIPT_NAME": "/evil",  # which gunicorn takes from proxies unless it is told not to
    "Forwarded": "for=203.0.113.9;host=evil.example;proto=http",
}


class Echo(BaseHTTPRequestHandler):
    """Answers with what came to it."""

    protocol_version = "HTTP/1.1"
    name: ClassVar[str]

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        about = {"name": self.name, "path": self.path, "headers": dict(self.headers.items())}
        body = json.dumps(about).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer  # noqa: N815 (as the standard library calls them)

    def log_message(self, *_args: Any) -> None:
        pass


@pytest.fixture
def proxy(make_front, request) -> Iterator[Any]:
    """One of the examples, with echoes behind it."""
    proxy = make_front.proxy(request.param)
    servers = []
    for name, port in (("quickstep", proxy.upstreams[0]), ("app", proxy.app)):
        handler = type("Handler", (Echo,), {"name": name})
        servers.append(ThreadingHTTPServer(("127.0.0.1", port), handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.02,), daemon=True).start()
    yield proxy
    for server in servers:
        server.shutdown()
        server.server_close()


def ask(proxy, path: str, method: str = "GET", **kwargs: Any) -> requests.Response:
    session = requests.Session()
    session.trust_env = False
    url = f"{proxy.url}{path}"
    return session.request(method, url, verify=str(proxy.certificate), timeout=5, **kwargs)


@pytest.mark.parametrize("example", EXAMPLES + SHARED)
def test_the_proxy_closes_idle_connections_before_a_stopping_server_does(example):
    """Only the side that may send the next request can close one without losing it."""
    found = re.search(
        r"^\s*keepalive(?:_timeout)? (\d+)s", (DEPLOY / example).read_text(), re.MULTILINE
    )
    assert found
    assert int(found[1]) < STOP_KEEPALIVE_LINGER


@pytest.mark.parametrize("example", EXAMPLES)
def test_people_sign_in_over_https_whatever_they_say_of_themselves(make_front, tmp_path, example):
    front = make_front(example)
    browser = front.browser()
    browser.http.headers.update(SPOOFED)
    callback = browser.choose(browser.begin("google"), "ada")
    page = browser.get(callback)
    assert (page.status, page.path) == (200, "/account")
    assert browser.me()["name"] == "Ada Lovelace"
    assert "max-age=31536000" in page.headers["Strict-Transport-Security"]
    assert "evil.example" not in page.html
    cookies = {cookie.name: cookie for cookie in browser.http.cookies}
    assert {"__Host-session", "__Host-quickstep"} <= set(cookies)
    for cookie in cookies.values():
        assert cookie.secure
        assert cookie.path == "/"
        assert not cookie.domain_specified
    assert front.rows("SELECT address FROM sessions") == [("127.0.0.1",)]
    assert browser.post("/logout", page).status == 200  # a form of our own page comes through
    assert browser.me() is None
    front.stop()
    code = callback.partition("code=")[2].partition("&")[0]
    for log in tmp_path.glob("*.log"):
        assert code not in log.read_text(), "the log holds what a callback brought"


@pytest.mark.parametrize("proxy", EXAMPLES + SHARED, indirect=True)
def test_what_visitors_say_of_proxies_is_overwritten(proxy):
    headers = ask(proxy, "/sso/login", headers=SPOOFED).json()["headers"]
    place = proxy.url.removeprefix("https://")
    known = {name.lower(): value for name, value in headers.items()}
    kept = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"}
    assert known["x-forwarded-for"] == "127.0.0.1"
    assert known["x-forwarded-proto"] == "https"
    assert known["x-forwarded-host"] == place
    assert known["host"] == place
    assert not {name.lower() for name in SPOOFED} & set(known) - kept


@pytest.mark.parametrize("proxy", EXAMPLES, indirect=True)
def test_what_is_for_the_operator_is_closed(proxy):
    for path in ("/metrics", "/%6detrics", "/metrics?x=1", "/x/../metrics", "/readyz"):
        assert ask(proxy, path).status_code == 404
    assert ask(proxy, "/login").json()["name"] == "quickstep"


@pytest.mark.parametrize("proxy", EXAMPLES, indirect=True)
def test_a_large_body_does_not_come_through(proxy):
    answer = ask(proxy, "/auth/sign-in", "POST", data=b"x" * 100_000)
    assert answer.status_code in (413, 502)
    assert ask(proxy, "/auth/sign-in", "POST", data=b"x" * 10_000).status_code == 200


@pytest.mark.parametrize("proxy", EXAMPLES + SHARED, indirect=True)
def test_http_leads_to_https(proxy):
    url = f"http://localhost:{proxy.plain_port}/login?next=/account"
    answer = requests.get(url, allow_redirects=False, timeout=5)
    assert answer.status_code in (301, 308)
    assert answer.headers["Location"].startswith("https://localhost")
    assert answer.headers["Location"].endswith("/login?next=/account")


@pytest.mark.parametrize("proxy", SHARED, indirect=True)
def test_a_host_is_shared_by_paths(proxy):
    """Below the prefix Quickstep answers (PATH_PREFIX=/sso); the app keeps all other paths."""
    ours = ["/sso", "/sso/login", "/sso/login/google/authorized?code=x", "/sso/account/sessions"]
    for path in [*ours, "/sso/api/v1/me", "/sso/auth/sign-in", "/sso/_quickstep/static/app.css"]:
        answer = ask(proxy, path).json()
        assert (answer["name"], answer["path"]) == ("quickstep", path)
    for path in ("/", "/login", "/static/app.css", "/account", "/ssologin", "/metrics", "/readyz"):
        assert ask(proxy, path).json()["name"] == "app"
