"""The session cookie: its names over https, and planted cookies, which are never chosen."""

import pytest
import requests

from tests.browser import Browser
from tests.site import Site, Sites

ME = "/api/v1/me"
PUBLIC_URL = "https://login.example.org"
# What browsers say of themselves and apps do not; each alone is enough.
SEC_FETCH = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}


@pytest.fixture
def https(make_site: Sites) -> Site:
    """A site that thinks it is at https; tests send its cookies by hand."""
    return https_site(make_site)


def https_site(make_site: Sites, session_cookie_name: str = "") -> Site:
    site = make_site(PUBLIC_URL=PUBLIC_URL, SESSION_COOKIE_NAME=session_cookie_name)
    site.simulator.google.register(f"{PUBLIC_URL}/login/google/authorized")
    return site


def ask(site: Site, cookie: str, path: str = ME, **headers: str) -> requests.Response:
    sent = {"Cookie": cookie, "Host": "login.example.org", **headers}
    return requests.get(site.url + path, headers=sent, allow_redirects=False, timeout=30)


def bring(site: Site, person: str, **headers: str) -> dict[str, str]:
    """Sign in as an app does; return the cookies that are set."""
    sent = {"Content-Type": "application/jwt", "Host": "login.example.org", **headers}
    body = site.simulator.firebase.mint(person)
    answer = requests.post(f"{site.url}/auth/sign-in", data=body, headers=sent, timeout=30)
    assert answer.text == "OK"
    return {cookie.name: cookie.value or "" for cookie in answer.cookies}


def signed_in(site: Site, person: str) -> dict[str, str]:
    """Sign in as a browser does; return the cookies that are set."""
    host = {"Host": "login.example.org"}
    begun = requests.get(
        f"{site.url}/login/google", headers=host, allow_redirects=False, timeout=30
    )
    browser = Browser(site)
    callback = browser.choose(begun.headers["Location"], person)
    cookie = "; ".join(f"{name}={value}" for name, value in begun.cookies.get_dict().items())
    answer = ask(site, cookie, callback.removeprefix(PUBLIC_URL))
    assert answer.headers["Location"] == "/account"
    return {cookie.name: cookie.value or "" for cookie in answer.cookies}


def test_over_https_browsers_get_a_cookie_that_nobody_can_plant(https):
    cookies = signed_in(https, "grace")
    assert "session" not in cookies
    token = cookies["__Host-session"]
    for headers in ({}, SEC_FETCH):
        assert ask(https, f"__Host-session={token}", **headers).json()["name"] == "Grace Hopper"


def test_over_https_apps_go_on_getting_the_cookie_session(https):
    cookies = bring(https, "grace")
    assert "__Host-session" not in cookies
    answer = ask(https, f"session={cookies['session']}")
    assert answer.json()["name"] == "Grace Hopper"
    change = {"Cookie": f"session={cookies['session']}", "Host": "login.example.org"}
    change["X-CSRF-Token"] = answer.headers["X-CSRF-Token"]
    changed = requests.patch(https.url + ME, json={"name": "G."}, headers=change, timeout=30)
    assert changed.status_code == 200


@pytest.mark.parametrize("name", ["Site", "Mode", "Dest", "User"])
@pytest.mark.parametrize("by_the_view", [False, True])
def test_over_https_a_browsers_cookie_session_is_ignored(https, name, by_the_view):
    """A neighbouring host has planted it: it opens the attacker's account."""
    evil = bring(https, "mallory")["session"]
    headers = {f"Sec-Fetch-{name}": "anything"}
    headers |= {"Origin": "https://elsewhere.example"} if by_the_view else {}
    assert ask(https, f"session={evil}", **headers).status_code == 401
    mine = signed_in(https, "grace")["__Host-session"]
    for cookie in (f"session={evil}; __Host-session={mine}", f"__Host-session={mine}; session=x"):
        assert ask(https, cookie, **headers).json()["name"] == "Grace Hopper"
        assert ask(https, cookie).json()["name"] == "Grace Hopper"


