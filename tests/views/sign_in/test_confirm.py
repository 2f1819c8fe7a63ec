"""The questions between a callback and its end: connect, separate, merge."""

import pytest

from tests.browser import Browser


@pytest.fixture
def ada(site) -> Browser:
    """Ada, who has an account with Google and is not signed in."""
    browser: Browser = site.browser()
    browser.sign_in("google", "ada")
    browser.sign_out()
    return browser


def prove(browser: Browser, page, provider: str, person: str):
    """Press "Continue with …" on the conflict page, and sign in there as this person."""
    link = next(link for link in page.links() if link.startswith(f"/login/{provider}"))
    return browser.get(browser.choose(browser.fetch(link).location, person))


# ACCOUNT_LINKING=ask, a verified address.


def test_a_known_address_needs_ownership_of_the_old_account_and_then_a_confirmation(ada, site):
    page = ada.sign_in("github", "ada")
    assert page.heading == "You already have an account"
    assert "That address belongs to an account that signs in with Google." in page.text
    assert page.buttons[:2] == ["Continue with Google", "Use a different GitHub account"]
    assert ada.me() is None

    page = prove(ada, page, "google", "ada")
    assert page.heading == "Connect GitHub to your account?"
    assert ada.providers() == ["google"]

    page = ada.answer(page, "connect")
    assert page.path == "/account"
    assert page.message == "GitHub connected. You can now sign in with it."
    assert ada.providers() == ["github", "google"]
    assert site.user_count() == 1
    activity = ada.get("/account/activity").text
    assert "Connected GitHub, after you had signed in and confirmed" in activity


def test_nothing_is_connected_when_the_user_declines(ada, site):
    page = prove(ada, ada.sign_in("github", "ada"), "google", "ada")
    ada.answer(page, "not_now")
    assert ada.providers() == ["google"]
    assert ada.answer(page, "connect").alert == "That sign-in took too long"
    assert ada.providers() == ["google"]


def test_connecting_returns_the_user_to_their_page(ada):
    page = prove(ada, ada.sign_in("github", "ada", next="/account/activity"), "google", "ada")
    assert ada.answer(page, "connect").path == "/account/activity"


def test_verifying_ownership_with_the_wrong_account_connects_nothing(ada, site):
    site.browser().sign_in("google", "grace")
    page = ada.sign_in("github", "ada")
    page = prove(ada, page, "google", "grace")
    assert page.heading == "You already have an account"
    assert page.alert == "That's a different account."
    assert "Sign in as a•••@gmail.com to connect GitHub." in page.text
    forced = {"flow": page.hidden("flow") or page.url.rpartition("=")[2], "answer": "connect"}
    ada.post("/login/confirm", **forced)
    assert ada.providers() == ["google"]
    assert site.rows("SELECT count(*) FROM oauth WHERE provider = 'github'")[0][0] == 0


def test_verifying_ownership_with_an_unknown_identity_creates_no_account(ada, site):
    """Choosing the wrong identity at the provider must not leave another account."""
    page = prove(ada, ada.sign_in("github", "ada"), "google", "linus")
    assert page.alert == "That's a different account."
    assert ada.me() is None
    assert site.user_count() == 1
    page = prove(ada, page, "google", "ada")
    assert page.heading == "Connect GitHub to your account?"


def test_connecting_cannot_be_forced_before_ownership_is_verified(ada, site):
    """better-auth #9578: joined because of one side's claim."""
    page = ada.sign_in("github", "ada")
    form = {"flow": page.hidden("flow"), "answer": "connect"}
    ada.post("/login/confirm", page, **form)
    assert ada.me() is None
    assert site.rows("SELECT count(*) FROM oauth")[0][0] == 1


def test_an_expired_ownership_verification_is_not_enough(ada, site):
    page = prove(ada, ada.sign_in("github", "ada"), "google", "ada")
    site.execute("UPDATE sessions SET authenticated_at = '2026-01-01 00:00:00.000000'")
    assert ada.answer(page, "connect").heading == "Confirm it's you"
    assert ada.providers() == ["google"]


def test_a_pending_question_belongs_to_its_browser(ada, other):
    page = ada.sign_in("github", "ada")
    other.sign_in("google", "ada")
    stolen = other.get(page.url)
    assert stolen.alert == "We couldn't match that sign-in"
    other.post("/login/confirm", flow=page.hidden("flow"), answer="connect")
    assert other.providers() == ["google"]


