"""The account page: link, unlink, sessions, activity, and reauthentication for sensitive acts."""

import re

import pytest

from tests.browser import query_of

LONG_AGO = "2026-01-01 00:00:00.000000"


@pytest.fixture
def grace(browser):
    """Grace, signed in with Google."""
    browser.sign_in("google", "grace")
    return browser


@pytest.mark.parametrize(
    "path",
    [
        "/account",
        "/account/sessions",
        "/account/activity",
        "/account/reauth",
        "/account/unlink/x",
    ],
)
def test_every_page_of_the_account_needs_a_session(browser, path):
    page = browser.fetch(path)
    assert page.status == 302
    assert page.location.startswith("/login?next=%2Faccount") or "next=/account" in page.location


# Linking.


def test_linking_adds_an_identity(grace, other, site):
    page = grace.link("github", "grace")
    assert page.path == "/account"
    assert page.message == "GitHub connected. You can now sign in with it."
    assert grace.providers() == ["github", "google"]
    other.sign_in("github", "grace")
    assert other.user_id == grace.user_id


def test_a_user_may_link_two_identities_of_one_provider(grace):
    grace.link("github", "grace")
    grace.link("github", "linus")
    assert grace.providers() == ["github", "github", "google"]
    assert grace.get("/account").status == 200


def test_the_account_page_has_one_list_of_methods_to_add(grace):
    """Each is to connect; a provider that is connected already can give another account."""
    page = grace.get("/account")
    assert page.html.count("Add a sign-in method") == 1
    assert not [text for text in page.buttons if text.startswith(("Continue", "Sign in"))]
    names = re.findall(r'aria-label="(Connect [^"]+)"', page.html)
    assert names == ["Connect Facebook", "Connect GitHub", "Connect another Google account"]


def test_linking_the_same_identity_again_says_so(grace):
    assert grace.link("google", "grace").message == "You've already connected this Google account."
    assert grace.providers() == ["google"]


def test_linking_needs_a_post_with_a_csrf_token(grace, site):
    """OmniAuth CVE-2015-9284: linking by GET is linking by an <img> tag."""
    assert grace.fetch("/account/link/github").status == 405
    page = grace.fetch("/account/link/github", "POST")
    assert (page.status, page.alert) == (400, "That page was out of date")
    page = grace.fetch("/account/link/github", "POST", data={"csrf_token": "made up"})
    assert page.status == 400
    assert site.rows("SELECT count(*) FROM flows WHERE intent = 'link'")[0][0] == 0


def test_another_browsers_csrf_token_is_refused(grace, other):
    other.sign_in("github", "linus")
    token = other.get("/account").csrf_token
    page = grace.fetch("/account/link/github", "POST", data={"csrf_token": token})
    assert page.status == 400


def test_a_csrf_token_from_before_the_sign_in_is_refused(browser):
    browser.sign_in("google", "grace")
    token = browser.get("/account").csrf_token
    browser.sign_in("google", "grace")
    page = browser.fetch("/account/link/github", "POST", data={"csrf_token": token})
    assert page.status == 400


def test_a_link_must_end_as_the_user_who_began_it(grace, site, other):
    """Second-tab linking: begun as Grace, completed while Linus is signed in."""
    callback = grace.choose(grace.begin_link("github"), "grace")
    grace.sign_out()
    grace.sign_in("facebook", "linus")
    page = grace.get(callback)
    assert page.alert == "We couldn't match that sign-in"
    assert grace.providers() == ["facebook"]


def test_a_link_begun_by_an_attacker_does_not_end_in_the_victims_account(grace, other):
    """The attacker sends the victim the callback of an unfinished link."""
    other.sign_in("facebook", "mallory")
    callback = other.choose(other.begin_link("github"), "mallory")
    assert grace.get(callback).alert == "We couldn't match that sign-in"
    assert grace.providers() == ["google"]


