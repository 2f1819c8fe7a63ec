"""Devices: their person answers in a browser, where the code alone grants nothing."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.browser import Browser, Page
from tests.issuer.relying_party import App, Tokens
from tests.site import Site
from web import limits

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
def tv(site: Site) -> App:
    return make_tv(site)


def make_tv(site: Site) -> App:
    return App(site, "TV", "--public", "--grant", "device", "--grant", "refresh_token")


def begin(tv: App, scope: str = "openid email") -> dict[str, Any]:
    answer = tv.post("device_authorization", {"scope": scope})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def poll(tv: App, begun: dict[str, Any]) -> Tokens:
    # A device that waits as long as it is told.
    tv.site.execute("UPDATE device_codes SET polled_at = NULL")
    return tv.token(grant_type=GRANT, device_code=begun["device_code"])


def type_code(browser: Browser, code: str, answer: str = "") -> Page:
    page = browser.get("/oauth2/device")
    given = {"user_code": code} | ({"answer": answer} if answer else {})
    return browser.fetch("/oauth2/device", "POST", data={"csrf_token": page.csrf_token, **given})


def test_a_device_signs_in_after_its_person_allows_it(tv, grace, site):
    begun = begin(tv)
    assert begun["verification_uri"] == f"{site.url}/oauth2/device"
    assert (begun["expires_in"], begun["interval"]) == (600, 5)
    assert poll(tv, begun).error == "authorization_pending"
    page = type_code(grace, begun["user_code"].lower().replace("-", " "))
    for words in ("TV", "127.0.0.1", "See your email address", begun["user_code"]):
        assert words in page.text
    assert poll(tv, begun).error == "authorization_pending"
    assert "Device connected" in type_code(grace, begun["user_code"], "allow").text
    tokens = poll(tv, begun)
    assert tokens.status == 200, tokens.document
    assert tv.claims(tokens.document["id_token"])["sub"] == grace.user_id
    assert tv.refresh(tokens.refresh).status == 200
    assert poll(tv, begun).error == "invalid_grant"


def test_a_person_may_refuse_a_device(tv, grace):
    begun = begin(tv)
    type_code(grace, begun["user_code"], "deny")
    assert poll(tv, begun).error == "access_denied"
    assert poll(tv, begun).error == "invalid_grant"


def test_a_person_whom_the_rules_do_not_admit_is_told_so(site, grace):
    names = ("--public", "--grant", "device", "--allow", "domain=other.example")
    begun = begin(App(site, "TV", *names))
    page = type_code(grace, begun["user_code"])
    assert (page.status, page.alert) == (403, "This account can't use that app")


def test_the_sign_in_page_says_that_a_device_waits(site, browser):
    assert browser.get("/oauth2/device").heading == "Sign in to connect a device"


def test_a_link_fills_the_code_in_and_grants_nothing(tv, grace, browser):
    begun = begin(tv)
    page = grace.get(begun["verification_uri_complete"])
    assert f'value="{begun["user_code"]}"' in page.html
    assert poll(tv, begun).error == "authorization_pending"
    assert browser.get(begun["verification_uri_complete"]).path == "/login"


def test_a_device_that_asks_too_often_is_slowed_down(tv):
    begun = begin(tv)
    form = {"grant_type": GRANT, "device_code": begun["device_code"]}
    assert tv.token(**form).error == "authorization_pending"
    assert tv.token(**form).error == "slow_down"
    assert tv.site.rows("SELECT interval FROM device_codes")[0][0] == 10


def test_a_device_code_expires(tv, grace, site):
    begun = begin(tv)
    site.execute("UPDATE device_codes SET expires_at = '2026-01-01 00:00:00+00:00'")
    assert poll(tv, begun).error == "expired_token"
    assert type_code(grace, begun["user_code"], "allow").status == 400


def test_a_device_code_belongs_to_its_client(tv, grace, site):
    begun = begin(tv)
    type_code(grace, begun["user_code"], "allow")
    assert poll(make_tv(site), begun).error == "invalid_grant"
    assert tv.token(grant_type=GRANT, device_code="frog").error == "invalid_grant"
    assert tv.token(grant_type=GRANT).error == "invalid_request"


def test_a_client_must_be_registered_for_devices(app):
    answer = app.post("device_authorization", {"scope": "openid"})
    assert answer.json()["error"] == "unauthorized_client"


def test_guessing_codes_is_stopped(tv, grace, site, monkeypatch):
    monkeypatch.setattr(limits, "WRONG_CODES_PER_ACCOUNT", 3)
    site.restart()
    begun = begin(tv)
    for _ in range(3):
        assert type_code(grace, "BBBB-BBBB").status == 400
    assert type_code(grace, begun["user_code"], "allow").status == 429
    assert poll(tv, begun).error == "authorization_pending"


def test_an_answer_needs_its_csrf_token_and_a_session_of_this_browser(tv, grace, other, site):
    begun = begin(tv)
    form = {"user_code": begun["user_code"], "answer": "allow"}
    grace.fetch("/oauth2/device", "POST", data=form)
    for cookie in grace.http.cookies:
        if cookie.name == "session":
            other.http.cookies.set(cookie.name, cookie.value or "", domain="localhost.local")
    planted = type_code(other, begun["user_code"], "allow")
    assert planted.location.startswith("/account/reauth")
    assert poll(tv, begun).error == "authorization_pending"


def test_a_device_is_answered_once(both):
    tv, browser = make_tv(both), both.browser()
    browser.sign_in("google", "grace")
    begun = begin(tv)
    type_code(browser, begun["user_code"], "allow")
    barrier = threading.Barrier(10)

    def ask(_number: int) -> int:
        barrier.wait(30)
        return tv.token(grant_type=GRANT, device_code=begun["device_code"]).status

    with ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(ask, range(10))) == [200] + [400] * 9


def test_a_device_signs_out_with_its_person_unless_it_is_offline(tv, grace):
    ends = []
    for scope in ("openid", "openid offline_access"):
        begun = begin(tv, scope)
        type_code(grace, begun["user_code"], "allow")
        ends.append(poll(tv, begun))
    grace.sign_out()
    assert [tv.refresh(tokens.refresh).status for tokens in ends] == [400, 200]
