"""The account with real clicks: link, merge, remove, prove again, sign other devices out."""

from typing import Any

import pytest
from playwright.sync_api import expect

from simulator.people import PEOPLE
from tests.site import Site
from tests.system.browser.conftest import Come
from tests.system.browser.visitor import Visitor

LONG_AGO = "2026-01-01 00:00:00.000000"


def test_a_second_way_in_is_added_from_the_account_page(come, javascript):
    """A form that ends at another origin: form-action would silently block a redirect there."""
    ada = come(javascript=javascript)
    ada.be_signed_in("google", "ada")
    ada.link("GitHub", "ada")
    ada.is_told("GitHub connected. You can now sign in with it.")
    ada.link("Facebook", "ada")
    ada.sees("Account")
    ada.is_told("Facebook connected. You can now sign in with it.")
    ada.methods("Google Used for this session", "GitHub", "Facebook")


def test_who_cancels_a_link_is_still_signed_in(come):
    ada = come()
    ada.be_signed_in("google", "ada")
    ada.open("/account")
    ada.press("Connect GitHub")
    ada.cancel()
    ada.is_warned("Sign-in wasn't completed")
    ada.sees("Add a sign-in method")
    ada.press("Go to account")
    ada.sees("Account")
    ada.methods("Google Used for this session")


def test_the_last_way_in_has_no_remove_button(come):
    ada = come()
    ada.be_signed_in("google", "ada")
    ada.open("/account")
    ada.reads("This is your only way to sign in. Add another before removing it.")
    expect(ada.page.get_by_text("Remove", exact=True)).to_have_count(0)
    ada.link("GitHub", "ada")
    ada.is_told("GitHub connected. You can now sign in with it.")
    expect(ada.page.get_by_text("Remove", exact=True)).to_have_count(2)


def test_a_way_in_is_removed_after_a_question(come, javascript):
    ada = come(javascript=javascript)
    ada.be_signed_in("google", "ada")
    ada.link("GitHub", "ada")
    ada.press("Remove GitHub, ada@gmail.com")
    ada.sees("Remove GitHub?")
    ada.press("Keep it")
    ada.methods("Google Used for this session", "GitHub")
    ada.press("Remove GitHub, ada@gmail.com")
    ada.press("Remove GitHub")
    ada.sees("Account", "/account")
    ada.is_told("GitHub removed.")
    ada.methods("Google Used for this session")


def test_an_old_session_proves_itself_before_it_removes_anything(come, javascript, site):
    """The proof, too, is a POST that redirects to another origin."""
    ada = come(javascript=javascript)
    ada.be_signed_in("google", "ada")
    ada.link("GitHub", "ada")
    ada.sees("Account")
    site.execute("UPDATE sessions SET authenticated_at = :at", at=LONG_AGO)
    ada.press("Remove GitHub, ada@gmail.com")
    ada.sees("Confirm it's you")
    ada.press("Continue with Google")
    ada.be("ada")
    ada.sees("Remove GitHub?")
    ada.press("Remove GitHub")
    ada.is_told("GitHub removed.")


def come_as_linus(come: Come, site: Site, **options: Any) -> Visitor:
    """Signed in with Google; by mistake he has another account with Facebook."""
    linus, other = come(**options), site.browser()
    linus.be_signed_in("google", "linus")
    other.answer(other.sign_in("facebook", "linus"), "create")
    assert site.user_count() == 2
    return linus


def test_two_accounts_of_one_person_are_merged(come, javascript, site):
    linus = come_as_linus(come, site, javascript=javascript)
    linus.link("Facebook", "linus")
    linus.sees("Merge two accounts?")
    linus.reads("Facebook · linus@chemistry.example")
    linus.press("Merge accounts")
    linus.sees("Account", "/account")
    linus.is_told("Accounts merged.")
    linus.methods("Google Used for this session", "Facebook")
    assert site.user_count() == 1


def test_a_merge_after_a_long_wait_asks_who_is_there(come, site):
    linus = come_as_linus(come, site)
    linus.link("Facebook", "linus")
    linus.sees("Merge two accounts?")
    site.execute("UPDATE sessions SET authenticated_at = :at", at=LONG_AGO)
    linus.press("Merge accounts")
    linus.sees("Confirm it's you")
    linus.press("Continue with Google")
    linus.be("linus")
    linus.sees("Merge two accounts?")
    linus.press("Merge accounts")
    linus.is_told("Accounts merged.")


def test_accounts_can_be_kept_separate(come, site):
    linus = come_as_linus(come, site)
    linus.link("Facebook", "linus")
    linus.press("Keep them separate")
    linus.methods("Google Used for this session")
    assert site.user_count() == 2


