"""Apple: a generated client secret, a response by POST, a name that is sent once."""

import json
import re
import time
from typing import Any

import pytest
import requests
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwk, jwt

import config
from config.registrations import Registration
from errors import SettingsError
from providers import PROVIDERS
from providers.apple import make_secret, read_form_user
from simulator.apple import KEY_ID, TEAM_ID, key_file, registered_key
from tests.browser import Browser, query_of
from tests.site import Site, Sites

CALLBACK = "/login/apple/authorized"


@pytest.fixture
def site(make_site: Sites) -> Site:
    return make_site(look_alikes=("apple", "google"))


def pem(key: Any) -> str:
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def name_of(browser: Browser) -> Any:
    me = browser.me()
    assert me
    return me["name"]


# Request and callback.


def test_the_authorization_request_to_apple_asks_for_form_post(browser):
    """Spaces as %20, form_post because name and address are requested, no code challenge."""
    url = browser.begin("apple")
    assert "+" not in url
    assert "scope=openid%20email%20name" in url
    query = query_of(url)
    assert query["response_mode"] == "form_post"
    assert query["nonce"]
    assert "code_challenge" not in query


def test_apples_post_arrives_without_cookies_and_is_redirected_to_a_get(browser, site):
    """SameSite=Lax: a browser sends no cookie with a POST from another site."""
    callback = browser.choose(browser.begin("apple"), "ada")
    assert callback.startswith(f"{site.url}{CALLBACK}?state=")
    page = browser.get(callback)
    assert (page.status, page.path) == (200, "/account")
    assert browser.me()["email"] == "ada@gmail.com"


def test_apples_post_alone_changes_nothing(browser, site):
    browser.begin("apple")
    form = {"state": "made-up", "code": "x", "user": "{}", "id_token": "secret", "next": "//evil"}
    answer = requests.post(site.url + CALLBACK, data=form, allow_redirects=False, timeout=5)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{CALLBACK}?")
    assert "secret" not in answer.headers["Location"]
    assert "evil" not in answer.headers["Location"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in answer.headers
    assert site.rows("SELECT count(*) FROM flows")[0][0] == 1
    assert site.simulator.apple.seen.count("token") == 0


@pytest.mark.parametrize("name", ["state", "code", "error", "iss"])
def test_a_doubled_field_in_apples_post_is_refused(browser, site, name):
    page = browser.fetch(CALLBACK, "POST", data=[("state", "x"), (name, "1"), (name, "2")])
    assert page.status == 400
    assert page.alert == "We couldn't match that sign-in"


def test_oversized_fields_in_apples_post_are_dropped(browser, site):
    page = browser.fetch(CALLBACK, "POST", data={"state": "x", "code": "c" * 5000})
    assert page.status == 303
    assert "code" not in query_of(page.location)
    assert browser.fetch(CALLBACK, "POST", data={"state": "x" * 70_000}).status == 413


def test_cancelling_at_apple_says_so(browser, site):
    """By POST too, and with Apple's own error code."""
    page = browser.cancel("apple")
    assert page.status == 403
    assert page.alert == "Sign-in wasn't completed"
    assert "You closed or declined the Apple screen." in page.text
    assert site.user_count() == 0
    assert browser.sign_in("apple", "ada").path == "/account"


def test_apples_response_to_another_browser_signs_nobody_in(browser, other):
    """Login CSRF by POST: the GET that follows needs the flow's cookie."""
    callback = other.choose(other.begin("apple"), "mallory")
    browser.begin("apple")
    page = browser.get(callback)
    assert page.status == 400
    assert browser.me() is None


@pytest.mark.parametrize("path", ["/login/google/authorized", "/login/apple"])
def test_only_apples_callback_accepts_a_post(browser, path):
    assert browser.fetch(path, "POST", data={"state": "x"}).status == 405


# The name.


def test_the_name_that_apple_sends_once_is_stored(browser, site):
    browser.sign_in("apple", "ada")
    assert name_of(browser) == "Ada Lovelace"
    browser.sign_out()
    callback = browser.choose(browser.begin("apple"), "ada")
    assert "user" not in query_of(callback)
    assert browser.get(callback).path == "/account"
    assert name_of(browser) == "Ada Lovelace"
    (row,) = site.rows("SELECT profile FROM oauth")
    assert json.loads(row.profile)["name"] == "Ada Lovelace"


def test_apples_name_survives_a_pending_question(browser, other):
    """It arrives before the user verifies ownership of the older account, and not again after."""
    other.sign_in("google", "ada")
    page = browser.sign_in("apple", "ada")
    assert page.heading == "You already have an account"
    page = browser.get(browser.choose(browser.begin("google"), "ada"))
    assert browser.providers() == ["google"]
    browser.link("apple", "ada")
    assert browser.providers() == ["apple", "google"]


def test_apples_name_is_sealed_and_bound_to_its_flow(browser, other, site):
    theirs = query_of(other.choose(other.begin("apple"), "mallory"))
    callback = browser.choose(browser.begin("apple"), "ada")
    mine = query_of(callback)
    assert "Lovelace" not in callback
    page = browser.get(callback.replace(mine["user"], theirs["user"]))
    assert page.path == "/account"
    assert name_of(browser) is None
    (row,) = site.rows("SELECT profile FROM oauth")
    assert "Mallory" not in str(row.profile)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"name": {"firstName": "Ines", "lastName": "Moreau"}}', "Ines Moreau"),
        ('{"name": {"firstName": "Ines"}, "email": "x@y.example", "sub": "1"}', "Ines"),
        ('{"name": {"firstName": " Ines\\n", "lastName": ["x"]}}', "Ines"),
        ('{"name": {"firstName": "\\u202eInes", "lastName": null}}', "Ines"),
        *((text, "") for text in ('{"name": "Ines"}', '{"name": []}', "{}", "[]", "null", "5")),
    ],
)
def test_only_a_name_is_read_from_apples_form(text, name):
    assert read_form_user(text) == {"name": name}


