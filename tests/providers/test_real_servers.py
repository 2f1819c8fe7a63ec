"""An OpenID Provider by other authors: oidc-provider-mock, which is Authlib's server, in a separate
process on loopback. Our fake providers could share our own misunderstandings."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.browser import Browser, Page, query_of
from tests.processes import ended, free_port, until
from tests.site import Site, Sites

HANA = {"sub": "f81d4fae", "name": "Hana Novak", "email": "hana@acme.example"}
HANA_VERIFIED: dict[str, Any] = {**HANA, "email_verified": True}
START_SECONDS = 20.0


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="module")
def authlib_server() -> Iterator[str]:
    """Its issuer. It insists on registered clients and on a nonce."""
    port = free_port()
    options = ["--port", str(port), "--host", "127.0.0.1", "--require-nonce", "true"]
    options += ["--require-registration", "true", "--user-claims", json.dumps(HANA_VERIFIED)]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", *options]
    with ended(subprocess.Popen(command, stderr=subprocess.DEVNULL)):
        issuer = f"http://127.0.0.1:{port}"
        until(
            lambda: answers(f"{issuer}/.well-known/openid-configuration"),
            "the server did not start",
            START_SECONDS,
        )
        yield issuer


@pytest.fixture
def site(make_site: Sites, authlib_server: str) -> Site:
    """A site registered there by its API (RFC 7591)."""
    site = make_site(look_alikes=("google",))
    wish = {"redirect_uris": [f"{site.url}/login/acme/authorized"]}
    client = requests.post(f"{authlib_server}/oauth2/clients", json=wish, timeout=5).json()
    site.restart(
        OIDC_PROVIDERS="acme",
        OIDC_ACME_ISSUER=authlib_server,
        OIDC_ACME_CLIENT_ID=client["client_id"],
        OIDC_ACME_CLIENT_SECRET=client["client_secret"],
        OIDC_ACME_TRUST_EMAIL="1",
    )
    return site


def answered(url: str, **form: str) -> str:
    """The URL that follows the person's answer there."""
    assert requests.get(url, timeout=5).status_code == 200
    answer = requests.post(url, data=form, allow_redirects=False, timeout=5)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def sign_in(browser: Browser, sub: str = "f81d4fae") -> Page:
    return browser.get(answered(browser.begin("acme"), sub=sub))


def test_authlibs_server_signs_a_user_in_again(site, authlib_server):
    for _ in range(2):
        browser = site.browser()
        assert sign_in(browser).path == "/account"
    assert site.user_count() == 1
    (row,) = site.rows("SELECT * FROM oauth")
    assert (row.issuer, row.subject) == (authlib_server, "f81d4fae")
    assert (row.email, row.email_verified) == ("hana@acme.example", 1)
    assert json.loads(row.profile)["name"] == "Hana Novak"


def test_two_users_of_authlibs_server_stay_distinct(site):
    first, second = site.browser(), site.browser()
    sign_in(first)
    sign_in(second, "somebody@else.example")
    assert first.user_id != second.user_id


def test_cancelling_at_authlibs_server_says_so(site):
    browser = site.browser()
    page = browser.get(answered(browser.begin("acme"), action="deny"))
    # It sends no state with its error, against RFC 6749 4.1.2.1.
    assert (page.status, page.alert) == (400, "We couldn't match that sign-in")
    assert sign_in(browser).path == "/account"


def test_an_identity_of_authlibs_server_is_linked(site):
    browser = site.browser()
    browser.sign_in("google", "noa")
    browser.get(answered(browser.begin_link("acme"), sub="f81d4fae"))
    assert browser.providers() == ["acme", "google"]


def test_a_code_of_authlibs_server_works_once(site):
    browser = site.browser()
    callback = answered(browser.begin("acme"), sub="f81d4fae")
    assert browser.get(callback).path == "/account"
    other = site.browser()
    state = query_of(other.begin("acme"))["state"]
    code = query_of(callback)["code"]
    page = other.get(f"/login/acme/authorized?code={code}&state={state}")
    assert page.alert == "Acme couldn't complete the sign-in"


def test_the_doctor_finds_a_wrong_secret_for_authlibs_server(site):
    def checked() -> str:
        return str(site.app.test_cli_runner().invoke(args=["providers", "check"]).output)

    assert "ok    Acme: reachable and knows the client" in checked()
    site.restart(OIDC_ACME_CLIENT_SECRET="wrong")
    assert "FAIL  Acme: refuses the client id, secret or redirect URI" in checked()


def test_reauthentication_at_authlibs_server_returns_an_auth_time(site):
    browser = site.browser()
    sign_in(browser)
    site.execute("UPDATE sessions SET authenticated_at = '2001-01-01 00:00:00'")
    page = browser.get("/account/reauth")
    form = {"csrf_token": page.csrf_token, "next": "/account/sessions"}
    url = browser.fetch(page.actions()[0], "POST", data=form).onward
    assert query_of(url)["max_age"] == "0"
    assert browser.get(answered(url, sub="f81d4fae")).path == "/account/sessions"
    assert browser.get("/account/reauth?next=/account/sessions").path == "/account/sessions"
