"""Another account: the provider is asked to let the person choose, wherever one is meant."""

import pytest

from tests.browser import Browser, query_of

CHOICES = {
    "google": ("prompt", "select_account"),
    "github": ("prompt", "select_account"),
    "microsoft": ("prompt", "select_account"),
    "facebook": ("auth_type", "reauthenticate"),
    "twitter": ("force_login", "true"),
    "discord": ("prompt", "consent"),
    "spotify": ("show_dialog", "true"),
    "acme": ("prompt", "login"),
}


@pytest.fixture
def site(make_site):
    return make_site(look_alikes=tuple(CHOICES))


def asks(location: str, provider: str) -> bool:
    name, value = CHOICES[provider]
    return query_of(location).get(name) == value


@pytest.mark.parametrize("provider", [name for name in CHOICES if name != "discord"])
def test_a_usual_sign_in_does_not_ask_for_the_choice(browser, provider):
    assert not asks(browser.begin(provider), provider)


@pytest.mark.parametrize("provider", CHOICES)
def test_linking_asks_the_provider_for_the_choice_of_account(browser, provider):
    """Otherwise the account of the provider that is connected already comes back."""
    browser.sign_in("google", "ada")
    assert asks(browser.begin_link(provider), provider)


@pytest.mark.parametrize("provider", CHOICES)
def test_after_a_sign_out_the_provider_is_asked_for_the_choice(browser, provider):
    browser.sign_in("google", "ada")
    browser.sign_out()
    assert asks(browser.begin(provider), provider)
    assert asks(browser.begin(provider), provider)


def test_the_choice_is_asked_for_until_somebody_signs_in(browser):
    browser.sign_in("google", "ada")
    browser.sign_out()
    browser.sign_in("google", "ada")
    assert not asks(browser.begin("google"), "google")


def begins(browser: Browser, page_path: str, provider: str) -> str:
    """Follow a page's link to a provider."""
    links = browser.get(page_path).links()
    return browser.fetch(next(x for x in links if x.startswith(f"/login/{provider}"))).location


def test_use_another_account_asks_for_the_choice(browser):
    browser.sign_in("google", "ada")
    another = next(link for link in browser.get("/login").links() if "switch=1" in link)
    assert asks(begins(browser, another, "google"), "google")
    all_of_them = next(link for link in browser.get(another).links() if "all=1" in link)
    assert asks(begins(browser, all_of_them, "twitter"), "twitter")


def test_verifying_ownership_asks_for_the_choice(browser, other):
    """The old account may be another one of the same provider."""
    other.sign_in("google", "grace")
    page = browser.sign_in("github", "grace")
    assert page.path == "/login/confirm"
    links = [link for link in page.links() if link.startswith("/login/google")]
    assert asks(browser.fetch(links[0]).location, "google")


@pytest.mark.parametrize(
    ("settings", "person"),
    [
        ({"ALLOWED_EMAIL_DOMAINS": "navy.example"}, "linus"),
        ({"SIGNUPS": "closed"}, "linus"),
    ],
)
def test_after_a_refused_account_the_choice_is_asked_for(make_site, settings, person):
    """The provider would return the same account, which is refused again."""
    browser = make_site(**settings).browser()
    assert browser.sign_in("google", person).status == 403
    assert asks(browser.begin("google"), "google")


def test_after_a_disabled_account_the_choice_is_asked_for(site, browser):
    browser.sign_in("google", "ada")
    site.execute("UPDATE users SET disabled_at = created_at")
    assert browser.sign_in("google", "ada").status == 403
    assert asks(browser.begin("google"), "google")


def test_an_issuer_that_announces_the_choice_is_asked_for_it(site, browser):
    site.simulator.acme.metadata_changes = {"prompt_values_supported": ["none", "select_account"]}
    browser.sign_in("google", "ada")
    assert query_of(browser.begin_link("acme"))["prompt"] == "select_account"


def test_the_choice_does_not_cost_the_refresh_token(make_site):
    browser = make_site(GOOGLE_OFFLINE_ACCESS="1").browser()
    asked = query_of(browser.begin("google", choose="1"))
    assert asked["prompt"].split() == ["select_account", "consent"]