def test_a_browser_signed_in_as_another_user_may_verify_ownership_and_connect(ada, site):
    """This was a dead end while the question belonged to the user who had to sign out."""
    ada.sign_in("google", "grace")
    page = ada.sign_in("github", "ada")
    assert page.heading == "You already have an account"
    page = prove(ada, page, "google", "ada")
    assert page.heading == "Use another account?"
    page = ada.answer(page, "switch")
    assert page.heading == "Connect GitHub to your account?"
    ada.answer(page, "connect")
    assert ada.providers() == ["github", "google"]
    assert ada.me()["email"] == "ada@gmail.com"


def test_a_recently_signed_in_owner_confirms_without_another_sign_in(ada):
    ada.sign_in("google", "ada")
    page = ada.sign_in("github", "ada")
    assert page.heading == "Connect GitHub to your account?"
    ada.answer(page, "connect")
    assert ada.providers() == ["github", "google"]


def test_an_identity_that_was_linked_meanwhile_is_not_connected_twice(ada, other, site):
    page = prove(ada, ada.sign_in("github", "ada"), "google", "ada")
    other.sign_in("google", "ada")
    other.link("github", "ada")
    ada.answer(page, "connect")
    assert site.rows("SELECT count(*) FROM oauth WHERE provider = 'github'")[0][0] == 1
    assert ada.providers() == ["github", "google"]


def test_a_connection_is_made_once(ada):
    """Otherwise an answer that is sent again brings back what was removed meanwhile."""
    page = prove(ada, ada.sign_in("github", "ada"), "google", "ada")
    ada.answer(page, "connect")
    ada.unlink(ada.identity("github"))
    assert ada.answer(page, "connect").alert == "That sign-in took too long"
    assert ada.providers() == ["google"]


# An address that was never verified.


def test_a_planted_account_cannot_lock_the_owner_of_the_address_out(browser, other, site):
    """Account pre-hijacking: Mallory registers Ada's address, unverified, before Ada comes."""
    other.sign_in("github", "mallory")
    page = browser.sign_in("google", "ada")
    assert page.heading == "You already have an account"
    assert "Create a separate account" in page.buttons
    browser.answer(page, "create")
    assert browser.providers() == ["google"]
    assert browser.user_id != other.user_id
    assert other.providers() == ["github"]


def test_an_account_without_a_usable_identity_does_not_block_its_address(make_site):
    """Its only provider was removed, so its owner could never verify ownership again."""
    site = make_site()
    browser = site.browser()
    browser.sign_in("google", "ada")
    browser.sign_out()
    site.restart(GOOGLE_CLIENT_ID="", GOOGLE_CLIENT_SECRET="")
    page = browser.sign_in("github", "ada")
    assert "signs in with something this site no longer offers" in page.text
    browser.answer(page, "create")
    assert browser.providers() == ["github"]


def test_a_verified_address_gets_no_second_account(ada):
    page = ada.sign_in("github", "ada")
    assert "Create a separate account" not in page.buttons
    form = {"flow": page.hidden("flow"), "answer": "create"}
    ada.post("/login/confirm", page, **form)
    assert ada.me() is None


# ACCOUNT_LINKING=auto and =separate.


def test_auto_linking_joins_when_both_sides_are_verified_and_trusted(make_site):
    site = make_site(ACCOUNT_LINKING="auto")
    browser, other = site.browser(), site.browser()
    browser.sign_in("google", "ada")
    assert other.sign_in("github", "ada").path == "/account"
    assert other.user_id == browser.user_id
    assert "Connected GitHub, its verified email is the same" in other.get("/account/activity").text


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("github", "mallory"), ("google", "ada")),  # the account's own address was never verified
        (("github", "linus"), ("google", "linus")),  # Google does not host that domain
        (("google", "linus"), ("github", "linus")),
    ],
)
def test_auto_linking_asks_when_either_side_is_not_trusted(make_site, first, second):
    """In allauth 64.2.1 the attacker kept access; here ownership is verified first."""
    site = make_site(ACCOUNT_LINKING="auto")
    site.browser().sign_in(*first)
    page = site.browser().sign_in(*second)
    assert page.path == "/login/confirm"
    assert site.rows("SELECT count(*) FROM oauth")[0][0] == 1


def test_separate_linking_creates_a_new_account_without_a_question(make_site):
    site = make_site(ACCOUNT_LINKING="separate")
    browser, other = site.browser(), site.browser()
    browser.sign_in("google", "ada")
    assert other.sign_in("github", "ada").path == "/account"
    assert other.user_id != browser.user_id


# Merge.


@pytest.fixture
def two_accounts(site) -> tuple[Browser, Browser]:
    """Linus, who accidentally has two accounts, each signed in in a browser."""
    first, second = site.browser(), site.browser()
    first.sign_in("google", "linus")
    second.answer(second.sign_in("facebook", "linus"), "create")
    assert first.user_id != second.user_id
    return first, second