def test_a_page_that_signs_in_as_apps_do_stays_signed_in(https):
    cookies = bring(https, "grace", **SEC_FETCH)
    assert cookies["session"] == cookies["__Host-session"]
    assert ask(https, f"__Host-session={cookies['__Host-session']}", **SEC_FETCH).status_code == 200


def test_an_app_that_replaces_a_browsers_session_is_not_left_with_a_dead_cookie(https):
    old = signed_in(https, "ada")["__Host-session"]
    sent = {"Content-Type": "application/jwt", "Host": "login.example.org"}
    sent["Cookie"] = f"__Host-session={old}"
    body = https.simulator.firebase.mint("grace")
    answer = requests.post(f"{https.url}/auth/sign-in", data=body, headers=sent, timeout=30)
    lines = answer.raw.headers.getlist("Set-Cookie")
    assert any(line.startswith("__Host-session=;") for line in lines)


def test_one_name_for_both_when_the_operator_says_so(make_site):
    site = https_site(make_site, "session")
    for cookies in (signed_in(site, "grace"), bring(site, "grace")):
        assert "__Host-session" not in cookies
        assert ask(site, f"session={cookies['session']}", **SEC_FETCH).status_code == 200


@pytest.mark.parametrize("planted", ["another-apps.cookie", "EVIL"])
@pytest.mark.parametrize("first", [True, False])
def test_another_applications_cookie_of_our_name_does_not_stop_a_sign_in(
    site, browser, other, planted, first
):
    """It came from the parent domain: each sign-in used to end at the sign-in page again."""
    other.sign_in("github", "mallory")
    evil = planted.replace("EVIL", other.cookie("session"))
    browser.sign_in("google", "grace")
    mine = [f"session={evil}", f"session={browser.cookie('session')}"]
    pair = "; ".join(mine if first else reversed(mine))
    cookie = {"Cookie": f"{pair}; quickstep={browser.cookie('quickstep')}"}
    assert browser.fetch("/account", headers=cookie).status == 200
    for more in ({}, {"Origin": "https://elsewhere.example"}):
        answer = requests.get(site.url + ME, headers=cookie | more, timeout=30)
        assert answer.json()["name"] == "Grace Hopper"


def test_a_page_says_so_when_no_session_cookie_can_be_chosen(site, browser, other):
    other.sign_in("github", "mallory")
    browser.sign_in("google", "grace")
    pair = f"session={other.cookie('session')}; session={browser.cookie('session')}"
    planted = f"quickstep={other.cookie('quickstep')}; quickstep={browser.cookie('quickstep')}"
    for cookie in (pair, f"{pair}; {planted}"):
        page = browser.fetch("/account", headers={"Cookie": cookie})
        assert page.location.startswith("/login")
        page = browser.fetch(page.location, headers={"Cookie": cookie})
        assert page.alert == "Your browser has two sign-ins for this site"
        assert "Continue with Google" in page.text
        problem = requests.get(site.url + ME, headers={"Cookie": cookie}, timeout=30)
        assert problem.status_code == 401
        assert "Several session cookies" in problem.json()["detail"]


def test_a_planted_signed_cookie_does_not_end_a_session(site, browser):
    browser.sign_in("google", "grace")
    cookies = {cookie.name: cookie.value for cookie in browser.http.cookies}
    sent = f"quickstep=planted; session={cookies['session']}; quickstep={cookies['quickstep']}"
    page = browser.fetch("/account", headers={"Cookie": sent})
    form = {"csrf_token": page.csrf_token}
    assert browser.fetch("/logout", "POST", data=form, headers={"Cookie": sent}).status == 303
    assert browser.me() is None


@pytest.mark.parametrize("first", [True, False])
def test_a_planted_flow_cookie_does_not_break_a_sign_in(site, browser, first):
    callback = browser.choose(browser.begin("google"), "grace")
    ((name, value),) = [(c.name, c.value) for c in browser.http.cookies if "flow_" in c.name]
    pair = [f"{name}=planted", f"{name}={value}"]
    sent = {"Cookie": "; ".join(pair if first else reversed(pair))}
    assert browser.fetch(callback, headers=sent).location == "/account"
