"""Every page under axe, at 320 and 1280 px, in light and dark (see inspection.py)."""

import pytest
from playwright.sync_api import expect

from tests.commands.console import answer
from tests.system.browser.inspection import inspect, inspect_failure

LONG_AGO = "2026-01-01 00:00:00.000000"
LINKS = {
    "SUPPORT_URL": "mailto:help@example.org",
    "TERMS_URL": "https://example.org/terms",
    "PRIVACY_URL": "https://example.org/privacy",
}


def test_the_sign_in_page_in_all_its_states(come_to, make_site):
    site = make_site(**LINKS)
    grace = come_to(site)
    grace.open("/login")
    inspect(grace, "Sign in to Quickstep")
    grace.be_signed_in("github", "grace")
    grace.open("/login")
    grace.reads("You're signed in as")
    inspect(grace, "Sign in to Quickstep")
    grace.press("Use another account")
    inspect(grace, "Sign in to Quickstep")
    grace.open("/logout")
    inspect(grace, "Sign out of Quickstep?")
    grace.press("Sign out")
    grace.reads("You may still be signed in to GitHub.")
    inspect(grace, "Sign in to Quickstep")


def test_demo_mode_says_so_on_every_page(come_to, make_site):
    ada = come_to(make_site(DEMO="1"))
    ada.open("/login")
    banner = ada.page.get_by_role("complementary", name="Demo mode")
    expect(banner).to_contain_text("sign-in uses simulated providers")
    inspect(ada, "Sign in to Quickstep")
    ada.open("/nowhere")
    expect(banner).to_be_visible()


def test_a_site_without_providers(come_to, make_site):
    names = ("GOOGLE", "FACEBOOK", "GITHUB")
    off = {f"{name}_CLIENT_{part}": "" for name in names for part in ("ID", "SECRET")}
    site = make_site(**off, FIREBASE_PROJECT_ID="", FIREBASE_JWKS_URL="")
    visitor = come_to(site)
    visitor.open("/login")
    visitor.reads("Sign-in isn't set up yet")
    inspect(visitor, "Sign in to Quickstep")
    visitor.press("setup guide")
    inspect(visitor, "Set up sign-in")


def test_the_account(come, site):
    ada = come()
    ada.be_signed_in("google", "ada")
    ada.open("/account")
    inspect(ada, "Account")
    ada.open("/account/sessions")
    inspect(ada, "Where you're signed in")
    ada.link("GitHub", "ada")
    ada.is_told("GitHub connected. You can now sign in with it.")
    site.browser().sign_in("github", "ada")
    inspect(ada, "Account")
    ada.open("/account/sessions")
    inspect(ada, "Where you're signed in")
    ada.open("/account/activity")
    inspect(ada, "Recent activity")


def test_an_account_with_many_more_ways_to_add(come_to, make_site):
    ada = come_to(make_site(DEMO="1"))
    ada.open("/login?all=1")
    inspect(ada, "Sign in to Quickstep")
    ada.be_signed_in("google", "ada")
    ada.open("/account")
    expect(ada.control("Connect Facebook")).to_be_hidden()
    inspect(ada, "Account")
    ada.page.locator("summary").click()
    expect(ada.control("Connect Facebook")).to_be_visible()
    expect(ada.control("Connect another Google account")).to_be_visible()
    inspect(ada, "Account")


def test_what_is_a_persons_own(come, site):
    wolfe = come()
    wolfe.be_signed_in("google", "wolfe")
    wolfe.link("GitHub", "linus")
    wolfe.press("What GitHub shared, linus@chemistry.example")
    inspect(wolfe, "What GitHub shared")
    wolfe.press("Refresh")
    wolfe.is_told("Read again from GitHub.")
    inspect(wolfe, "What GitHub shared")
    site.execute("UPDATE oauth SET token = NULL")
    wolfe.press("Refresh")
    expect(wolfe.control("Sign in again with GitHub")).to_be_visible()
    inspect(wolfe, "What GitHub shared")
    wolfe.open("/account/profile")
    inspect(wolfe, "Edit profile")
    wolfe.open("/account/data")
    inspect(wolfe, "Download your data")
    wolfe.open("/account/delete")
    inspect(wolfe, "Delete your account?")
    confirm = wolfe.page.get_by_label("Type DELETE to confirm")
    confirm.fill("no")
    wolfe.press("Delete account")
    wolfe.is_warned("Your account wasn't deleted")
    inspect(wolfe, "Delete your account?")
    confirm.fill("DELETE")
    wolfe.press("Delete account")
    inspect(wolfe, "Your account has been deleted")


@pytest.mark.parametrize("person", ["wolfe", "leila", "bobby", "anon"])
def test_the_account_of_somebody_with_an_unusual_name(come, person):
    somebody = come()
    somebody.be_signed_in("facebook", person)
    somebody.open("/account")
    inspect(somebody, "Account")
    somebody.open("/logout")
    inspect(somebody, "Sign out of Quickstep?")


