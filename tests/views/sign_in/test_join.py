"""Invitations: a link opens an account, as often as it may, for the person it is for."""

import pytest

from simulator.people import PEOPLE
from tests.browser import Browser
from tests.commands.console import answer, run
from tests.site import Site
from tests.views.sign_in.failures import assert_designed


def invite(site: Site, *options: str) -> str:
    """Make an invitation; return the path of its link."""
    link = str(answer(site, "invitations", "add", *options)["link"])
    return link.removeprefix(site.url)


def groups_of(browser: Browser) -> list[str]:
    me = browser.me()
    assert me
    return list(me["groups"])


@pytest.fixture
def by_invitation(make_site) -> Site:
    site: Site = make_site(SIGNUPS="invited")
    return site


def test_only_an_invited_person_gets_an_account(by_invitation):
    site, browser = by_invitation, by_invitation.browser()
    assert_designed(browser.sign_in("google", "ada"), 403, "You need an invitation")
    page = browser.get(invite(site))
    assert (page.path, page.heading) == ("/login", "Join Quickstep")
    assert page.message == "You're invited. Sign in to open your account."
    assert site.user_count() == 0
    assert browser.sign_in("google", "ada").path == "/account"
    assert site.user_count() == 1
    browser.sign_out()
    assert browser.sign_in("google", "ada").path == "/account"


def test_a_used_invitation_opens_no_second_account(by_invitation):
    site, link = by_invitation, invite(by_invitation)
    first, second = site.browser(), site.browser()
    first.get(link)
    assert second.get(link).heading == "Join Quickstep"
    first.sign_in("google", "ada")
    assert second.get("/login").heading == "Sign in to Quickstep"
    # Opened before it was used, and after.
    page = second.sign_in("google", "grace")
    assert_designed(page, 403, "This invitation was used already")
    assert_designed(site.browser().get(link), 403, "This invitation was used already")
    assert_designed(second.sign_in("google", "grace"), 403, "You need an invitation")
    assert site.user_count() == 1


def test_a_sign_in_that_ends_early_uses_up_nothing(by_invitation):
    browser = by_invitation.browser()
    browser.get(invite(by_invitation))
    browser.cancel("google")
    assert browser.sign_in("google", "ada").path == "/account"


def test_an_expired_invitation_opens_no_account(by_invitation):
    site, browser, link = by_invitation, by_invitation.browser(), invite(by_invitation)
    browser.get(link)
    site.execute("UPDATE invitations SET expires_at = '2026-01-01 00:00:00.000000'")
    page = browser.sign_in("google", "ada")
    assert_designed(page, 403, "This invitation has expired")
    assert_designed(site.browser().get(link), 403, "This invitation has expired")
    assert site.user_count() == 0


def test_a_withdrawn_or_invented_invitation_opens_no_account(by_invitation):
    site, browser = by_invitation, by_invitation.browser()
    made = answer(site, "invitations", "add")
    link = made["link"].removeprefix(site.url)
    browser.get(link)
    answer(site, "invitations", "remove", made["id"])
    page = browser.sign_in("google", "ada")
    assert_designed(page, 403, "This invitation isn't valid")
    for path in (
        link,
        "/join/x",
        "/join/" + "x" * 2000,
        "/join/%ED%A0%80%00",
        f"/join/{made['id']}",
    ):
        assert_designed(browser.get(path), 403, "This invitation isn't valid")
    assert site.user_count() == 0


def test_an_invitation_for_an_address_needs_that_address_verified(by_invitation):
    site, browser = by_invitation, by_invitation.browser()
    page = browser.get(invite(site, "--email", "Grace@NAVY.example"))
    assert "with one that has the email address G•••@NAVY.example" in page.message
    # Facebook verifies no address, so its button would lead nowhere.
    assert page.buttons == ["Continue with Google", "Continue with GitHub"]
    page = browser.sign_in("google", "linus")
    assert_designed(page, 403, "This invitation is for another email address")
    assert "It isn't for linus@chemistry.example." in page.text
    page = browser.sign_in("facebook", "grace")
    assert_designed(page, 403, "Facebook hasn't verified your email address")
    page = browser.sign_in("facebook", "noa")
    assert_designed(page, 403, "This invitation is for another email address")
    assert site.user_count() == 0
    assert browser.sign_in("google", "grace").path == "/account"


@pytest.mark.parametrize("alike", ["grace@navy.example.evil.example", "gra\u0441e@navy.example"])
def test_an_address_that_only_resembles_the_invited_one_is_refused(
    by_invitation, alike, monkeypatch
):
    browser = by_invitation.browser()
    monkeypatch.setitem(PEOPLE, "linus", type(PEOPLE["linus"])("linus", "L", "", email=alike))
    browser.get(invite(by_invitation, "--email", "grace@navy.example"))
    page = browser.sign_in("google", "linus")
    assert_designed(page, 403, "This invitation is for another email address")


