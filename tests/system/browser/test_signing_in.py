"""Signing in and out, with real clicks and keys, from one site to the other and back."""

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.site import ALL
from tests.system.browser.visitor import Visitor

LABELS = ("Google", "Facebook", "GitHub")


@pytest.mark.parametrize("label", LABELS)
def test_a_click_and_a_choice_sign_in(come, javascript, label):
    grace = come(javascript=javascript)
    grace.sign_in(label, "grace")
    # In place of Facebook's #_=_, and removed where it can be.
    left = "#_" if label == "Facebook" and not javascript else ""
    grace.sees("Account", f"/account{left}")
    grace.reads("Grace Hopper")
    grace.methods(f"{label} Used for this session")


def test_one_click_on_any_page_of_the_account_signs_out(come, javascript):
    grace = come(javascript=javascript)
    grace.sign_in("GitHub", "grace")
    grace.sees("Account")
    grace.press("Activity")
    grace.press("Sign out")
    grace.sees("Sign in to Quickstep", "/login")
    grace.reads("You're signed out of Quickstep.")
    grace.reads("You may still be signed in to GitHub.")
    expect(grace.control("Continue with GitHub")).to_have_accessible_description("Last used")
    grace.open("/account")
    grace.sees("Sign in to Quickstep")


def test_who_wanted_a_page_is_brought_there_after_signing_in(come, javascript):
    grace = come(javascript=javascript)
    grace.sign_in("Google", "grace", at="/account/activity")
    grace.sees("Recent activity", "/account/activity")


@pytest.mark.parametrize("label", LABELS)
def test_who_cancels_is_told_and_tries_again(come, label):
    grace = come()
    grace.open("/login?next=/account/sessions")
    grace.press(f"Continue with {label}")
    grace.cancel()
    grace.is_warned("Sign-in wasn't completed")
    grace.reads(f"You closed or declined the {label} screen. Nothing was shared.")
    grace.press(f"Continue with {label}")
    grace.be("grace")
    grace.sees("Where you're signed in", "/account/sessions")


def test_the_reader_of_a_screen_is_brought_to_the_problem(come):
    grace = come()
    grace.sign_in("GitHub", "grace", "token:html")
    grace.is_warned("GitHub couldn't complete the sign-in")
    expect(grace.page.get_by_role("alert")).to_be_focused()


def test_a_known_address_is_proved_and_then_connected(come, javascript, site):
    site.browser().sign_in("google", "ada")
    ada = come(javascript=javascript)
    ada.sign_in("GitHub", "ada")
    ada.sees("You already have an account")
    ada.press("Continue with Google")
    ada.be("ada")
    ada.sees("Connect GitHub to your account?")
    ada.press("Connect GitHub")
    ada.sees("Account", "/account")
    ada.is_told("GitHub connected. You can now sign in with it.")
    ada.methods("Google Used for this session", "GitHub")
    assert site.user_count() == 1


def test_an_address_that_nobody_vouches_for_gets_an_account_of_its_own(come, javascript, site):
    site.browser().sign_in("google", "ada")
    ada = come(javascript=javascript)
    ada.sign_in("Facebook", "ada")
    ada.sees("Account")
    ada.reads("If you had an account here before")
    ada.methods("Facebook Used for this session")
    assert site.user_count() == 2


def test_another_account_is_asked_for_before_it_replaces_this_one(come, javascript):
    grace = come(javascript=javascript)
    grace.be_signed_in("google", "grace")
    grace.open("/login")
    grace.press("Use another account")
    grace.press("Continue with GitHub")
    grace.be("linus")
    grace.sees("Use another account?")
    grace.press("Stay signed in")
    grace.sees("Account")
    grace.reads("Grace Hopper")

    grace.sign_in("GitHub", "linus", at="/login?switch=1")
    grace.sees("Use another account?")
    grace.press("Create a new account")
    grace.sees("Account")
    grace.reads("Linus Pauling")


# Tabs, the back button, hasty hands.


def test_two_tabs_both_end_well(come):
    ada = come()
    ada.open("/login?next=/account/activity")
    ada.press("Continue with Google")
    first = ada.new_tab()
    ada.sign_in("Google", "ada")
    ada.sees("Account", "/account")
    ada.page = first
    ada.be("ada")
    ada.sees("Recent activity", "/account/activity")


def test_a_form_from_before_the_sign_out_does_no_harm(come):
    grace = come()
    grace.be_signed_in("google", "grace")
    grace.open("/account")
    first = grace.new_tab()
    grace.sign_out()
    grace.page = first
    grace.press("Connect GitHub")
    grace.is_warned("That page was out of date")
    expect(grace.control("Continue with GitHub")).to_be_visible()