def test_the_questions_before_a_sensitive_act(come, site):
    ada = come()
    ada.be_signed_in("google", "ada")
    ada.link("GitHub", "ada")
    ada.press("Remove GitHub, ada@gmail.com")
    inspect(ada, "Remove GitHub?")
    site.execute("UPDATE sessions SET authenticated_at = :at", at=LONG_AGO)
    ada.press("Remove GitHub")
    inspect(ada, "Confirm it's you")
    ada.press("Continue with Google")
    ada.be("grace")
    inspect_failure(ada, "That's a different account", "Confirm it's you")


def test_the_questions_about_a_known_address(come, site):
    site.browser().sign_in("google", "wolfe")
    grace = come()
    grace.be_signed_in("google", "grace")
    grace.sign_in("Facebook", "wolfe", at="/login?switch=1")
    grace.reads("You're signed in as grace@navy.example.")
    inspect(grace, "Use another account?")
    wolfe = come()
    wolfe.sign_in("GitHub", "wolfe")
    inspect(wolfe, "You already have an account")
    wolfe.press("Continue with Google")
    wolfe.be("noa")
    inspect(wolfe, "You already have an account")
    wolfe.press("Continue with Google")
    wolfe.be("wolfe")
    inspect(wolfe, "Connect GitHub to your account?")


def test_the_question_about_an_address_that_was_never_proved(come, site):
    site.browser().sign_in("github", "mallory")
    ada = come()
    ada.sign_in("Google", "ada")
    ada.reads("Create a separate account")
    inspect(ada, "You already have an account")


def test_the_questions_about_two_accounts(come, site):
    other = site.browser()
    other.sign_in("facebook", "wolfe")
    grace = come()
    grace.be_signed_in("google", "grace")
    grace.link("Facebook", "wolfe")
    inspect(grace, "Merge two accounts?")
    grace.sign_in("Facebook", "wolfe", at="/login?switch=1")
    inspect(grace, "Use another account?")
    grace.sign_in("GitHub", "leila", at="/login?switch=1")
    grace.reads("would open a new account")
    inspect(grace, "Use another account?")


def test_the_page_on_the_way_to_a_provider(come, site):
    """It goes on by itself; here the provider does not answer, so that it stays."""
    ada = come()
    ada.be_signed_in("google", "ada")
    ada.page.route(f"{site.simulator.url}/**", lambda route: route.fulfill(status=204))
    ada.open("/account")
    ada.press("Connect GitHub")
    ada.reads("If nothing happens, press Continue.")
    inspect(ada, "Taking you to GitHub")


def test_pages_that_do_not_exist(come):
    ada = come()
    ada.open("/nowhere")
    inspect(ada, "Page not found")
    ada.open("/account/link/google")
    inspect(ada, "That action isn't possible here")


def test_the_look_alikes(come, site):
    ada = come()
    ada.open("/login/google")
    inspect(ada, "Choose who to be")
    ada.open(ada.page.url.replace("client_id=", "client_id=x"))
    ada.sees("Access blocked")
    ada.open("/login/google")
    ada.page.locator("summary").click()
    inspect(ada, "Choose who to be")
    ada.open(site.simulator.url)
    inspect(ada, "Look-alike providers")


# Failures.


@pytest.mark.parametrize(
    ("behave", "title"),
    [
        ("callback:server_error", "GitHub couldn't complete the sign-in"),
        ("callback:wrong_state", "We couldn't match that sign-in"),
        ("token:hang_up", "GitHub isn't answering"),
        ("token:refuses_client", "GitHub sign-in isn't working on this site"),
    ],
)
def test_a_provider_that_fails(come, behave, title):
    ada = come()
    ada.sign_in("GitHub", "ada", behave)
    inspect_failure(ada, title)


def test_a_sign_in_that_is_given_up_or_comes_too_late(come, site):
    ada = come()
    ada.open("/login/github")
    ada.cancel()
    inspect_failure(ada, "Sign-in wasn't completed")
    ada.open("/login/github")
    site.execute("UPDATE flows SET expires_at = :at", at=LONG_AGO)
    ada.be("ada")
    inspect_failure(ada, "That sign-in took too long")
    ada.open("/login/github")
    ada.context.clear_cookies()
    ada.be("ada")
    inspect_failure(ada, "Your browser is blocking cookies")


def test_a_link_that_fails_leaves_a_way_back_to_the_account(come):
    ada = come()
    ada.be_signed_in("google", "ada")
    ada.open("/account")
    ada.press("Connect GitHub")
    ada.be("ada", "token:html")
    inspect_failure(ada, "GitHub couldn't complete the sign-in", "Add a sign-in method")
    ada.press("Try again")
    ada.be("ada")
    ada.is_told("GitHub connected. You can now sign in with it.")