@pytest.mark.parametrize("text", ["", "broken", "{", "[" * 100_000, "\ud800", "\0"])
def test_a_malformed_apple_form_has_no_name(text):
    assert read_form_user(text) == {}


@pytest.mark.parametrize("user", ["", "broken", "[]", '{"name": 5}', '{"name": {"firstName": {}}}'])
def test_an_odd_apple_form_does_not_fail_the_sign_in(browser, site, monkeypatch, user):
    monkeypatch.setattr(site.simulator.apple, "user_field", lambda _code: user)
    assert browser.sign_in("apple", "ada").path == "/account"
    assert browser.me()["email"] == "ada@gmail.com"
    assert name_of(browser) is None


def test_an_address_in_apples_form_is_never_used(browser, site, monkeypatch):
    """The form is not signed, so its sender could name the victim's address."""
    form = {"name": {"firstName": "Eve"}, "email": "victim@example.org", "sub": "1"}
    monkeypatch.setattr(site.simulator.apple, "user_field", lambda _code: json.dumps(form))
    browser.sign_in("apple", "ada")
    assert name_of(browser) == "Eve"
    assert browser.me()["email"] == "ada@gmail.com"


# Addresses.


def test_an_apple_relay_address_is_verified(browser, site):
    browser.sign_in("apple", "noa")
    (row,) = site.rows("SELECT email, email_verified, email_trusted FROM oauth")
    assert row.email.endswith("@privaterelay.appleid.com")
    assert (row.email_verified, row.email_trusted) == (1, 1)


def test_apples_text_false_is_false(browser, site):
    browser.sign_in("apple", "uma")
    (row,) = site.rows("SELECT email_verified FROM oauth")
    assert row.email_verified == 0


# The client secret.


def test_apples_client_secret_is_a_jwt_of_an_hour_that_is_reused(site):
    blueprint = site.app.extensions["quickstep"].connectors["apple"]
    secret = blueprint.client_secret
    key = jwk.ECKey.import_key(registered_key().public_key())
    token = jwt.decode(secret, key, algorithms=["ES256"])
    assert (token.header["alg"], token.header["kid"]) == ("ES256", KEY_ID)
    now = time.time()
    assert token.claims["iss"] == TEAM_ID
    assert token.claims["sub"] == "look-alike-apple-client"
    assert token.claims["aud"] == "https://appleid.apple.com"
    assert now - 5 <= token.claims["iat"] <= now
    assert token.claims["exp"] - token.claims["iat"] == 3600
    assert blueprint.client_secret == secret
    with time_machine.travel(now + 3001, tick=False):
        assert blueprint.client_secret != secret


