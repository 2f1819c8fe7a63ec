"""A provider that reports a new subject for a known, verified address: its account there was
deleted and made again, so the old identity may answer no question any more."""

import pytest


@pytest.mark.parametrize("url", ["https://help.example", ""])
def test_a_new_subject_for_a_known_address_may_have_a_separate_account(make_site, url):
    site = make_site(SUPPORT_URL=url)
    site.browser().sign_in("google", "ada")
    site.execute("UPDATE oauth SET subject = 'the old one'")
    browser = site.browser()
    page = browser.sign_in("google", "ada")
    assert page.heading == "You already have an account"
    assert "was deleted and made again" in page.text
    assert ("Ask support." if url else "Ask the person running") in page.text
    assert not url or url in page.links()
    assert browser.answer(page, "create").path == "/account"
    assert site.user_count() == 2


def test_with_closed_sign_ups_it_is_told_whom_to_ask(make_site):
    site = make_site()
    site.browser().sign_in("google", "ada")
    site.execute("UPDATE oauth SET subject = 'the old one'")
    site.restart(SIGNUPS="closed", SUPPORT_URL="https://help.example")
    page = site.browser().sign_in("google", "ada")
    assert "Create a separate account" not in page.buttons
    assert "https://help.example" in page.links()


def test_an_account_with_another_provider_can_still_be_connected_only(site):
    browser = site.browser()
    browser.sign_in("google", "ada")
    browser.link("github", "ada")
    site.execute("UPDATE oauth SET subject = 'the old one' WHERE provider = 'google'")
    page = site.browser().sign_in("google", "ada")
    assert "Create a separate account" not in page.buttons
    assert "Continue with GitHub" in page.buttons
