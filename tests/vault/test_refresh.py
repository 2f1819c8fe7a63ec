"""Provider tokens in use: profile refresh, token refresh by one worker, revoked access."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

import providers
from simulator.people import PEOPLE
from tests.browser import Browser, Page, query_of
from tests.site import ALL
from vault import tokens

LONG_AGO = "2026-01-01 00:00:00.000000"
OFFLINE = {"GOOGLE_OFFLINE_ACCESS": "1"}


@pytest.fixture
def grace(browser):
    """Grace, signed in with Google."""
    browser.sign_in("google", "grace")
    return browser


def shared(browser: Browser, provider: str = "google") -> Page:
    """The page of what a provider shared."""
    return browser.get(f"/account/identities/{browser.identity(provider)}")


def refresh(browser: Browser, provider: str = "google") -> Page:
    page = f"/account/identities/{browser.identity(provider)}"
    return browser.post(f"{page}/refresh", browser.get("/account/profile"))


def change(look_alike, **values) -> None:
    """Change the profile of everybody who has signed in there."""
    for code in look_alike.tokens.values():
        code.person = replace(code.person, **values)


def expire(site) -> None:
    site.execute("UPDATE oauth SET token_expires_at = :at", at=LONG_AGO)


def held(site) -> dict[str, str]:
    """The stored token of the only identity."""
    ((identity_id, user_id, provider),) = site.rows("SELECT id, user_id, provider FROM oauth")
    store = tokens.IdentityTokens(lambda: user_id)
    with tokens.using(identity_id):
        return site.inside(store.get, provider) or {}


# The identity page.


def test_the_identity_page_shows_what_the_provider_shared_and_when(grace, site):
    page = shared(grace)
    assert page.heading == "What Google shared"
    for words in (
        "Name Grace Hopper",
        "Email address grace@navy.example Verified",
        "Username Not shared",
        "Picture https://lh3.googleusercontent.com/a/grace=s96-c",
        "See your email address",
        "Google lets us read this again until",
    ):
        assert words in page.text
    assert "Refresh" in page.buttons
    assert "<img" not in page.html.partition("<main")[2].replace("icon.svg", "")
    assert f"/account/identities/{grace.identity('google')}" in grace.get("/account").links()


def test_an_address_that_facebook_shares_is_shown_as_not_verified(browser):
    browser.sign_in("facebook", "grace")
    assert "grace@navy.example Not verified" in shared(browser, "facebook").text


@pytest.mark.parametrize("key", ALL)
def test_the_profile_of_every_provider_that_supports_it_can_be_refreshed(make_site, key):
    site = make_site(look_alikes=(key,))
    browser = site.browser()
    browser.sign_in(key, "grace")
    path = f"/account/identities/{browser.identity(key)}"
    label = providers.PROVIDERS[key].label
    if providers.PROVIDERS[key].refreshable:
        assert browser.post(f"{path}/refresh").message == f"Read again from {label}."
    else:
        assert f"Sign in again with {label}" in browser.get(path).buttons
        assert browser.post(f"{path}/refresh").status == 404


@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("POST", "/refresh")])
def test_the_identity_page_of_another_user_answers_like_a_missing_one(grace, other, method, tail):
    """better-auth CVE-2025-61928."""
    other.sign_in("github", "linus")
    token = {"csrf_token": grace.get("/account").csrf_token}
    answers = [
        grace.fetch(f"/account/identities/{identity}{tail}", method, data=token)
        for identity in (other.identity("github"), "0" * 32, "%00")
    ]
    assert {(page.status, page.heading) for page in answers} == {(404, "Page not found")}


def test_refreshing_a_profile_needs_a_post_with_a_csrf_token(grace, site):
    page = f"/account/identities/{grace.identity('google')}/refresh"
    assert grace.fetch(page).status == 405
    assert grace.fetch(page, "POST").status == 400
    assert "userinfo" not in site.simulator.google.seen


# Profile refresh.


@pytest.mark.parametrize("provider", ["google", "facebook", "github"])
def test_a_profile_refresh_stores_the_new_profile(browser, site, provider):
    browser.sign_in(provider, "grace")
    site.execute("UPDATE oauth SET read_at = :at", at=LONG_AGO)
    assert "1 Jan 2026" in shared(browser, provider).text
    change(getattr(site.simulator, provider), name="Grace B. Hopper", email="admiral@navy.example")
    page = refresh(browser, provider)
    assert page.message.startswith("Read again from ")
    assert "Name Grace B. Hopper" in page.text
    assert "admiral@navy.example" in page.text
    assert "1 Jan 2026" not in page.text
    assert browser.me()["email"] == "admiral@navy.example"
    assert "Email changed" in browser.get("/account/activity").text


def test_a_profile_refresh_keeps_a_name_that_the_user_chose(grace, site):
    grace.post("/account/profile", grace.get("/account/profile"), name="Amazing Grace")
    change(site.simulator.google, name="Grace B. Hopper")
    refresh(grace)
    assert grace.me()["name"] == "Amazing Grace"


@pytest.mark.parametrize("provider", ["google", "facebook", "github"])
def test_a_profile_refresh_that_returns_another_subject_changes_nothing(
    browser, site, provider, caplog
):
    browser.sign_in(provider, "grace")
    before = site.rows("SELECT subject, email, profile, read_at FROM oauth")
    for code in getattr(site.simulator, provider).tokens.values():
        code.person = PEOPLE["linus"]
    assert "Nothing was changed" in refresh(browser, provider).message
    assert site.rows("SELECT subject, email, profile, read_at FROM oauth") == before
    assert any("subject" in str(record.msg) for record in caplog.records)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("status_503", "isn't answering"),
        ("hang_up", "isn't answering"),
        ("html", "gave an answer we couldn't use"),
    ],
)
def test_a_failed_profile_refresh_changes_nothing_and_can_be_repeated(grace, site, answer, message):
    before = site.rows("SELECT email, profile, token, read_at FROM oauth")
    site.simulator.google.answers["profile"] = answer
    assert message in refresh(grace).message
    assert site.rows("SELECT email, profile, token, read_at FROM oauth") == before
    del site.simulator.google.answers["profile"]
    assert refresh(grace).message == "Read again from Google."


# Expired tokens.


def test_an_expired_token_without_a_refresh_token_needs_a_new_sign_in(grace, site):
    expire(site)
    page = shared(grace)
    assert "Sign in again with Google" in page.buttons
    assert "Refresh" not in page.buttons
    assert "doesn't let us read this any more" in refresh(grace).message
    (link,) = [link for link in page.links() if link.startswith("/login/google")]
    back = grace.get(grace.choose(grace.fetch(link).location, "grace"))
    assert back.path == page.path
    assert "Refresh" in back.buttons


@pytest.mark.parametrize("provider", ["facebook", "github"])
def test_access_revoked_at_the_provider_is_noticed(browser, site, provider):
    browser.sign_in(provider, "grace")
    getattr(site.simulator, provider).tokens.clear()
    page = refresh(browser, provider)
    label = {"facebook": "Facebook", "github": "GitHub"}[provider]
    assert f"Sign in again with {label}" in page.buttons
    assert site.rows("SELECT token FROM oauth") == [(None,)]
    browser.sign_in(provider, "grace")
    assert "Refresh" in shared(browser, provider).buttons


def test_an_identity_without_a_token_asks_for_a_new_sign_in(grace, site):
    site.execute("UPDATE oauth SET token = NULL")
    assert "Sign in again with Google" in shared(grace).buttons
    assert "Sign in again with Google" in refresh(grace).message


def test_the_profile_of_a_provider_that_is_not_configured_cannot_be_refreshed(make_site):
    site = make_site()
    browser = site.browser()
    browser.sign_in("google", "grace")
    browser.link("github", "grace")
    site.restart(GITHUB_CLIENT_ID="", GITHUB_CLIENT_SECRET="")
    assert "Not available on this site any more." in shared(browser, "github").text
    assert refresh(browser, "github").status == 404


# Offline access.


def test_offline_access_is_requested_only_when_it_is_configured(make_site):
    """Google: https://developers.google.com/identity/protocols/oauth2/web-server#offline."""
    asked = query_of(make_site().browser().begin("google"))
    assert not {"access_type", "prompt"} & set(asked)
    site = make_site(**OFFLINE)
    browser = site.browser()
    asked = query_of(browser.begin("google"))
    assert (asked["access_type"], asked["prompt"]) == ("offline", "consent")
    browser.sign_in("google", "grace")
    assert held(site)["refresh_token"] in site.simulator.google.refresh_tokens
    assert "until you take that back" in shared(browser).text


