"""X: OAuth 1.0a, whose request token identifies the flow, and OAuth 2.0 for the same users."""

import pytest

from errors import ProviderError
from providers import PROVIDERS
from simulator.misbehaviour import ANSWERS
from tests.browser import query_of
from tests.site import Site

BOTH = ("twitter", "twitter_oauth2")


@pytest.fixture
def x(make_site):
    return make_site(look_alikes=("twitter", "google"))


def calls(site: Site) -> list[str]:
    return list(site.simulator.twitter.seen)


def test_an_x_user_signs_in_again_to_the_same_account(x):
    first, second = x.browser(), x.browser()
    page = first.sign_in("twitter", "grace")
    assert (page.status, page.path) == (200, "/account")
    second.sign_in("twitter", "grace")
    assert first.user_id == second.user_id
    (identity,) = first.me()["identities"]
    assert identity["email"] == "grace@navy.example"
    assert identity["email_verified"] is True


def test_the_oauth1_token_and_its_secret_are_stored_sealed(x):
    x.browser().sign_in("twitter", "grace")
    (row,) = x.rows("SELECT token FROM oauth")
    (token,) = x.simulator.twitter.access_tokens
    assert token not in row.token
    assert x.simulator.twitter.access_tokens[token].secret not in row.token


def test_an_address_from_x_joins_no_account(make_site):
    site = make_site(look_alikes=("twitter", "google"), ACCOUNT_LINKING="auto")
    site.browser().sign_in("google", "ada")
    page = site.browser().sign_in("twitter", "ada")
    assert page.path == "/login/confirm"
    assert site.user_count() == 1


def test_cancelling_at_x_says_so(x):
    browser = x.browser()
    page = browser.cancel("twitter")
    assert page.alert == "Sign-in wasn't completed"
    assert calls(x) == ["request_token"]
    assert x.user_count() == 0


def test_cancelling_another_browsers_x_flow_does_not_end_it(x):
    """Otherwise anybody could make others see that they cancelled."""
    other, browser = x.browser(), x.browser()
    callback = other.choose(other.begin("twitter"), "", cancel="1")
    browser.begin("twitter")
    assert browser.get(callback).alert == "We couldn't match that sign-in"
    assert other.get(callback).alert == "Sign-in wasn't completed"


def test_an_x_callback_belongs_to_the_browser_that_began(x):
    """Stock Flask-Dance signs the victim in as the attacker (row 10)."""
    attacker, victim = x.browser(), x.browser()
    callback = attacker.choose(attacker.begin("twitter"), "mallory")
    victim.begin("twitter")
    assert victim.get(callback).alert == "We couldn't match that sign-in"
    assert victim.me() is None
    assert "token" not in calls(x)


def test_an_x_callback_works_once(x):
    browser = x.browser()
    callback = browser.choose(browser.begin("twitter"), "grace")
    browser.get(callback)
    browser.sign_out()
    assert browser.get(callback).status == 400
    assert calls(x).count("token") == 1


def test_two_x_flows_in_two_tabs_both_sign_in(x):
    browser = x.browser()
    first, second = browser.begin("twitter"), browser.begin("twitter")
    later = browser.choose(second, "grace")
    sooner = browser.choose(first, "grace")
    assert browser.get(later).path == "/account"
    assert browser.get(sooner).path in ("/account", "/login")
    assert x.user_count() == 1


@pytest.mark.parametrize("behave", ["callback:wrong_state", "callback:no_code"])
def test_an_x_callback_with_another_token_or_without_a_verifier_is_refused(x, behave):
    page = x.browser().sign_in("twitter", "grace", behave)
    assert page.status in (400, 502)
    assert "token" not in calls(x)
    assert x.user_count() == 0


@pytest.mark.parametrize("said", ["false", "", "True", "1"])
def test_an_unconfirmed_oauth1_callback_ends_the_flow(x, said):
    x.simulator.twitter.request_token_changes = {"oauth_callback_confirmed": said}
    page = x.browser().fetch("/login/twitter")
    assert page.status == 502
    assert page.alert == "X couldn't complete the sign-in"
    assert x.rows("SELECT id FROM flows") == []


@pytest.mark.parametrize("changes", [{"oauth_token": ""}, {"oauth_token_secret": ""}])
@pytest.mark.parametrize("long", [False, True])
def test_an_invalid_request_token_ends_the_flow(x, changes, long):
    changes = {name: "x" * 5000 if long else value for name, value in changes.items()}
    x.simulator.twitter.request_token_changes = changes
    page = x.browser().fetch("/login/twitter")
    assert page.status == (302 if long and "oauth_token_secret" in changes else 502)