def test_an_expired_apple_client_secret_is_made_again(browser, site):
    assert browser.sign_in("apple", "ada").path == "/account"
    with time_machine.travel(time.time() + 3 * 86400, tick=True):
        assert site.browser().sign_in("apple", "ada").path == "/account"


@pytest.mark.parametrize(
    "change",
    [
        {"APPLE_TEAM_ID": "OTHERTEAM1"},
        {"APPLE_KEY_ID": "OTHERKEY01"},
        {"APPLE_PRIVATE_KEY": pem(ec.generate_private_key(ec.SECP256R1()))},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_unknown_apple_client_secret_is_reported_as_misconfigured(make_site, change):
    site = make_site(look_alikes=("apple",), **change)
    page = site.browser().sign_in("apple", "ada")
    assert page.status == 502
    assert page.alert == "Apple sign-in isn't working on this site"


def test_the_fake_apple_checks_the_client_secret(site):
    """Without this, the tests above would show little."""
    apple, now = site.simulator.apple, int(time.time())
    good = {"iss": TEAM_ID, "sub": apple.client.client_id, "aud": apple.audience}
    good |= {"iat": now, "exp": now + 60}
    key = jwk.ECKey.import_key(registered_key())

    def secret(kid: str = KEY_ID, **changes: Any) -> str:
        claims = {name: value for name, value in {**good, **changes}.items() if value}
        return jwt.encode({"alg": "ES256", "kid": kid}, claims, key)

    assert apple.is_secret(secret())
    assert not apple.is_secret(secret(kid="other"))
    for changes in ({"iss": "x"}, {"sub": "x"}, {"aud": "x"}, {"exp": now - 1}, {"exp": None}):
        assert not apple.is_secret(secret(**changes))
    assert not apple.is_secret(secret(exp=now + 16_000_000))
    assert not apple.is_secret("not a jwt")
    apple.strict = True
    browser = site.browser()
    answer = requests.get(browser.begin("apple"), timeout=5)
    assert answer.status_code == 400
    assert "Invalid web redirect url" in answer.text


# The settings.

CLIENT = {"APPLE_CLIENT_ID": "com.example.web", "APPLE_TEAM_ID": "T", "APPLE_KEY_ID": "K"}


def load(**variables: str) -> Registration:
    return config.load(PROVIDERS.values(), variables, None).registrations["apple"]


def test_apples_key_may_be_a_file_or_one_line(tmp_path):
    file = tmp_path / "AuthKey_K.p8"
    file.write_text(key_file())
    one_line = key_file().strip().replace("\n", "\\n")
    for given in (
        {"APPLE_PRIVATE_KEY_FILE": str(file)},
        {"APPLE_PRIVATE_KEY": key_file()},
        {"APPLE_PRIVATE_KEY": one_line},
    ):
        client = load(**CLIENT, **given)
        assert make_secret(client, 0).count(".") == 2
        assert "BEGIN" not in repr(client)


@pytest.mark.parametrize(
    "key",
    [
        "not a key",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        re.sub(r"-----.*?-----", "", key_file()),
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(rsa.generate_private_key(65537, 2048)),
    ],
    ids=["text", "broken", "without its lines", "P-384", "RSA"],
)
def test_an_unusable_apple_key_is_reported_at_start_and_never_shown(key):
    with pytest.raises(SettingsError) as caught:
        load(**CLIENT, APPLE_PRIVATE_KEY=key)
    (fault,) = caught.value.faults
    assert fault.startswith("APPLE_PRIVATE_KEY: must be the P-256 key of the .p8 file")
    assert key.strip()[:20] not in fault


def test_all_missing_apple_settings_are_named_together():
    with pytest.raises(SettingsError) as caught:
        load(APPLE_CLIENT_ID="com.example.web")
    named = {fault.partition(":")[0] for fault in caught.value.faults}
    assert named == {"APPLE_TEAM_ID", "APPLE_KEY_ID", "APPLE_PRIVATE_KEY"}