def test_linking_replaces_the_session_token(grace):
    before = grace.cookie("session")
    grace.link("github", "grace")
    after = grace.cookie("session")
    assert after != before
    grace.http.cookies.set("session", before, domain="localhost.local", path="/")
    assert grace.me() is None


def test_a_cancelled_link_leaves_the_user_signed_in(grace):
    page = grace.get(grace.choose(grace.begin_link("github"), "", cancel="1"))
    assert page.alert == "Sign-in wasn't completed"
    assert page.heading == "Add a sign-in method"
    assert page.buttons == ["Try again", "Go to account"]
    assert grace.providers() == ["google"]
    assert "Connecting GitHub was cancelled" in grace.get("/account/activity").text


def test_a_failed_link_can_be_tried_again_from_its_error_page(grace):
    page = grace.get(grace.choose(grace.begin_link("github"), "grace", "token:html"))
    assert page.heading == "Add a sign-in method"
    answer = grace.fetch(page.actions()[0], "POST", data={"csrf_token": page.csrf_token})
    assert "connected" in grace.get(grace.choose(answer.onward, "grace")).message
    assert grace.providers() == ["github", "google"]


def test_linking_with_a_provider_that_is_not_configured_is_a_404(grace):
    assert grace.post("/account/link/myspace").status == 404


# Unlinking.


def test_removing_the_identity_of_the_primary_address_names_the_next_one(grace):
    grace.link("github", "linus")
    page = grace.get(f"/account/unlink/{grace.identity('google')}")
    assert "Your address here will be linus@chemistry.example." in page.text
    other = grace.get(f"/account/unlink/{grace.identity('github')}")
    assert "Your address here" not in other.text
    grace.unlink(grace.identity("google"))
    assert grace.me()["email"] == "linus@chemistry.example"
    assert "Email changed" in grace.get("/account/activity").text


def test_unlinking_removes_one_identity(grace, other):
    grace.link("github", "grace")
    page = grace.get(f"/account/unlink/{grace.identity('github')}")
    assert page.heading == "Remove GitHub?"
    assert "You can still use Google (grace@navy.example)." in page.text
    page = grace.post(f"/account/unlink/{grace.identity('github')}", page)
    assert page.message == "GitHub removed."
    assert grace.providers() == ["google"]
    other.sign_in("github", "grace")
    assert other.user_id != grace.user_id


def test_unlinking_the_identity_of_the_current_session_keeps_that_session(grace):
    grace.link("github", "grace")
    page = grace.unlink(grace.identity("google"))
    assert page.message == "Google removed. You stay signed in on this device."
    assert grace.providers() == ["github"]


def test_unlinking_ends_the_other_sessions_it_started(grace, other):
    grace.link("github", "grace")
    other.sign_in("github", "grace")
    assert other.user_id == grace.user_id
    identity = grace.identity("github")
    told = "Other devices signed in with it {} signed out (1)."
    assert told.format("will be") in grace.get(f"/account/unlink/{identity}").text
    assert grace.unlink(identity).message == f"GitHub removed. {told.format('were')}"
    assert "Signed out 1 other session" in grace.get("/account/activity").text
    assert other.me() is None


def test_removing_an_identity_speaks_of_no_other_devices_where_there_are_none(grace):
    grace.link("github", "grace")
    assert "Other devices" not in grace.get(f"/account/unlink/{grace.identity('google')}").text
    assert "Other devices" not in grace.unlink(grace.identity("google")).text


def test_the_last_identity_cannot_be_removed(grace):
    """Supabase and better-auth count outside the delete."""
    page = grace.get("/account")
    assert "This is your only way to sign in. Add another before removing it." in page.text
    assert "Remove" not in page.buttons
    page = grace.unlink(grace.identity("google"))
    assert page.status == 409
    assert page.alert == "This is your only way to sign in"
    assert grace.providers() == ["google"]


