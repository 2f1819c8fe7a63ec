"""Signing out of applications: begun by them, and told to them."""

from collections.abc import Mapping

import pytest
import requests

from issuer import id_tokens, logouts
from issuer.logouts import Sender, SendFailed
from providers.http.transport import Transport
from tests.browser import Browser
from tests.issuer.relying_party import App
from tests.processes import until
from tests.site import Site
from views.oidc.wiring import sender

AFTER = "https://notes.example/bye"


@pytest.fixture
def app(site: Site) -> App:
    return App(site, "Notes", "--post-logout-redirect-uri", AFTER)


def end_session(browser: Browser, **parameters: str):
    return browser.get("/oauth2/logout", params=parameters)


# RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0), by the modules of the plan.


def test_rp_initiated_logout(app, grace):
    hint = app.tokens(grace).document["id_token"]
    page = end_session(grace, id_token_hint=hint, post_logout_redirect_uri=AFTER, state="a b")
    assert page.location == f"{AFTER}?state=a+b"
    assert grace.me() is None


def test_rp_initiated_logout_without_state(app, grace):
    hint = app.tokens(grace).document["id_token"]
    page = end_session(grace, id_token_hint=hint, post_logout_redirect_uri=AFTER)
    assert page.location == AFTER


def test_rp_initiated_logout_without_a_target(app, grace):
    page = end_session(grace, id_token_hint=app.tokens(grace).document["id_token"])
    assert (page.status, page.path) == (200, "/oauth2/logout/done")
    assert grace.me() is None


def test_rp_initiated_logout_without_a_hint_asks(app, grace):
    page = end_session(grace, client_id=app.client_id, post_logout_redirect_uri=AFTER, state="x")
    assert page.heading == "Sign out of Quickstep?"
    assert grace.me() is not None
    done = grace.fetch(
        page.actions()[0], "POST", data={"csrf_token": page.csrf_token, "answer": "sign_out"}
    )
    assert done.location == f"{AFTER}?state=x"
    assert grace.me() is None


@pytest.mark.parametrize("parameters", [{}, {"state": "only"}])
def test_rp_initiated_logout_without_parameters_asks(grace, parameters):
    page = end_session(grace, **parameters)
    assert page.heading == "Sign out of Quickstep?"
    stays = grace.fetch(
        page.actions()[0], "POST", data={"csrf_token": page.csrf_token, "answer": "stay"}
    )
    assert stays.location == "/account"
    assert grace.me() is not None


@pytest.mark.parametrize("target", [f"{AFTER}/", f"{AFTER}?more=1", "https://evil.example/"])
def test_rp_initiated_logout_leads_to_registered_addresses_only(app, grace, target):
    hint = app.tokens(grace).document["id_token"]
    page = end_session(grace, id_token_hint=hint, post_logout_redirect_uri=target)
    assert (page.status, page.location) == (400, "")
    assert grace.me() is not None


def test_rp_initiated_logout_refuses_a_bad_hint(app, grace):
    for hint in ("frog", app.tokens(grace).document["id_token"][:-4] + "AAAA"):
        page = end_session(grace, id_token_hint=hint, post_logout_redirect_uri=AFTER)
        assert (page.status, page.location) == (400, "")
        assert grace.me() is not None


def test_rp_initiated_logout_refuses_a_hint_of_another_client(app, grace, site):
    hint = App(site, "Other").tokens(grace).document["id_token"]
    page = end_session(grace, id_token_hint=hint, client_id=app.client_id)
    assert page.status == 400
    assert grace.me() is not None


def test_a_hint_about_another_person_asks(app, grace, other):
    other.sign_in("google", "linus")
    hint = app.tokens(other).document["id_token"]
    page = end_session(grace, id_token_hint=hint, post_logout_redirect_uri=AFTER)
    assert page.heading == "Sign out of Quickstep?"
    assert grace.me() is not None


def test_a_logout_by_post_from_another_site_goes_on_with_our_cookies(app, grace, site):
    hint = app.tokens(grace).document["id_token"]
    form = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER}
    posted = requests.post(
        f"{site.url}/oauth2/logout", data=form, allow_redirects=False, timeout=60
    )
    assert posted.status_code == 303
    for cookie in posted.cookies:
        grace.http.cookies.set_cookie(cookie)
    assert grace.get(posted.headers["Location"]).location == AFTER
    assert grace.me() is None


