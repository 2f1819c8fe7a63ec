"""Somebody who wants a code, a token or an account of others, and what they get."""

import pytest
import requests

from issuer import id_tokens, logouts
from storage import now
from tests.browser import Browser
from tests.commands.console import answer as command
from tests.issuer.relying_party import CALLBACK, App, allow, query_of
from tests.issuer.test_resources import Key, exchange_with, refresh_with
from tests.site import Site

API = "https://api.example/"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def logged_in(site: Site, person: str = "grace") -> Browser:
    browser = site.browser()
    browser.sign_in("google", person)
    return browser


# Redirect URIs.


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:8\u0663/cb",
        "http://127.0.0.1:\uff18\uff10/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1:80\\@evil.example/cb",
        "http://localhost:80/cb\n",
        "http://[::1]/cb",
    ],
)
def test_only_the_port_of_a_loopback_address_may_differ(grace, site, uri):
    """Digits of other scripts are none: what a browser makes of them is its own affair."""
    app = App(site, "CLI", "--public", "--redirect-uri", "http://127.0.0.1/cb")
    page = app.ask(grace, redirect_uri=uri)
    assert (page.status, page.location) == (400, "")


def test_an_error_goes_to_the_registered_address_only(app, grace):
    for uri in ("https://evil.example/", f"{CALLBACK}@evil.example", f"{CALLBACK}#x", "//evil"):
        for more in ({"response_type": None}, {"prompt": "none"}, {"response_mode": "form_post"}):
            page = app.ask(grace, redirect_uri=uri, **more)
            assert (page.status, page.location, page.actions()[:1]) != (200, uri, [uri])
            assert page.status == 400


def test_a_form_post_answer_runs_nothing_that_a_client_sent(app, grace):
    app.sign_in(grace)
    for state in (
        '"><script>alert(1)</script>',
        "{{7*7}}",
        "' onload='x",
        "</textarea><img src=x>",
    ):
        page = app.ask(grace, response_mode="form_post", state=state)
        assert "<script>alert" not in page.html
        assert "<img src=x" not in page.html
        assert "49" not in page.hidden("state")
        assert page.actions() == [CALLBACK]


# PKCE and codes.


def test_pkce_cannot_be_left_out_at_the_token_endpoint(both):
    app, browser = App(both), logged_in(both)
    for verifier in (None, "", app.verifier[:-1], app.verifier + "x"):
        code = app.sign_in(browser)["code"]
        assert app.exchange(code, code_verifier=verifier).error == "invalid_grant"


def test_a_challenge_cannot_be_its_own_verifier(app, grace):
    """plain, however it is named."""
    challenge = app.authorization()["code_challenge"]
    for method in ("plain", "", None, "s256", "S256 plain"):
        assert "error" in query_of(app.ask(grace, code_challenge_method=method).location)
    code = app.sign_in(grace)["code"]
    assert app.exchange(code, code_verifier=challenge).error == "invalid_grant"


def test_a_code_of_a_public_client_is_none_for_another(grace, site):
    phone = App(site, "Phone", "--public", "--redirect-uri", CALLBACK)
    thief = App(site, "Thief", "--public", "--redirect-uri", CALLBACK)
    code = phone.sign_in(grace)["code"]
    assert thief.exchange(code, code_verifier=phone.verifier).error == "invalid_grant"
    assert phone.exchange(code).status == 200


# Consent.


def test_consent_for_one_client_is_none_for_another(app, grace, site):
    page = app.ask(grace)
    thief = App(site, "Thief")
    there = thief.ask(grace)
    data = {"csrf_token": page.csrf_token, "answer": "allow"}
    answer = grace.fetch(page.path, "POST", data={**data, "client_id": thief.client_id})
    assert answer.location.startswith(CALLBACK)
    assert thief.exchange(query_of(answer.location)["code"]).error == "invalid_grant"
    assert "error=consent_required" in thief.ask(grace, prompt="none").location
    assert allow(grace, there, "frog").location.startswith(f"{CALLBACK}?error=access_denied")


def test_an_answer_from_another_session_of_the_same_browser_is_asked_again(app, grace, site):
    """The CSRF token of a session that has ended does not count."""
    page = app.ask(grace)
    grace.sign_out()
    grace.sign_in("google", "grace")
    answer = allow(grace, page)
    assert "code" not in query_of(answer.location)


def test_consent_for_one_api_is_none_for_another(grace, site):
    """The scopes of both have the same name."""
    other = "https://payroll.example/"
    for resource in (API, other):
        command(site, "resources", "add", resource, "--scope", "read")
    app = App(site, "Notes", "--resource", API, "--resource", other)
    app.sign_in(grace, resource=API, scope="openid read")
    assert "code" in query_of(app.ask(grace, resource=API, scope="openid read").location)
    asked = app.ask(grace, resource=other, scope="openid read", prompt="none")
    assert query_of(asked.location)["error"] == "consent_required"
    app.sign_in(grace, resource=other, scope="openid read")
    for resource in (API, other):
        got = app.ask(grace, resource=resource, scope="openid read", prompt="none")
        assert "code" in query_of(got.location)


