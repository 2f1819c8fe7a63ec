"""Applications in a real browser: signing in to one, from its link to its page, and back out."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, expect
from werkzeug import Request, Response
from werkzeug.serving import make_server

from simulator.server import Quiet
from tests.eavesdropper import EAR
from tests.issuer.relying_party import App, query_of
from tests.site import Site
from tests.system.browser.inspection import inspect
from tests.system.browser.visitor import Visitor

ROOT = Path(__file__).parents[3]


class Notes:
    """The server of an application, which then goes on to another host of its own."""

    def __init__(self) -> None:
        self.answers: list[dict[str, str]] = []
        self._server = make_server(
            "127.0.0.1", 0, self._answer, threaded=True, request_handler=Quiet
        )
        port = self._server.server_port
        self.url = f"http://127.0.0.1:{port}"
        self.home = f"http://notes.localhost:{port}/home"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _answer(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        if request.path != "/callback":
            return Response("<h1>Notes</h1>", mimetype="text/html")(environ, start_response)
        self.answers.append(dict(request.values))
        EAR.learn(request.values.get("code", ""))
        moved = Response(status=302, headers={"Location": self.home})
        return moved(environ, start_response)

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def notes() -> Iterator[Notes]:
    server = Notes()
    yield server
    server.stop()


@pytest.fixture
def visitor(chromium: Browser, site: Site, javascript: bool) -> Iterator[Visitor]:
    """Somebody whose browser also goes to applications."""
    somebody = Visitor(chromium, site, javascript=javascript)
    yield somebody
    somebody.leave()


def way_in(app: App, **parameters: str) -> str:
    return f"/oauth2/authorize?{urlencode(app.authorization(**parameters))}"


def violations(visitor: Visitor) -> list[str]:
    return [text for text in visitor.complaints if "policy" in text or "Security" in text]


def test_a_person_signs_in_to_an_application_and_allows_it(visitor, site, notes):
    app = App(site, "Notes", "--redirect-uri", f"{notes.url}/callback")
    visitor.open(way_in(app))
    visitor.sees("Sign in to continue to Notes")
    visitor.press("Continue with Google")
    visitor.be("grace")
    visitor.sees("Share with Notes?")
    visitor.press("Allow")
    expect(visitor.page).to_have_url(notes.home)
    assert app.exchange(notes.answers[0]["code"]).status == 200
    assert violations(visitor) == []


def test_a_first_party_application_opens_without_a_question(visitor, site, notes):
    app = App(site, "Notes", "--first-party", "--redirect-uri", f"{notes.url}/callback")
    visitor.open(way_in(app))
    visitor.press("Continue with GitHub")
    visitor.be("linus")
    expect(visitor.page).to_have_url(notes.home)
    visitor.open(way_in(app))
    expect(visitor.page).to_have_url(notes.home)
    assert len(notes.answers) == 2
    assert violations(visitor) == []


def test_an_answer_by_form_reaches_the_application(visitor, site, notes, javascript):
    app = App(site, "Notes", "--first-party", "--redirect-uri", f"{notes.url}/callback")
    visitor.be_signed_in("google", "grace")
    visitor.open(way_in(app, response_mode="form_post", state="a 'b' \"c\""))
    if not javascript:
        visitor.press("Continue")
    expect(visitor.page).to_have_url(notes.home)
    assert notes.answers[0]["state"] == "a 'b' \"c\""
    # Chromium applies form-action to the redirects of the application too.
    assert violations(visitor) == []


def test_the_scheme_of_an_app_is_opened_from_the_consent_page(visitor, site):
    app = App(site, "Phone", "--public", "--redirect-uri", "com.example.app:/cb")
    visitor.be_signed_in("google", "grace")
    visitor.open(way_in(app))
    visitor.sees("Continue to Phone?")
    left: list[str] = []
    visitor.context.on("response", lambda answer: left.append(answer.headers.get("location", "")))
    visitor.page.get_by_role("button", name="Continue to Phone").click(no_wait_after=True)
    visitor.page.wait_for_timeout(500)
    (location,) = [each for each in left if each.startswith("com.example.app:/cb?")]
    EAR.learn(location)
    assert "code" in query_of(location)
    assert violations(visitor) == []


def test_signing_out_by_an_application_comes_back_to_it(visitor, site, notes):
    app = App(site, "Notes", "--post-logout-redirect-uri", f"{notes.url}/home")
    visitor.be_signed_in("google", "grace")
    query = {"client_id": app.client_id, "post_logout_redirect_uri": f"{notes.url}/home"}
    visitor.open(f"/oauth2/logout?{urlencode(query)}")
    visitor.sees("Sign out of Quickstep?")
    visitor.press("Sign out")
    expect(visitor.page).to_have_url(f"{notes.url}/home")
    assert violations(visitor) == []


def test_a_sign_in_that_is_not_repeated_leads_back_to_the_application(visitor, site, notes):
    app = App(site, "Notes", "--first-party", "--redirect-uri", f"{notes.url}/callback")
    visitor.be_signed_in("google", "grace")
    visitor.open(way_in(app, prompt="login"))
    visitor.sees("Confirm it's you")
    visitor.press("Cancel")
    expect(visitor.page).to_have_url(notes.home)
    assert notes.answers[0]["error"] == "access_denied"
    assert violations(visitor) == []


def test_the_pages_of_applications_are_accessible(come, site):
    grace = come()
    grace.be_signed_in("google", "grace")
    logo = ROOT / "simulator" / "static" / "notes.svg"
    app = App(site, "Notes", "--logo", str(logo))
    closed = App(site, "Closed", "--allow", "domain=other.example")
    phone = App(site, "Phone", "--public", "--redirect-uri", "com.example.app:/cb")
    pages = {
        way_in(app): "Share with Notes?",
        way_in(phone): "Continue to Phone?",
        way_in(app, prompt="select_account"): "Sign in to continue to Notes",
        way_in(closed): "This account can't use Closed",
        way_in(app, prompt="login"): "Confirm it's you",
        way_in(app, redirect_uri="https://evil.example/"): "This app's link isn't valid",
        f"/oauth2/continue/{'a' * 32}": "Start again in the app",
        "/oauth2/device": "Connect a device",
        f"/oauth2/logout?client_id={app.client_id}": "Sign out of Quickstep?",
        "/oauth2/logout/done": "You're signed out of Quickstep",
        "/account/apps": "Apps",
    }
    for path, heading in pages.items():
        grace.open(path)
        inspect(grace, heading)


def test_the_pages_of_used_applications_and_devices_are_accessible(come, site):
    grace = come()
    grace.be_signed_in("google", "grace")
    long = App(site, "Gesellschaft für Donaudampfschifffahrtselektrizitätenhauptbetriebswerk")
    hostile = App(site, "<b>\u05e9\u05dc\u05d5\u05dd</b> 🦆 \"'&", "--first-party")
    before = site.browser()
    before.sign_in("google", "grace")
    for app in (long, hostile):
        app.tokens(before)
    grace.open("/account/apps")
    inspect(grace, "Apps")
    grace.open(f"/account/apps/{hostile.client_id}/remove")
    inspect(grace, "Take access away from <b>\u05e9\u05dc\u05d5\u05dd</b> 🦆 \"'&?")
    tv = App(site, "TV", "--public", "--grant", "device")
    code = tv.post("device_authorization", {"scope": "openid"}).json()["user_code"]
    for typed, answer, heading in (
        ("BBBB-BBBB", "", "Connect a device"),
        (code, "", "Connect TV?"),
        (code, "Connect", "Device connected"),
    ):
        grace.open(f"/oauth2/device?user_code={typed}")
        grace.press("Continue")
        if answer:
            grace.press(answer)
        inspect(grace, heading)


def test_a_button_reads_its_words_apart(come, site):
    """A flex container would swallow the blank between its words and the name in it."""
    grace = come()
    grace.be_signed_in("google", "grace")
    phone = App(site, "Phone", "--public", "--redirect-uri", "com.example.app:/cb")
    for path, words in (
        (way_in(phone), "Continue to Phone"),
        (way_in(App(site), prompt="select_account"), "Continue as Grace Hopper"),
        (way_in(App(site, "Closed", "--allow", "domain=a.example")), "Back to Closed"),
    ):
        grace.open(path)
        button = grace.page.locator(".button", has_text=words.split()[-1])
        assert button.inner_text() == words
