"""The page of the API under axe, and found to work without JavaScript."""

from playwright.sync_api import expect

from tests.system.browser.inspection import inspect


def test_the_page_of_the_api(come):
    reader = come()
    reader.open("/docs")
    reader.reads("With the cookie session. Or with a bearer token.")
    inspect(reader, "Quickstep API")


def test_the_page_of_the_api_needs_no_javascript(come):
    reader = come(javascript=False)
    reader.open("/docs")
    reader.page.get_by_role("link", name="/api/v1/me").first.click()
    heading = reader.page.get_by_role("heading", name="Return the signed-in person")
    expect(heading).to_be_in_viewport()
