"""Provider tokens: where and how they are stored, and who gets them."""

import pytest

from models import OAuth
from storage import db, now
from tests.site import SECRET_KEY, USUAL
from vault import tokens


def identity_ids(site, provider: str) -> list[str]:
    rows = site.rows(
        "SELECT id FROM oauth WHERE provider = :provider ORDER BY linked_at", provider=provider
    )
    return [row[0] for row in rows]


def store_of(site, user_id: str | None) -> tokens.IdentityTokens:
    return tokens.IdentityTokens(lambda: user_id)


@pytest.fixture
def grace(browser):
    browser.sign_in("google", "grace")
    return browser


@pytest.mark.parametrize("provider", USUAL)
def test_a_provider_token_is_stored_sealed(browser, site, provider):
    browser.sign_in(provider, "grace")
    (access_token,) = getattr(site.simulator, provider).tokens
    ((envelope, expires_at, scopes),) = site.rows(
        "SELECT token, token_expires_at, scopes FROM oauth"
    )
    assert access_token not in envelope
    store = store_of(site, browser.user_id)
    assert site.inside(store.get, provider)["access_token"] == access_token
    assert (expires_at is None) is (provider == "github")
    assert "email" in scopes


def test_scopes_are_stored_as_they_were_requested(browser, site):
    """Google answers with URLs in another order, GitHub with commas."""
    browser.sign_in("google", "grace")
    browser.link("github", "grace")
    assert [row[0] for row in site.rows("SELECT scopes FROM oauth ORDER BY provider")] == [
        "read:user user:email",
        "email openid profile",
    ]


def test_the_id_token_is_not_stored(grace, site):
    assert "id_token" not in site.inside(store_of(site, grace.user_id).get, "google")


def test_without_a_user_the_token_store_reads_and_writes_nothing(grace, site):
    """Stock storage: an anonymous get raises, an anonymous set deletes everybody's tokens."""
    store = store_of(site, None)
    assert site.inside(store.get, "google") is None
    with pytest.raises(LookupError):
        site.inside(store.set, "google", {"access_token": "evil"})
    with pytest.raises(LookupError):
        site.inside(store.delete, "google")
    assert site.inside(store_of(site, grace.user_id).get, "google")


def test_the_token_store_gives_a_user_their_own_tokens_only(grace, other, site):
    other.sign_in("google", "linus")
    mine = site.inside(store_of(site, grace.user_id).get, "google")
    theirs = site.inside(store_of(site, other.user_id).get, "google")
    assert mine["access_token"] != theirs["access_token"]
    site.inside(store_of(site, grace.user_id).delete, "google")
    assert site.inside(store_of(site, grace.user_id).get, "google") is None
    assert site.inside(store_of(site, other.user_id).get, "google") == theirs


def test_a_new_token_changes_its_row_in_place(grace, other, site):
    """Stock storage deletes the row with its owner, so the next login creates a second user."""
    before = site.rows("SELECT id, user_id, subject, linked_at FROM oauth")
    store = store_of(site, grace.user_id)
    site.inside(store.set, "google", {"access_token": "refreshed", "expires_in": 60})
    assert site.rows("SELECT id, user_id, subject, linked_at FROM oauth") == before
    assert site.inside(store.get, "google")["access_token"] == "refreshed"
    other.sign_in("google", "grace")
    assert other.user_id == grace.user_id


def test_with_two_identities_of_one_provider_the_identity_must_be_named(grace, site):
    """Stock storage: MultipleResultsFound."""
    grace.link("google", "linus")
    store = store_of(site, grace.user_id)
    with pytest.raises(LookupError, match="which"):
        site.inside(store.get, "google")
    found = []
    for identity_id in identity_ids(site, "google"):
        with tokens.using(identity_id):
            found.append(site.inside(store.get, "google")["access_token"])
    assert len(set(found)) == 2


def test_naming_another_users_identity_gives_no_token(grace, other, site):
    other.sign_in("google", "linus")
    (_mine, theirs) = identity_ids(site, "google")
    with tokens.using(theirs):
        assert site.inside(store_of(site, grace.user_id).get, "google") is None


def test_a_token_moved_to_another_row_does_not_open(grace, other, site):
    other.sign_in("google", "linus")
    mine, theirs = identity_ids(site, "google")
    site.execute(
        "UPDATE oauth SET token = (SELECT token FROM oauth WHERE id = :a) WHERE id = :b",
        a=mine,
        b=theirs,
    )
    assert site.inside(store_of(site, other.user_id).get, "google") is None


def test_keys_rotate_without_losing_a_token(make_site):
    site = make_site()
    browser = site.browser()
    browser.sign_in("google", "grace")
    site.restart(SECRET_KEY="a new key that is also long enough", SECRET_KEY_FALLBACKS=SECRET_KEY)
    assert browser.me()
    assert site.inside(store_of(site, browser.user_id).get, "google")
    site.restart(TOKEN_ENCRYPTION_KEYS="one more")
    assert site.inside(store_of(site, browser.user_id).get, "google")


def test_a_lost_key_loses_the_token_and_no_sign_in(make_site):
    site = make_site()
    browser = site.browser()
    browser.sign_in("google", "grace")
    user_id = browser.user_id
    site.restart(SECRET_KEY="quite another key that is long enough")
    assert site.inside(store_of(site, user_id).get, "google") is None
    assert browser.sign_in("google", "grace").path == "/account"
    assert browser.user_id == user_id
    assert site.inside(store_of(site, user_id).get, "google")


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (3600, 3600),
        ("3600", 3600),
        (60.0, 60),
        (1.5, 1.5),
        ("1.5", 1.5),
        (" 90 ", 90),
        (1e9, 10**9),
        *((each, 0) for each in (0, -5, "-5", -0.5, "0", "-1.5", -(10**9))),
    ],
)
def test_a_token_expires_when_the_provider_says(expires_in, seconds):
    expires_at = tokens.expiry({"expires_in": expires_in})
    assert expires_at
    left = expires_at - now()
    assert seconds - 5 < left.total_seconds() <= seconds


@pytest.mark.parametrize(
    "expires_in",
    [
        *("soon", True, [1], {"a": 1}, 10**30, -(10**30), "9" * 5000, "inf", "nan", "1_0", "0x10"),
        *(float("inf"), float("nan"), 10**5000),
    ],
    ids=lambda value: ascii(value)[:10] if not isinstance(value, int) else "number",
)
def test_a_lifetime_that_cannot_be_read_is_not_endless(expires_in):
    expires_at = tokens.expiry({"expires_in": expires_in})
    assert expires_at
    left = expires_at - now()
    assert 0 < left.total_seconds() <= 3600


def test_a_token_without_a_lifetime_is_used_until_it_is_refused():
    """GitHub's."""
    assert tokens.expiry({"access_token": "x"}) is None


def test_the_blueprints_session_calls_the_api_as_the_signed_in_user(grace, site):
    """An application built on this server uses the stored token like this."""
    grace.link("github", "grace")
    blueprint = site.app.blueprints["github"]
    session_cookie = f"session={grace.cookie('session')}"
    with site.app.test_request_context("/", headers={"Cookie": session_cookie}):
        assert blueprint.session.authorized
        assert blueprint.session.get("user").json()["login"] == "grace"
        with pytest.raises(ValueError, match="not github's API"):
            blueprint.session.get("https://evil.example/user")
    with site.app.test_request_context("/"):
        assert not blueprint.session.authorized


def test_a_rows_repr_shows_no_token(grace, site):
    def described() -> str:
        return repr(db.session.query(OAuth).one())

    assert "1." not in site.inside(described)
