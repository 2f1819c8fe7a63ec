"""Fixtures: a signed-in user."""

import pytest


@pytest.fixture
def grace(browser):
    """Grace, signed in with Google and GitHub."""
    browser.sign_in("google", "grace")
    browser.link("github", "grace")
    return browser