def test_a_confirmation_needs_its_csrf_token(grace):
    page = end_session(grace)
    grace.fetch(page.actions()[0], "POST", data={"answer": "sign_out"})
    assert grace.me() is not None


# Back-channel logout.


class Receiver:
    """An application's back-channel address: it answers with these statuses, one by one."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.tokens: list[str] = []

    def __call__(self, uri: str, form: Mapping[str, str]) -> int:
        status = self.statuses.pop(0) if self.statuses else 200
        self.tokens.append(form["logout_token"])
        if status == 0:
            raise SendFailed("no answer")
        return status


def deliver(site: Site, receiver: Sender) -> list[str]:
    def run() -> list[str]:
        def make(logout: logouts.Logout) -> str:
            return id_tokens.make_logout_token(site.url, logout)

        return list(logouts.deliver_due(make, receiver))

    return list(site.inside(run))


def make_due(site: Site) -> None:
    site.execute("UPDATE logouts SET due_at = '2026-01-01 00:00:00+00:00'")


@pytest.fixture
def signed_out(site: Site) -> tuple[App, Browser, dict[str, str]]:
    """An application whose person has just signed out here, and its last ID token."""
    site.app.extensions["jobs"].stop()
    browser = site.browser()
    browser.sign_in("google", "grace")
    app = App(site, "Notes", "--backchannel-logout-uri", "https://notes.example/out")
    claims = app.claims(app.tokens(browser).document["id_token"])
    browser.sign_out()
    return app, browser, claims


def test_the_logout_token_says_which_sign_in_has_ended(signed_out, site):
    app, _browser, before = signed_out
    receiver = Receiver()
    assert deliver(site, receiver) == ["delivered"]
    (token,) = receiver.tokens
    assert app.header(token)["typ"] == "logout+jwt"
    claims = app.claims(token)
    assert {name: claims[name] for name in ("iss", "aud", "sub", "sid")} == {
        name: before[name] for name in ("iss", "aud", "sub", "sid")
    }
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert claims["exp"] - claims["iat"] == 120
    assert claims["jti"]
    assert "nonce" not in claims
    assert deliver(site, receiver) == []


def test_a_logout_is_sent_again_until_it_is_taken(signed_out, site):
    receiver = Receiver(503, 302, 204)
    assert deliver(site, receiver) == ["postponed"]
    assert deliver(site, receiver) == []
    for end in ("postponed", "delivered"):
        make_due(site)
        assert deliver(site, receiver) == [end]
    assert site.rows("SELECT count(*) FROM logouts")[0][0] == 0


def test_the_pauses_between_attempts_grow(signed_out, site):
    assert [logouts.delay_after(count) for count in (1, 2, 3, 4, 5)] == [5, 30, 120, 240, 480]
    assert logouts.delay_after(100) == 6 * 3600


def test_an_application_that_is_away_for_two_days_is_given_up(signed_out, site):
    receiver = Receiver(0, 0, 0)
    assert deliver(site, receiver) == ["postponed"]
    make_due(site)
    site.execute("UPDATE logouts SET created_at = '2026-01-01 00:00:00+00:00'")
    assert deliver(site, receiver) == ["given_up"]
    assert deliver(site, receiver) == []


def test_a_logout_token_is_no_hint(signed_out, site):
    app, browser, _before = signed_out
    receiver = Receiver()
    deliver(site, receiver)
    browser.sign_in("google", "grace")
    page = app.ask(browser, id_token_hint=receiver.tokens[0])
    assert "error=invalid_request" in page.location
    assert end_session(browser, id_token_hint=receiver.tokens[0]).status == 400


def test_a_slow_application_delays_no_other(applications, site):
    apps = [
        App(site, name, "--backchannel-logout-uri", f"{applications.url}/{name}")
        for name in ("slow", "quick")
    ]
    for _ in range(3):
        browser = site.browser()
        browser.sign_in("google", "grace")
        for app in apps:
            app.tokens(browser)
        browser.sign_out()
    until(lambda: applications.paths.count("/quick") == 3)
    assert "/slow" in applications.paths


def test_a_redirect_of_an_application_is_not_followed(applications, site):
    site.app.extensions["jobs"].stop()
    browser = site.browser()
    browser.sign_in("google", "grace")
    uri = f"{applications.url}/moved"
    App(site, "Notes", "--backchannel-logout-uri", uri).tokens(browser)
    browser.sign_out()
    assert deliver(site, sender(Transport())) == ["postponed"]
    assert applications.paths == ["/moved"]