def test_an_identity_of_a_removed_provider_does_not_count_as_a_way_in(make_site):
    site = make_site()
    browser = site.browser()
    browser.sign_in("google", "grace")
    browser.link("github", "grace")
    identity = browser.identity("google")
    site.restart(GITHUB_CLIENT_ID="", GITHUB_CLIENT_SECRET="")
    assert "Not available on this site any more." in browser.get("/account").text
    assert browser.unlink(identity).status == 409
    assert browser.providers() == ["github", "google"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_users_identity_answers_like_a_missing_one(grace, other, method):
    """better-auth CVE-2025-61928: object ids are checked against their owner."""
    other.sign_in("github", "linus")
    other.link("facebook", "linus")
    token = grace.get("/account").csrf_token
    stranger, missing = (
        grace.fetch(f"/account/unlink/{identity}", method, data={"csrf_token": token})
        for identity in (other.identity("github"), "0" * 32)
    )
    assert stranger.status == missing.status == 404
    assert stranger.alert == missing.alert
    assert other.providers() == ["facebook", "github"]


def test_unlinking_needs_a_recent_sign_in_with_the_same_identity(grace, site):
    """Flask-Security GHSA-97r5, GHSA-f66q."""
    grace.link("github", "grace")
    identity = grace.identity("github")
    site.execute("UPDATE sessions SET authenticated_at = :at", at=LONG_AGO)
    page = grace.unlink(identity)
    assert page.heading == "Confirm it's you"
    assert "You're about to remove a sign-in method. Sign in again to continue." in page.text
    assert grace.providers() == ["github", "google"]

    wrong = grace.reauth(page, "linus")
    assert wrong.alert == "That's a different account"
    assert wrong.heading == "Confirm it's you"
    assert grace.unlink(identity).heading == "Confirm it's you"
    assert grace.reauth(wrong, "grace").heading == "Remove GitHub?"
    site.execute("UPDATE sessions SET authenticated_at = :at", at=LONG_AGO)

    page = grace.reauth(page, "grace")
    assert page.heading == "Remove GitHub?"
    assert grace.post(f"/account/unlink/{identity}", page).message == "GitHub removed."


def test_reauthentication_asks_the_provider_for_a_fresh_sign_in(grace, site):
    grace.link("facebook", "grace")
    site.execute("UPDATE sessions SET authenticated_at = :at", at=LONG_AGO)
    page = grace.get("/account/reauth")
    by_provider = {}
    for action in page.actions():
        form = {"csrf_token": page.csrf_token, "next": "/account"}
        location = grace.fetch(action, "POST", data=form).onward
        by_provider["facebook" if "facebook" in location else "google"] = query_of(location)
    assert by_provider["facebook"]["auth_type"] == "reauthenticate"
    assert by_provider["google"]["prompt"] == "select_account"


def test_reauthentication_replaces_the_session_token(grace, site):
    grace.link("github", "grace")
    site.execute("UPDATE sessions SET authenticated_at = :at", at=LONG_AGO)
    before = grace.cookie("session")
    grace.reauth(grace.get("/account/reauth"), "grace")
    assert grace.cookie("session") != before
    assert "Confirmed it's you with Google" in grace.get("/account/activity").text


def test_a_user_who_just_signed_in_need_not_reauthenticate(grace):
    assert grace.get("/account/reauth?next=/account/activity").path == "/account/activity"


def test_reauthentication_returns_to_this_site_only(grace, site):
    site.execute("UPDATE sessions SET authenticated_at = :at", at=LONG_AGO)
    page = grace.get("/account/reauth?next=//evil.example")
    assert page.hidden("next") == "/account"


# Sessions.


def test_sessions_are_listed_with_device_and_times(grace, site):
    phone = site.browser()
    phone.http.headers["User-Agent"] = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
    )
    phone.sign_in("google", "grace")
    page = grace.get("/account/sessions")
    assert page.heading == "Where you're signed in"
    assert "Safari on iOS" in page.text
    assert "Firefox on Linux This device" in page.text
    assert "127.0.0.1 · Google · first seen" in page.text