def test_the_back_button_after_signing_in_leads_to_a_page_that_knows(come):
    grace = come()
    grace.sign_in("Google", "grace")
    grace.sees("Account")
    grace.page.go_back()
    grace.sees("Choose who to be")
    grace.page.go_back()
    grace.sees("Sign in to Quickstep", "/login")
    grace.reads("You're signed in as grace@navy.example.")
    grace.press("Continue")
    grace.sees("Account")


def test_who_comes_back_from_the_provider_finds_the_buttons_working(come):
    grace = come()
    grace.open("/login")
    grace.press("Continue with Google")
    grace.sees("Choose who to be")
    grace.page.go_back()
    grace.press("Continue with GitHub")
    grace.be("grace")
    grace.sees("Account")


@pytest.fixture
def stuck(come) -> tuple[Visitor, list[str]]:
    """Somebody on a sign-in page whose buttons lead nowhere yet, and the requests they make."""
    grace, begun = come(), []

    def stay(route: Route) -> None:
        """As if the answer took for ever: a browser stays where it is on a 204."""
        begun.append(route.request.url.removeprefix(grace.site.url))
        route.fulfill(status=204)

    grace.page.clock.install()
    grace.page.route("**/login/*", stay)
    grace.open("/login")
    return grace, begun


def test_the_first_click_wins_and_the_page_says_where_it_leads(stuck):
    grace, begun = stuck
    grace.press("Continue with Google")
    expect(grace.page.locator("[data-status]")).to_have_text("Taking you to Google…")
    expect(grace.control("Continue with Google")).to_have_attribute("aria-disabled", "true")
    grace.control("Continue with GitHub").click(force=True)
    grace.control("Continue with Google").click(force=True)
    assert begun == ["/login/google"]


def test_who_went_back_or_pressed_stop_is_not_left_with_dead_buttons(stuck):
    grace, begun = stuck
    grace.press("Continue with Google")
    grace.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect(grace.page.locator("[data-status]")).to_be_empty()
    grace.press("Continue with GitHub")
    expect(grace.page.locator("[data-status]")).to_have_text("Taking you to GitHub…")
    grace.page.clock.run_for(10_000)
    expect(grace.page.locator("[data-status]")).to_be_empty()
    grace.press("Continue with Facebook")
    assert begun == ["/login/google", "/login/github", "/login/facebook"]


def test_a_double_click_is_one_click(come):
    grace = come()
    grace.open("/login")
    grace.control("Continue with Google").dblclick()
    grace.be("grace")
    grace.sees("Account")
    begun = [url for url in grace.requests if url == f"{grace.site.url}/login/google"]
    assert len(begun) == 1


def test_a_double_click_without_javascript_works_too(come):
    grace = come(javascript=False)
    grace.open("/login")
    grace.control("Continue with Google").dblclick()
    grace.be("grace")
    grace.sees("Account")


# Keys only.


def tab_to(visitor: Visitor, name: str, most: int = 20) -> Locator:
    """Press Tab until the control of this name has the focus; it must be seen to have it."""
    target = visitor.control(name)
    for _ in range(most):
        visitor.page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            ring = "e => getComputedStyle(e).outlineStyle + getComputedStyle(e).outlineWidth"
            assert target.evaluate(ring) == "solid3px"
            return target
    raise AssertionError(f"no way to {name} with the Tab key")


def test_the_whole_way_can_be_gone_with_the_keyboard(come):
    grace = come()
    grace.open("/login")
    tab_to(grace, "Continue with GitHub", most=3)
    grace.page.keyboard.press("Enter")
    grace.sees("Choose who to be")
    tab_to(grace, "Grace Hopper grace@navy.example A verified address on a company's domain")
    grace.page.keyboard.press("Enter")
    grace.sees("Account")
    tab_to(grace, "Sign out")
    grace.page.keyboard.press("Enter")
    grace.sees("Sign in to Quickstep")


def test_the_first_tab_of_the_account_skips_the_navigation(come):
    grace = come()
    grace.be_signed_in("google", "grace")
    grace.open("/account")
    skip = tab_to(grace, "Skip to content", most=1)
    expect(skip).to_be_in_viewport()
    grace.page.keyboard.press("Enter")
    tab_to(grace, "Edit profile", most=1)


def test_a_method_out_of_many_is_added_with_the_keyboard(come_to, make_site, javascript):
    """The list is folded while it is long."""
    grace = come_to(make_site(look_alikes=ALL), javascript=javascript)
    grace.be_signed_in("google", "grace")
    grace.open("/account")
    expect(grace.control("Connect GitHub")).to_be_hidden()
    tab_to(grace, "What Google shared, grace@navy.example")
    grace.page.keyboard.press("Tab")
    grace.page.keyboard.press("Enter")
    tab_to(grace, "Connect GitHub", most=5)
    grace.page.keyboard.press("Enter")
    grace.be("grace")
    grace.is_told("GitHub connected. You can now sign in with it.")