@pytest.mark.parametrize("prompt", ["none consent", "none none login", "login frog", "NONE"])
def test_mixed_prompts_give_no_code(app, grace, prompt):
    app.sign_in(grace)
    got = query_of(app.ask(grace, prompt=prompt).location)
    assert got["error"] == "invalid_request"


def test_prompt_login_and_consent_ask_both(app, grace):
    app.sign_in(grace)
    page = app.ask(grace, prompt="login consent")
    assert page.path == "/account/reauth"
    consent = grace.reauth(page, "grace")
    assert consent.path.startswith("/oauth2/continue/")
    assert "code" in query_of(allow(grace, consent).location)


# Tokens that are meant for something else.


@pytest.fixture
def confused(site: Site, grace: Browser) -> tuple[App, dict[str, str]]:
    """A client, and tokens of each kind that one person has there."""
    site.app.extensions["jobs"].stop()
    command(site, "resources", "add", API, "--scope", "files")
    app = App(site, "Notes", "--resource", API, "--backchannel-logout-uri", "https://n.example/o")
    plain = app.tokens(grace)
    of_api = app.tokens(grace, resource=API, scope="openid files")
    logout = logouts.Logout("0" * 32, None, grace.user_id or "", now(), 0, app.client)
    return app, {
        "id": plain.document["id_token"],
        "access": plain.access,
        "refresh": plain.refresh,
        "at+jwt": of_api.access,
        "logout+jwt": site.inside(id_tokens.make_logout_token, site.url, logout),
    }


@pytest.mark.parametrize("kind", ["at+jwt", "logout+jwt", "access", "refresh"])
def test_no_other_token_is_an_id_token_hint(confused, grace, kind):
    app, tokens = confused
    got = query_of(app.ask(grace, prompt="none", id_token_hint=tokens[kind]).location)
    assert got["error"] == "invalid_request"
    page = grace.get("/oauth2/logout", params={"id_token_hint": tokens[kind]})
    assert page.status == 400
    assert grace.me() is not None


@pytest.mark.parametrize("kind", ["at+jwt", "logout+jwt", "id", "refresh"])
def test_no_other_token_opens_userinfo_or_the_api(confused, site, kind):
    app, tokens = confused
    assert app.userinfo(tokens[kind]).status_code == 401
    headers = {"Authorization": f"Bearer {tokens[kind]}"}
    assert requests.get(f"{site.url}/api/v1/me", headers=headers, timeout=60).status_code == 401


@pytest.mark.parametrize("kind", ["at+jwt", "logout+jwt", "id", "access"])
def test_no_other_token_is_a_refresh_token_or_a_code(confused, kind):
    app, tokens = confused
    assert app.refresh(tokens[kind]).error == "invalid_grant"
    assert app.exchange(tokens[kind]).error == "invalid_grant"


def test_another_client_learns_nothing_and_ends_nothing(confused, site):
    app, tokens = confused
    thief = App(site, "Thief")
    for token in tokens.values():
        assert thief.introspect(token) == {"active": False}
        assert thief.post("revoke", {"token": token}).status_code == 200
    assert app.is_active(tokens["access"])
    assert app.is_active(tokens["refresh"])
    assert app.is_active(tokens["at+jwt"])
    phone = App(site, "Phone", "--public")
    assert phone.post("introspect", {"token": tokens["access"]}).status_code == 401


# Proofs of possession.


@pytest.mark.parametrize("iat", [10**400, -(10**400)], ids=["huge", "tiny"])
def test_a_proof_of_an_unthinkable_time_is_refused(grace, site, iat):
    phone = App(site, "Phone", "--public", "--redirect-uri", CALLBACK)
    proof = Key().proof("POST", f"{site.url}/oauth2/token", iat=iat)
    refused = exchange_with(phone, "x", proof)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")


def test_a_device_with_a_key_has_refresh_tokens_that_need_it(grace, site):
    """RFC 9449 5: those of a public client are bound, also where there was no code."""
    tv = App(site, "TV", "--public", "--grant", "device", "--grant", "refresh_token")
    begun = tv.post("device_authorization", {"scope": "openid"}).json()
    page = grace.get("/oauth2/device")
    form = {"csrf_token": page.csrf_token, "user_code": begun["user_code"], "answer": "allow"}
    grace.fetch("/oauth2/device", "POST", data=form)
    key, url = Key(), f"{site.url}/oauth2/token"
    form = {"grant_type": GRANT, "device_code": begun["device_code"]}
    tokens = exchange_with(tv, "", key.proof("POST", url), **form).json()
    assert tokens["token_type"] == "DPoP"
    stolen = tokens["refresh_token"]
    assert refresh_with(tv, stolen, None).json()["error"] == "invalid_grant"
    assert refresh_with(tv, stolen, Key().proof("POST", url)).json()["error"] == "invalid_grant"
    assert refresh_with(tv, stolen, key.proof("POST", url)).status_code == 200
