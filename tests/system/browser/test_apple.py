"""Apple answers by POST from its own site, with which a real browser sends no Lax cookie."""

import pytest
from playwright.sync_api import Request, expect

from tests.site import Site
from tests.system.browser.visitor import Visitor


@pytest.fixture
def site(make_site) -> Site:
    """At localhost, with the look-alikes at 127.0.0.1: two sites to a browser."""
    made: Site = make_site(look_alikes=("apple", "google"))
    return made


def posts_of(visitor: Visitor) -> list[Request]:
    """The requests with which Apple's page answers."""
    posts: list[Request] = []

    def note(request: Request) -> None:
        if request.method == "POST" and request.url.startswith(visitor.site.url):
            posts.append(request)

    visitor.context.on("request", note)
    return posts


def test_a_click_and_a_choice_sign_in(come_to, site, javascript):
    ada = come_to(site, javascript=javascript)
    posts = posts_of(ada)
    ada.sign_in("Apple", "ada")
    ada.sees("Go on to the app")
    ada.press("Continue")
    ada.sees("Account", "/account")
    ada.reads("Ada Lovelace")
    ada.methods("Apple Used for this session")
    (post,) = posts
    headers = post.all_headers()
    assert headers["sec-fetch-site"] == "cross-site"
    assert "cookie" not in headers


def test_a_second_way_in_is_added_by_the_same_road(come_to, site):
    """A form leads to Apple, and Apple's own form comes back."""
    ada = come_to(site)
    ada.be_signed_in("google", "ada")
    ada.link("Apple", "ada")
    ada.press("Continue")
    ada.is_told("Apple connected. You can now sign in with it.")
    ada.methods("Google Used for this session", "Apple")


def test_who_cancels_is_told_and_tries_again(come_to, site):
    ada = come_to(site)
    ada.open("/login?next=/account/sessions")
    ada.press("Continue with Apple")
    ada.cancel()
    ada.press("Continue")
    ada.is_warned("Sign-in wasn't completed")
    ada.press("Continue with Apple")
    ada.be("ada")
    ada.press("Continue")
    ada.sees("Where you're signed in", "/account/sessions")


def test_going_back_to_apples_page_and_on_again_does_no_harm(come_to, site):
    ada = come_to(site)
    ada.sign_in("Apple", "ada")
    ada.press("Continue")
    ada.sees("Account")
    ada.page.go_back()
    ada.press("Continue")
    ada.is_warned("We couldn't match that sign-in")
    expect(ada.page.locator("main")).to_contain_text("You're signed in as ada@gmail.com.")