def test_another_device_is_signed_out_from_here(come, javascript, site):
    phone, ada = site.browser(), come(javascript=javascript)
    phone.sign_in("google", "ada")
    ada.sign_in("Google", "ada")
    ada.sees("Account")
    ada.press("Sessions")
    ada.sees("Where you're signed in")
    ada.press("Sign out Firefox on Linux")
    ada.is_told("Signed out of Firefox on Linux.")
    ada.reads("You're only signed in here.")
    assert phone.me() is None


def test_all_other_devices_are_signed_out_at_once(come, javascript, site):
    others, ada = [site.browser(), site.browser()], come(javascript=javascript)
    for other in others:
        other.sign_in("google", "ada")
    ada.be_signed_in("google", "ada")
    ada.open("/account/sessions")
    ada.press("Sign out everywhere else")
    ada.is_told("Signed out of 2 other sessions.")
    assert [other.me() for other in others] == [None, None]


def test_what_a_provider_shared_is_read_again(come, javascript, site):
    ada = come(javascript=javascript)
    ada.be_signed_in("google", "ada")
    ada.open("/account")
    ada.press("What Google shared, ada@gmail.com")
    ada.sees("What Google shared")
    ada.reads("Google lets us read this again until")
    ada.press("Refresh")
    ada.is_told("Read again from Google.")
    site.execute("UPDATE oauth SET token = NULL")
    ada.press("Refresh")
    ada.is_told(
        "Google doesn't let us read this any more. Sign in again with Google to renew that."
    )
    ada.press("Sign in again with Google")
    ada.be("ada")
    ada.sees("What Google shared")
    expect(ada.control("Refresh")).to_be_visible()


def test_name_address_and_picture_are_ones_own_choice(come, javascript):
    ada = come(javascript=javascript)
    ada.be_signed_in("google", "ada")
    ada.link("GitHub", "linus")
    ada.press("Edit profile")
    ada.sees("Edit profile")
    ada.page.get_by_label("Name").fill("Countess of Lovelace")
    ada.page.get_by_label("linus@chemistry.example · GitHub", exact=True).check()
    ada.page.get_by_label("Initials").check()
    ada.press("Save")
    ada.is_told("Profile saved.")
    profile = ada.page.get_by_role("region", name="Profile")
    expect(profile).to_contain_text("Countess of Lovelace")
    expect(profile).to_contain_text("linus@chemistry.example")


def test_no_page_shows_a_picture_from_elsewhere(come, site):
    """Initials stand for people (docs/decisions/0013-pictures-of-people.md)."""
    ada = come()
    ada.be_signed_in("google", "ada")
    assert site.rows("SELECT picture FROM users")[0][0].startswith("https://")
    for path in ("/account", "/account/profile", "/account/sessions", "/logout"):
        ada.open(path)
        sources = ada.page.eval_on_selector_all("img", "all => all.map((one) => one.src)")
        assert all(source.startswith(f"{site.url}/") for source in sources)
        assert all("/static/" in source for source in sources)
    ada.open("/account")
    expect(ada.page.locator(".initials")).to_have_text("A")
    assert ada.complaints == [], "no request went to another host"


def test_all_data_can_be_taken_away(come, javascript):
    ada = come(javascript=javascript)
    ada.be_signed_in("google", "ada")
    ada.open("/account")
    ada.press("Download your data (JSON)")
    ada.sees("Download your data")
    with ada.page.expect_download() as download:
        ada.press("Download your data (JSON)")
    assert download.value.suggested_filename.startswith("account-")
    assert "ada@gmail.com" in download.value.path().read_text()


def test_an_account_is_deleted_after_the_word_is_typed(come, javascript, site):
    phone, ada = site.browser(), come(javascript=javascript)
    phone.sign_in("google", "ada")
    ada.be_signed_in("google", "ada")
    ada.open("/account")
    ada.press("Delete account…")
    ada.sees("Delete your account?")
    ada.page.get_by_label("Type DELETE to confirm").fill("yes")
    ada.press("Delete account")
    ada.is_warned("Your account wasn't deleted")
    ada.page.get_by_label("Type DELETE to confirm").fill("DELETE")
    ada.press("Delete account")
    ada.sees("Your account has been deleted", "/account/deleted")
    ada.reads("you're signed out everywhere")
    assert phone.me() is None
    assert site.user_count() == 0


@pytest.mark.parametrize("person", ["wolfe", "leila", "bobby", "anon"])
def test_names_of_every_kind_are_text_and_nothing_else(come, person):
    """A hostile name opens no dialog, adds no element, breaks no layout."""
    somebody = come(viewport={"width": 320, "height": 640})
    somebody.sign_in("Facebook", person)
    somebody.sees("Account")
    name = somebody.page.get_by_role("region", name="Profile").locator("strong")
    expect(name).to_have_text(PEOPLE[person].name or "No name")
    assert somebody.page.locator("script").count() == 1
    width = somebody.page.evaluate("document.documentElement.scrollWidth")
    assert width == 320