@pytest.fixture(params=["sqlite", "postgresql"])
def offline(request, make_site):
    """A site that may refresh Google's tokens, on both engines."""
    return make_site(request.param, **OFFLINE)


@pytest.fixture
def ada(offline):
    """Ada, whose access token has expired."""
    browser = offline.browser()
    browser.sign_in("google", "ada")
    expire(offline)
    return browser


def test_an_expired_token_is_refreshed_before_use(ada, offline):
    assert refresh(ada).message == "Read again from Google."
    assert offline.simulator.google.seen[-2:] == ["refresh", "userinfo"]
    refresh(ada)
    assert offline.simulator.google.seen.count("refresh") == 1


def test_the_refresh_token_is_kept_when_the_provider_sends_no_new_one(ada, offline):
    """Google sends a refresh token at the first consent only."""
    (refresh_token,) = offline.simulator.google.refresh_tokens
    refresh(ada)
    assert held(offline)["refresh_token"] == refresh_token
    code = next(iter(offline.simulator.google.refresh_tokens.values()))
    code.offline = False
    ada.get(ada.choose(ada.begin("google").replace("prompt=consent", "prompt="), "ada"))
    assert held(offline)["refresh_token"] == refresh_token


def test_concurrent_uses_of_an_expired_token_refresh_it_once(ada, offline):
    """Zitadel #11047; Keycloak CVE-2026-1035: using a refresh token twice loses access."""
    google = offline.simulator.google
    google.rotates = True
    note, at_token = google.note, threading.Event()

    def slow(what: str) -> None:
        note(what)
        if what == "refresh":
            at_token.wait(1)

    google.note = slow
    second = offline.browser()
    second.http.cookies.update(ada.http.cookies)
    page = f"/account/identities/{ada.identity('google')}"
    form = {"csrf_token": ada.get("/account/profile").csrf_token}
    with ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(
                lambda browser: browser.fetch(f"{page}/refresh", "POST", data=form),
                [ada, second, ada, second],
            )
        )
    assert [answer.status for answer in answers] == [303] * 4
    assert google.seen.count("refresh") == 1
    assert google.seen.count("userinfo") == 4
    assert held(offline)["refresh_token"] in google.refresh_tokens