def test_an_invited_person_is_in_its_groups(by_invitation):
    site, browser = by_invitation, by_invitation.browser()
    browser.get(invite(site, "--groups", "staff,editors", "--groups", "zoo"))
    browser.sign_in("google", "ada")
    assert groups_of(browser) == ["editors", "staff", "zoo"]
    assert "Added to the group staff" in browser.get("/account/activity").text
    assert answer(site, "groups", "show", "zoo")["items"][0]["source"] == "invite"


def test_an_invitation_for_several_people_opens_an_account_for_each(by_invitation):
    site, link = by_invitation, invite(by_invitation, "--uses", "2")
    for person in ("ada", "grace"):
        browser = site.browser()
        browser.get(link)
        assert browser.sign_in("google", person).path == "/account"
    assert_designed(site.browser().get(link), 403, "This invitation was used already")
    (item,) = answer(site, "invitations", "list")["items"]
    assert (item["used"], item["uses"]) == (2, 2)


def test_an_existing_person_uses_up_nothing(by_invitation):
    site, link = by_invitation, invite(by_invitation, "--uses", "2")
    for _ in range(2):
        browser = site.browser()
        browser.get(link)
        browser.sign_in("google", "ada")
    (item,) = answer(site, "invitations", "list")["items"]
    assert item["used"] == 1


def test_with_open_sign_ups_an_invitation_gives_its_groups_and_stands_in_nobodys_way(make_site):
    site = make_site()
    browser = site.browser()
    browser.get(invite(site, "--groups", "staff", "--email", "grace@navy.example"))
    page = browser.sign_in("google", "ada")
    assert_designed(page, 403, "This invitation is for another email address")
    browser.sign_in("google", "ada")
    assert groups_of(browser) == []
    other = site.browser()
    other.get(invite(site, "--groups", "staff"))
    other.sign_in("google", "linus")
    assert groups_of(other) == ["staff"]


def test_closed_sign_ups_accept_no_invitation(by_invitation):
    site, browser, link = by_invitation, by_invitation.browser(), invite(by_invitation)
    browser.get(link)
    site.restart(SIGNUPS="closed")
    assert_designed(browser.sign_in("google", "ada"), 403, "New accounts are closed")
    assert_designed(site.browser().get(link), 403, "This invitation isn't valid")
    result = run(site, "invitations", "add")
    assert (result.exit_code, "SIGNUPS is closed" in result.stderr) == (0, True)


def test_an_invitation_admits_nobody_whom_the_allow_list_refuses(by_invitation):
    site, browser = by_invitation, by_invitation.browser()
    site.restart(ALLOWED_EMAIL_DOMAINS="navy.example")
    browser.get(invite(site))
    assert_designed(browser.sign_in("google", "ada"), 403, "This account can't sign in here")
    assert browser.sign_in("google", "grace").path == "/account"


def test_the_link_leads_on_to_where_it_says_and_to_no_other_site(by_invitation):
    browser, link = by_invitation.browser(), invite(by_invitation)
    page = browser.get(f"{link}?next=/account/sessions")
    assert "/login/google?next=/account/sessions" in page.links()
    page = browser.get(f"{link}?next=https://evil.example/")
    assert "/login/google" in page.links()


def test_the_token_of_a_link_stays_out_of_pages_cookies_and_rows(by_invitation):
    """A page's address reaches others in a Referer."""
    site, browser, link = by_invitation, by_invitation.browser(), invite(by_invitation)
    token = link.rpartition("/")[2]
    page = browser.get(link)
    assert token not in page.url + page.html
    assert all(token not in (cookie.value or "") for cookie in browser.http.cookies)
    assert token not in repr(site.rows("SELECT * FROM invitations"))
    assert token not in run(site, "invitations", "list").stdout


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"}, {"Sec-Purpose": "prefetch"}],
)
def test_only_a_navigation_brings_an_invitation(by_invitation, headers):
    browser = by_invitation.browser()
    assert browser.fetch(invite(by_invitation), headers=headers).status == 400
    assert_designed(browser.sign_in("google", "ada"), 403, "You need an invitation")


def test_an_invitation_is_kept_in_its_browser_for_an_hour(by_invitation, monkeypatch):
    """Somebody else may use the browser later."""
    browser = by_invitation.browser()
    monkeypatch.setattr("web.invitation.KEPT_SECONDS", -1)
    browser.get(invite(by_invitation))
    assert_designed(browser.sign_in("google", "ada"), 403, "You need an invitation")


def test_guessing_links_is_limited(make_site):
    site = make_site(SIGNUPS="invited", REFUSALS_PER_MINUTE="3")
    browser = site.browser()
    statuses = [browser.fetch(f"/join/guess{number}").status for number in range(6)]
    assert statuses[0] == 403
    assert statuses[-1] == 429