def test_two_sessions_of_one_kind_of_browser_have_buttons_of_different_names(grace, site):
    for _ in range(3):
        site.browser().sign_in("google", "grace")
    for path in ("/account", "/account/sessions"):
        names = re.findall(r'aria-label="(Sign out [^"]+)"', grace.get(path).html)
        assert len(names) == 3
        assert len(set(names)) == 3, names
        assert all(name.startswith("Sign out Firefox on Linux, Google, first") for name in names)


def test_two_identities_that_look_alike_can_be_told_apart(grace, site):
    """One address at two accounts of a provider, as after an account there was made anew."""
    grace.link("github", "grace")
    grace.link("github", "linus")
    site.execute("UPDATE oauth SET email = 'grace@navy.example' WHERE provider = 'github'")
    page = grace.get("/account")
    for act in ("Remove GitHub", "What GitHub shared"):
        names = re.findall(rf'aria-label="({act}, [^"]+)"', page.html)
        assert names == [f"{act}, grace@navy.example", f"{act}, grace@navy.example (2)"]
    assert "grace@navy.example (2)" in grace.get("/account/profile").text
    site.execute("UPDATE sessions SET authenticated_at = :at", at=LONG_AGO)
    page = grace.get("/account/reauth")
    names = re.findall(r'aria-label="(Continue with [^"]+)"', page.html)
    assert len(set(names)) == 2, "the two buttons of GitHub"


def test_one_other_session_can_be_ended(grace, other):
    other.sign_in("google", "grace")
    page = grace.get("/account/sessions")
    (action,) = [each for each in page.actions() if each.endswith("/end")]
    assert grace.post(action, page).message == "Signed out of Firefox on Linux."
    assert other.me() is None
    assert grace.me()


def test_all_other_sessions_can_be_ended_together(grace, site):
    others = [site.browser() for _ in range(3)]
    for browser in others:
        browser.sign_in("google", "grace")
    page = grace.post("/account/sessions/end-others")
    assert page.message == "Signed out of 3 other sessions."
    assert "You're only signed in here." in page.text
    assert [browser.me() for browser in others] == [None] * 3
    assert grace.me()


def test_another_users_session_answers_like_a_missing_one(grace, other, site):
    other.sign_in("github", "linus")
    (theirs,) = site.rows("SELECT id FROM sessions WHERE provider = 'github'")[0]
    assert grace.post(f"/account/sessions/{theirs}/end").status == 404
    assert grace.post(f"/account/sessions/{'0' * 32}/end").status == 404
    assert other.me()


# Activity.


def test_activity_lists_events(grace):
    grace.link("github", "grace")
    grace.unlink(grace.identity("github"))
    text = grace.get("/account/activity").text
    for sentence in ("Account created with Google", "Connected GitHub", "Removed GitHub"):
        assert sentence in text
    assert text.index("Removed GitHub") < text.index("Connected GitHub")


def test_activity_is_paged(grace, site):
    for _ in range(30):
        grace.post("/account/sessions/end-others")
        grace.sign_in("google", "grace")
    first = grace.get("/account/activity")
    assert first.text.count("Signed in with Google") == 25
    (older,) = [link for link in first.links() if "before=" in link]
    second = grace.get(older)
    assert second.text.count("Signed in with Google") == 5
    assert "Account created with Google" in second.text


def test_the_activity_of_another_user_cannot_be_read(grace, other, site):
    other.sign_in("github", "linus")
    (theirs,) = site.rows("SELECT id FROM events WHERE provider = 'github'")[0]
    assert (
        "GitHub" not in grace.get(f"/account/activity?before={theirs}").text.partition("Wasn't")[0]
    )


def test_a_refused_link_is_in_the_activity_with_its_reference(grace):
    page = grace.link("github", "grace", behave="token:status_500")
    assert page.alert == "GitHub couldn't complete the sign-in"
    reference = page.text.rpartition("Reference ")[2][:9]
    text = grace.get("/account/activity").text
    assert "Connecting GitHub blocked: GitHub couldn't complete the sign-in" in text
    assert f"Reference {reference}" in text