def test_linking_an_identity_of_another_account_offers_a_merge(two_accounts, site):
    first, _second = two_accounts
    page = first.link("facebook", "linus")
    assert page.heading == "Merge two accounts?"
    assert "Facebook · linus@chemistry.example" in page.text
    assert site.user_count() == 2

    page = first.answer(page, "merge")
    assert page.message == "Accounts merged."
    assert first.providers() == ["facebook", "google"]
    assert site.user_count() == 1
    text = first.get("/account/activity").text
    assert "Merged another account into this one" in text
    assert "Account created with Facebook" in text


def test_the_merge_question_says_what_stays_and_nothing_is_taken_over(two_accounts, site):
    first, second = two_accounts
    second.post("/account/profile", name="The Other", picture=second.identity("facebook"))
    site.execute("UPDATE users SET name = NULL, picture = NULL WHERE id = :id", id=first.user_id)
    before = first.me()
    assert before
    page = first.link("facebook", "linus")
    assert "Your name here: none" in page.text
    assert "Your picture here: none" in page.text
    assert f"Your address here: {before['email']}" in page.text
    assert "The other account's name and picture are not taken over." in page.text
    first.answer(page, "merge")
    after = first.me()
    assert after
    told = ("name", "picture", "email")
    assert [after[name] for name in told] == [before[name] for name in told]
    assert before["name"] is None


def test_the_merge_question_says_what_the_address_becomes(two_accounts, site):
    first, _second = two_accounts
    site.execute(
        "UPDATE oauth SET email = NULL, email_key = NULL, email_verified = false"
        " WHERE user_id = :id",
        id=first.user_id,
    )
    page = first.link("facebook", "linus")
    assert "Your address becomes linus@chemistry.example" in page.text
    first.answer(page, "merge")
    me = first.me()
    assert me
    assert me["email"] == "linus@chemistry.example"


def test_a_merge_signs_the_other_accounts_devices_out_as_the_question_said(two_accounts):
    first, second = two_accounts
    page = first.link("facebook", "linus")
    assert "1 device signed in to it will be signed out." in page.text
    first.answer(page, "merge")
    assert second.me() is None
    told = "You were signed out here: this account was merged into another one of yours."
    assert told in second.get("/account").text


def test_keeping_accounts_separate_changes_nothing(two_accounts, site):
    first, second = two_accounts
    page = first.link("facebook", "linus")
    first.answer(page, "keep")
    assert first.providers() == ["google"]
    assert second.providers() == ["facebook"]
    first.answer(page, "merge")
    assert site.user_count() == 2


def test_a_merge_needs_a_recent_reauthentication_of_this_account_too(two_accounts, site):
    first, _second = two_accounts
    page = first.link("facebook", "linus")
    site.execute("UPDATE sessions SET authenticated_at = '2026-01-01 00:00:00.000000'")
    page = first.answer(page, "merge")
    assert page.heading == "Confirm it's you"
    assert "You're about to merge two accounts." in page.text
    assert site.user_count() == 2
    page = first.reauth(page, "linus")
    assert page.heading == "Merge two accounts?"
    first.answer(page, "merge")
    assert site.user_count() == 1


def test_a_merge_cannot_be_answered_from_another_session(two_accounts, site):
    first, second = two_accounts
    page = first.link("facebook", "linus")
    second.http.cookies.update(
        {c.name: c.value for c in first.http.cookies if c.name.startswith("flow_")}
    )
    page = second.post("/login/confirm", flow=page.hidden("flow"), answer="merge")
    assert page.alert == "We couldn't match that sign-in"
    assert site.user_count() == 2


def test_a_merge_is_done_once(two_accounts):
    first, _second = two_accounts
    page = first.link("facebook", "linus")
    first.answer(page, "merge")
    assert first.answer(page, "merge").alert == "That sign-in took too long"
    assert first.providers() == ["facebook", "google"]


def test_a_disabled_account_is_not_merged(two_accounts, site):
    first, second = two_accounts
    site.execute("UPDATE users SET disabled_at = '2026-01-01' WHERE id = :id", id=second.user_id)
    page = first.link("facebook", "linus")
    assert page.alert == "This account is disabled"
    assert site.user_count() == 2


@pytest.mark.parametrize("flow", ["", "x", "f" * 32, "../../etc", "é" * 32])
def test_an_unknown_pending_question_is_reported_as_expired(browser, flow):
    page = browser.get(f"/login/confirm?flow={flow}")
    assert (page.status, page.alert) == (400, "That sign-in took too long")
    assert "Continue with Google" in page.buttons


def test_an_unknown_answer_is_refused(ada, site):
    page = ada.sign_in("github", "ada")
    assert ada.answer(page, "merge").alert == "That page was out of date"
    assert site.rows("SELECT count(*) FROM oauth")[0][0] == 1
