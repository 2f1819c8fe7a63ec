"""The demo: two applications, opened and left in a few clicks."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.site import Site, Sites
from tests.system.browser.visitor import Visitor


@pytest.fixture
def site(make_site: Sites) -> Site:
    return make_site(DEMO="1")


@pytest.fixture
def visitor(chromium: Browser, site: Site, javascript: bool) -> Iterator[Visitor]:
    somebody = Visitor(chromium, site, javascript=javascript)
    yield somebody
    somebody.leave()


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
    visitor.press("Open Photos")
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Photos")
    expect(visitor.page.locator("main")).to_contain_text("Signed in as Grace Hopper")
    visitor.press("Sign out")
    expect(visitor.page.locator("main")).to_contain_text("You're signed out.")

    def is_signed_out_of_notes() -> bool:
        visitor.page.goto(notes)
        return "signed out" in (visitor.page.locator("main").text_content() or "")

    for _ in range(40):
        if is_signed_out_of_notes():
            break
        visitor.page.wait_for_timeout(250)
    assert is_signed_out_of_notes()
    visitor.open("/account")
    visitor.sees("Sign in to Quickstep")
    assert not [text for text in visitor.complaints if "a request to" not in text]