def test_what_an_account_refuses(come, site):
    ada = come()
    ada.be_signed_in("google", "ada")
    ((identity,),) = site.rows("SELECT id FROM oauth")
    ada.open(f"/account/unlink/{identity}")
    inspect_failure(ada, "This is your only way to sign in")
    ada.open("/account/unlink/of-somebody-else")
    inspect(ada, "Page not found")
    site.execute("UPDATE users SET disabled_at = :at", at=LONG_AGO)
    ada.sign_in("Google", "ada")
    inspect_failure(ada, "This account is disabled")


def test_a_form_that_is_out_of_date(come):
    ada = come()
    ada.be_signed_in("google", "ada")
    ada.open("/account")
    ada.context.clear_cookies(name="quickstep")
    ada.press("Connect GitHub")
    inspect_failure(ada, "That page was out of date")


def test_a_site_for_some_people_only(come_to, make_site):
    site = make_site(ALLOWED_EMAIL_DOMAINS="example.com", **LINKS)
    visitor = come_to(site)
    for person, title in (
        ("noa", "GitHub didn't share an email address"),
        ("uma", "Your GitHub email isn't verified"),
        ("wolfe", "This account can't sign in here"),
    ):
        visitor.sign_in("GitHub", person)
        inspect_failure(visitor, title)


def test_a_site_that_takes_nobody_new_and_not_too_many_questions(come_to, make_site):
    site = make_site(SIGNUPS="closed", REFUSALS_PER_MINUTE="1")
    visitor = come_to(site)
    visitor.sign_in("GitHub", "ada")
    inspect_failure(visitor, "New accounts are closed")
    visitor.open("/login/github")
    inspect_failure(visitor, "Too many attempts")


def test_an_operators_own_branding(come_to, make_site, tmp_path):
    """Text on the accent is measured by axe in both themes; the policy lets the images in."""
    space = "http://www.w3.org/2000/svg"
    wide = f'<svg xmlns="{space}" viewBox="0 0 60 20"><path d="M0 0h60v20H0z"/></svg>'
    for name in ("logo.svg", "logo.dark.svg", "icon.svg", "google.svg"):
        (tmp_path / name).write_text(wide)
    site = make_site(
        BRAND_NAME="Acme ID",
        BRAND_LOGO=str(tmp_path / "logo.svg"),
        BRAND_ICON=str(tmp_path / "icon.svg"),
        BRAND_ACCENT="#0b6e4f,#4fc3a1",
        look_alikes=("google", "linkedin"),
        BRAND_ASSETS_DIR=str(tmp_path),
    )
    ada = come_to(site)
    ada.open("/login")
    logo = ada.page.get_by_role("img", name="Acme ID")
    assert logo.evaluate("image => image.complete && image.naturalWidth > 0")
    inspect(ada, "Sign in to Acme ID")
    ada.be_signed_in("google", "ada")
    ada.open("/login")
    inspect(ada, "Sign in to Acme ID")
    colour = "element => getComputedStyle(element).backgroundColor"
    assert ada.control("Continue").evaluate(colour) == "rgb(11, 110, 79)"
    ada.open("/account")
    inspect(ada, "Account")


def test_a_site_by_invitation(come_to, make_site):
    site = make_site(SIGNUPS="invited", **LINKS)
    visitor = come_to(site)
    visitor.sign_in("GitHub", "ada")
    inspect_failure(visitor, "You need an invitation")
    link = answer(site, "invitations", "add", "--email", "grace@navy.example")["link"]
    visitor.open(link)
    visitor.reads(
        "You're invited. Sign in to open your account, with one that has the email address"
    )
    inspect(visitor, "Join Quickstep")
    visitor.press("Continue with GitHub")
    visitor.be("ada")
    inspect_failure(visitor, "This invitation is for another email address", "Join Quickstep")
    visitor.press("Continue with GitHub")
    visitor.be("grace")
    visitor.sees("Account", "/account")
    stranger = come_to(site)
    stranger.open(link)
    inspect_failure(stranger, "This invitation was used already")


def test_a_site_whose_operator_lets_people_in(come_to, make_site):
    site = make_site(SIGNUPS="approval", **LINKS)
    visitor = come_to(site)
    visitor.sign_in("GitHub", "ada", at="/login?next=/account/sessions")
    visitor.reads("You're signed in as ada@gmail.com.")
    inspect(visitor, "Waiting for Quickstep's operator")
    visitor.press("Check again")
    visitor.sees("Waiting for Quickstep's operator")
    visitor.press("Delete this account")
    inspect(visitor, "Delete your account?")
    visitor.press("Keep account")
    visitor.press("Sign out")
    visitor.sees("Sign in to Quickstep", "/login")
    visitor.sign_in("GitHub", "ada", at="/login?next=/account/sessions")
    (item,) = answer(site, "users", "list", "--pending")["items"]
    answer(site, "users", "approve", item["id"])
    visitor.press("Check again")
    visitor.sees("Where you're signed in", "/account/sessions")
