"""The demo: two applications, opened and left in a few clicks."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.site import Site, Sites
from tests.system.browser.inspection import inspect
from tests.system.browser.visitor import Visitor


@pytest.fixture
def site(make_site: Sites) -> Site:
    return make_site(DEMO="1")


@pytest.fixture
def visitor(chromium: Browser, site: Site, javascript: bool) -> Iterator[Visitor]:
    somebody = Visitor(chromium, site, javascript=javascript)
    yield somebody
    somebody.leave()


def learns_of_it(visitor: Visitor, app_url: str) -> None:
    """Wait until an application says that its person is signed out."""
    for _ in range(40):
        visitor.page.goto(app_url)
        if "signed out" in (visitor.page.locator("main").text_content() or ""):
            return
        visitor.page.wait_for_timeout(250)
    raise AssertionError(f"{app_url} was not told")


def address_of_notes(visitor: Visitor) -> str:
    visitor.open("/login")
    return visitor.control("Open the demo app").get_attribute("href") or ""


def test_two_applications_share_one_sign_in_and_one_sign_out(visitor, site):
    visitor.open("/login")
    visitor.press("Open the demo app")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Notes")
    notes = visitor.page.url
    visitor.press("Sign in")
    visitor.sees("Sign in to continue to Notes")
    visitor.press("Continue with Google")
    visitor.be("grace")
    expect(visitor.page.locator("main")).to_contain_text("Signed in as Grace Hopper")
    expect(visitor.page.locator("main")).to_contain_text("grace@navy.example")
    visitor.press("Open Photos")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Photos")
    expect(visitor.page.locator("main")).to_contain_text("Signed in as Grace Hopper")
    visitor.press("Sign out")
    expect(visitor.page.locator("main")).to_contain_text("You're signed out.")

    learns_of_it(visitor, notes)
    visitor.press("Your account")
    visitor.sees("Sign in to Quickstep")
    assert not [text for text in visitor.complaints if "a request to" not in text]


def test_signing_out_here_signs_out_of_the_application(visitor):
    notes = address_of_notes(visitor)
    visitor.be_signed_in("google", "grace")
    visitor.page.goto(f"{notes}/login")
    expect(visitor.page.locator("main")).to_contain_text("Signed in as Grace Hopper")
    visitor.press("Your account")
    visitor.press("Sign out")
    visitor.reads("You're signed out of Quickstep.")
    learns_of_it(visitor, notes)


def test_an_answer_counts_only_in_the_browser_that_asked(visitor, site):
    """A stranger's answer must not sign somebody in as the stranger (RFC 9700 4.7)."""
    notes = address_of_notes(visitor)
    visitor.be_signed_in("google", "grace")
    visitor.page.goto(f"{notes}/callback?state=x&code=y&iss={site.url}")
    expect(visitor.page.get_by_role("alert")).to_have_text("Signing in did not work.")


def test_a_wiki_that_knows_nothing_of_sign_in_stands_behind_a_gate(visitor):
    """It is opened from Notes, or by its address; signing out here closes it."""
    notes = address_of_notes(visitor)
    visitor.be_signed_in("google", "grace")
    visitor.page.goto(f"{notes}/login")
    visitor.press("Open the wiki, behind a gate")
    wiki, main = visitor.page.url, visitor.page.locator("main")
    expect(main).to_contain_text("let Grace Hopper pass")
    expect(main).to_contain_text("grace@navy.example")
    assert "__gate" not in wiki
    visitor.press("Sign out")
    visitor.sees("Sign out of Quickstep?")
    visitor.press("Sign out")
    visitor.page.goto(f"{wiki}/a-page")
    visitor.sees(f"Sign in to continue to {urlsplit(wiki).netloc}")
    visitor.press("Continue with GitHub")
    visitor.be("linus")
    expect(main).to_contain_text("let Linus")
    assert visitor.page.url == f"{wiki}/a-page"


def test_the_demo_apps_are_accessible(chromium, site):
    grace = Visitor(chromium, site)
    notes = address_of_notes(grace)
    grace.be_signed_in("google", "grace")
    for address in (notes, f"{notes}?problem=access_denied", f"{notes}/login"):
        grace.page.goto(address)
        inspect(grace, "Notes")
    grace.page.goto(notes.replace("/apps/notes", "/wiki"))
    inspect(grace, "Wiki")
    grace.leave()