def test_the_same_request_token_twice_ends_the_second_flow(x):
    x.simulator.twitter.request_token_changes = {"oauth_token": "always-this"}
    assert x.browser().fetch("/login/twitter").status == 302
    assert x.browser().fetch("/login/twitter").status == 502


QUICK = sorted(set(ANSWERS) - {"slow", "drip", "bomb"})


@pytest.mark.parametrize("answer", QUICK)
def test_an_odd_request_token_response_is_an_error_page_and_a_working_retry(x, answer):
    browser = x.browser()
    x.simulator.twitter.request_token_answer = answer
    page = browser.fetch("/login/twitter")
    assert page.status in (502, 504)
    assert page.alert
    x.simulator.twitter.request_token_answer = ""
    assert browser.sign_in("twitter", "grace").path == "/account"


@pytest.mark.parametrize("place", ["token", "profile"])
@pytest.mark.parametrize("answer", QUICK)
def test_an_odd_response_during_an_x_callback_is_an_error_page_and_a_working_retry(
    x, place, answer
):
    browser = x.browser()
    page = browser.sign_in("twitter", "grace", f"{place}:{answer}")
    assert page.status in (502, 504)
    assert page.alert
    assert x.user_count() == 0
    assert browser.sign_in("twitter", "grace").path == "/account"


def test_an_x_profile_of_another_user_than_the_token_is_refused(x):
    page = x.browser().sign_in("twitter", "grace", "token:other_user")
    assert page.status == 502
    assert x.user_count() == 0


def test_a_wrong_x_secret_is_reported_as_misconfigured(make_site):
    site = make_site(look_alikes=("twitter",), TWITTER_CLIENT_SECRET="wrong")
    page = site.browser().fetch("/login/twitter")
    assert page.alert == "X sign-in isn't working on this site"


def test_linking_and_reauthentication_work_with_request_tokens(x):
    browser = x.browser()
    browser.sign_in("google", "grace")
    page = browser.link("twitter", "linus")
    assert "X connected" in page.message
    assert browser.providers() == ["google", "twitter"]
    x.execute("UPDATE sessions SET authenticated_at = '2020-01-01'")
    page = browser.get(f"/account/unlink/{browser.identity('google')}")
    assert page.path == "/account/reauth"
    forms = [action for action in page.actions() if browser.identity("twitter") in action]
    answer = browser.fetch(forms[0], "POST", data={"csrf_token": page.csrf_token, "next": "/"})
    assert query_of(answer.onward)["force_login"] == "true"


def test_an_x_user_is_the_same_with_oauth1_and_oauth2(make_site):
    """New X projects get OAuth 2.0 only; an operator who switches keeps every user."""
    site = make_site(look_alikes=("twitter",))
    first = site.browser()
    first.sign_in("twitter", "grace")
    number = site.simulator.twitter_oauth2.client
    site.restart(
        TWITTER_CLIENT_ID="",
        TWITTER_CLIENT_SECRET="",
        TWITTER_OAUTH2_CLIENT_ID=number.client_id,
        TWITTER_OAUTH2_CLIENT_SECRET=number.client_secret,
        **site.simulator.twitter_oauth2.settings(f"{site.simulator.url}/twitter_oauth2"),
    )
    second = site.browser()
    assert "code_challenge=" in second.begin("twitter")
    second.sign_in("twitter", "grace")
    assert second.user_id == first.user_id
    assert site.user_count() == 1


@pytest.mark.parametrize("key", BOTH)
@pytest.mark.parametrize("answer", [None, [], {}, "x", 5, {"data": None}, {"data": []}])
def test_an_x_profile_without_an_id_is_refused(key, answer):
    with pytest.raises(ProviderError):
        PROVIDERS[key].profile(lambda _url: answer)


@pytest.mark.parametrize("email", [None, "", " ", 5, ["a@b.example"], "no address", "a@b@c"])
def test_an_odd_address_from_x_is_dropped(email):
    said = {"id_str": "1", "email": email}
    profile = PROVIDERS["twitter"].profile(lambda _url: said)
    assert (profile.email, profile.email_verified) == (None, False)
    data = {"data": {"id": "1", "confirmed_email": email}}
    profile = PROVIDERS["twitter_oauth2"].profile(lambda _url: data)
    assert (profile.email, profile.email_verified) == (None, False)