def test_a_rotated_refresh_token_is_stored_before_the_new_token_is_used(ada, offline):
    """If anything fails after the response, the next try has the new token."""
    google = offline.simulator.google
    google.rotates = True
    google.answers["profile"] = "hang_up"
    assert "isn't answering" in refresh(ada).message
    assert list(google.refresh_tokens) == [held(offline)["refresh_token"]]
    expire(offline)
    del google.answers["profile"]
    assert refresh(ada).message == "Read again from Google."
    assert google.seen.count("refresh") == 2


@pytest.mark.parametrize("answer", ["status_500", "status_503", "hang_up", "html"])
def test_a_temporary_refresh_failure_keeps_the_refresh_token(ada, offline, answer):
    google = offline.simulator.google
    google.answers["refresh"] = answer
    assert "Nothing was changed" in refresh(ada).message
    assert "Refresh" in shared(ada).buttons
    del google.answers["refresh"]
    assert refresh(ada).message == "Read again from Google."


def test_a_refused_refresh_token_is_reported_and_not_tried_again(ada, offline):
    google = offline.simulator.google
    google.refresh_tokens.clear()
    page = refresh(ada)
    assert page.message == (
        "Google doesn't let us read this any more. Sign in again with Google to renew that."
    )
    assert "Sign in again with Google" in page.buttons
    refresh(ada)
    assert google.seen.count("refresh") == 1
    assert offline.rows("SELECT token, renewal FROM oauth") == [(None, None)]


def test_an_access_token_refused_before_its_expiry_is_refreshed_once(ada, offline):
    google = offline.simulator.google
    refresh(ada)
    google.tokens.clear()
    assert refresh(ada).message == "Read again from Google."
    assert google.seen.count("refresh") == 2


@pytest.mark.parametrize(
    "claims", [{"sub": "1"}, {"iss": "https://accounts.evil.example"}, {"aud": "another-client"}]
)
def test_a_refresh_that_returns_another_users_id_token_is_refused(ada, offline, claims):
    """OpenID Connect Core 12.2: a refreshed id_token must keep iss and sub."""
    before = offline.rows("SELECT email, profile, token FROM oauth")
    offline.simulator.google.refreshed_claims = claims
    assert "Nothing was changed" in refresh(ada).message
    assert offline.rows("SELECT email, profile, token FROM oauth") == before


def test_a_worker_killed_during_a_refresh_blocks_others_for_a_minute_only(ada, offline):
    offline.execute("UPDATE oauth SET renewal = 'x', renewal_until = :at", at=LONG_AGO)
    assert refresh(ada).message == "Read again from Google."


def test_a_refresh_that_lost_its_lease_stores_nothing(ada, offline):
    """Another worker holds the lease by then, and has a newer token."""
    google = offline.simulator.google
    note = google.note

    def lose_turn(what: str) -> None:
        note(what)
        if what == "refresh" and google.seen.count("refresh") == 1:
            offline.execute("UPDATE oauth SET renewal = 'another'")
            offline.execute("UPDATE oauth SET renewal_until = :at", at=LONG_AGO)

    google.note = lose_turn
    assert refresh(ada).message == "Read again from Google."
    assert google.seen.count("refresh") == 2


def test_profile_refresh_neither_shows_nor_logs_a_token(ada, offline, caplog, capfd):
    google = offline.simulator.google
    pages = [refresh(ada), shared(ada), ada.get("/account")]
    google.refresh_tokens.clear()
    expire(offline)
    pages += [refresh(ada), shared(ada)]
    said = json.dumps([page.html for page in pages]) + caplog.text + "".join(capfd.readouterr())
    for token in (*google.tokens, *google.refresh_tokens):
        assert token not in said
