"""The modules of the OpenID Foundation's plans for configuration and sign-out, each by its name in
a docstring: Config OP, RP-Initiated Logout OP, Back-Channel Logout OP."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from werkzeug import Request, Response
from werkzeug.serving import make_server

from providers.http.transport import Transport
from simulator.server import Quiet
from tests.browser import Browser, Page
from tests.issuer.relying_party import App
from tests.issuer.test_logouts import deliver
from tests.site import Site
from views.oidc.wiring import sender

AFTER = "https://notes.example/bye"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


def configuration(site: Site) -> dict[str, Any]:
    answer = requests.get(f"{site.url}/.well-known/openid-configuration", timeout=60)
    assert answer.headers["Content-Type"].startswith("application/json")
    return dict(answer.json())


@pytest.fixture
def app(site: Site) -> App:
    return App(site, "Notes", "--post-logout-redirect-uri", AFTER)


def end_session(browser: Browser, **parameters: str) -> Page:
    return browser.get("/oauth2/logout", params=parameters)


def is_asked(page: Page) -> bool:
    return page.heading == "Sign out of Quickstep?" and page.location == ""


def is_refused(page: Page) -> bool:
    return (page.status, page.location) == (400, "")


# Config OP.


def test_the_configuration_names_every_endpoint_and_what_it_can(site):
    """oidcc-discovery-endpoint-verification"""
    document = configuration(site)
    assert document["issuer"] == site.url
    endpoints = {name: value for name, value in document.items() if name.endswith("endpoint")}
    for url in (*endpoints.values(), document["jwks_uri"]):
        assert url.startswith(f"{site.url}/oauth2/")
        assert requests.options(url, timeout=60).status_code < 404
    assert {"authorization_endpoint", "token_endpoint", "userinfo_endpoint"} <= set(endpoints)
    assert document["response_types_supported"] == ["code"]
    assert "RS256" in document["id_token_signing_alg_values_supported"]
    assert "openid" in document["scopes_supported"]
    assert "public" in document["subject_types_supported"]
    assert document["claims_parameter_supported"] is True
    assert document["request_parameter_supported"] is False
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert {"sub", "iss", "aud"} <= set(document["claims_supported"])
    keys = requests.get(document["jwks_uri"], timeout=60).json()["keys"]
    assert len({key["kid"] for key in keys}) == len(keys)
    private = {"d", "p", "q", "dp", "dq", "qi", "k"}
    assert all(not private & set(key) for key in keys)


# RP-Initiated Logout OP.


def test_sign_out_with_hint_address_and_state_comes_back_with_the_state(app, grace):
    """oidcc-rp-initiated-logout"""
    hint = app.tokens(grace).document["id_token"]
    page = end_session(grace, id_token_hint=hint, post_logout_redirect_uri=AFTER, state="s 1")
    assert page.location == f"{AFTER}?state=s+1"
    assert grace.me() is None
    page = app.ask(grace, prompt="none")
    assert "error=login_required" in page.location


def test_sign_out_with_a_hint_that_is_no_jwt_is_refused(app, grace):
    """oidcc-rp-initiated-logout-bad-id-token-hint"""
    page = end_session(grace, id_token_hint="bad", post_logout_redirect_uri=AFTER, state="s")
    assert is_refused(page)
    assert grace.me() is not None


def test_sign_out_to_an_unregistered_address_is_refused(app, grace):
    """oidcc-rp-initiated-logout-bad-post-logout-redirect-uri"""
    hint = app.tokens(grace).document["id_token"]
    page = end_session(grace, id_token_hint=hint, post_logout_redirect_uri=f"{AFTER}/bad")
    assert is_refused(page)
    assert grace.me() is not None


def test_the_configuration_names_the_end_session_endpoint(site):
    """oidcc-rp-initiated-logout-discovery-endpoint-verification"""
    assert configuration(site)["end_session_endpoint"] == f"{site.url}/oauth2/logout"


@pytest.mark.parametrize("part", [0, 1, 2])
def test_sign_out_with_a_modified_hint_is_refused(app, grace, part):
    """oidcc-rp-initiated-logout-modified-id-token-hint"""
    parts = app.tokens(grace).document["id_token"].split(".")
    middle = len(parts[part]) // 2
    other = "A" if parts[part][middle] != "A" else "B"
    parts[part] = parts[part][:middle] + other + parts[part][middle + 1 :]
    page = end_session(grace, id_token_hint=".".join(parts), post_logout_redirect_uri=AFTER)
    assert is_refused(page)
    assert grace.me() is not None


def test_sign_out_without_a_hint_redirects_nobody_unasked(app, grace):
    """oidcc-rp-initiated-logout-no-id-token-hint"""
    assert is_refused(end_session(grace, post_logout_redirect_uri=AFTER, state="s"))
    page = end_session(grace, client_id=app.client_id, post_logout_redirect_uri=AFTER)
    assert is_asked(page)
    assert grace.me() is not None


def test_sign_out_without_parameters_asks(grace):
    """oidcc-rp-initiated-logout-no-params"""
    page = end_session(grace)
    assert is_asked(page)
    data = {"csrf_token": page.csrf_token, "answer": "sign_out"}
    done = grace.get(grace.fetch(page.actions()[0], "POST", data=data).location)
    assert done.status == 200
    assert grace.me() is None


def test_sign_out_without_an_address_ends_on_our_page(app, grace):
    """oidcc-rp-initiated-logout-no-post-logout-redirect-uri"""
    hint = app.tokens(grace).document["id_token"]
    page = end_session(grace, id_token_hint=hint, state="s")
    assert (page.status, page.path) == (200, "/oauth2/logout/done")
    assert grace.me() is None


def test_sign_out_without_a_state_comes_back_without_one(app, grace):
    """oidcc-rp-initiated-logout-no-state"""
    hint = app.tokens(grace).document["id_token"]
    assert end_session(grace, id_token_hint=hint, post_logout_redirect_uri=AFTER).location == AFTER


def test_sign_out_with_a_state_only_asks(grace):
    """oidcc-rp-initiated-logout-only-state"""
    assert is_asked(end_session(grace, state="only"))
    assert grace.me() is not None


def test_sign_out_to_a_registered_address_with_a_query_added_is_refused(app, grace):
    """oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri"""
    hint = app.tokens(grace).document["id_token"]
    page = end_session(grace, id_token_hint=hint, post_logout_redirect_uri=f"{AFTER}?foo=bar")
    assert is_refused(page)
    assert grace.me() is not None


# Back-Channel Logout OP.


def test_the_configuration_announces_back_channel_logout_with_sessions(site):
    """oidcc-backchannel-rp-initiated-logout-discovery: its part of the configuration"""
    document = configuration(site)
    assert document["backchannel_logout_supported"] is True
    assert document["backchannel_logout_session_supported"] is True


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[Request]]]:
    """An application's own server: its address, and what came."""
    came: list[Request] = []

    @Request.application
    def take(request: Request) -> Response:
        request.get_data(parse_form_data=True)
        assert request.form
        came.append(request)
        return Response(status=200)

    server = make_server("127.0.0.1", 0, take, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/logout", came
    server.shutdown()
    server.server_close()


def test_sign_out_begun_by_an_application_is_posted_to_its_back_channel(site, receiver):
    """oidcc-backchannel-rp-initiated-logout"""
    uri, came = receiver
    site.app.extensions["jobs"].stop()
    browser = site.browser()
    browser.sign_in("google", "grace")
    options = ("--post-logout-redirect-uri", AFTER, "--backchannel-logout-uri", uri)
    app = App(site, "Notes", *options)
    hint = app.tokens(browser).document["id_token"]
    before = app.claims(hint)
    end_session(browser, id_token_hint=hint, post_logout_redirect_uri=AFTER)
    assert deliver(site, sender(Transport())) == ["delivered"]
    (request,) = came
    assert request.method == "POST"
    assert request.mimetype == "application/x-www-form-urlencoded"
    assert list(request.form) == ["logout_token"]
    token = request.form["logout_token"]
    header, claims = app.header(token), app.claims(token)
    assert (header["typ"], header["alg"]) == ("logout+jwt", app.header(hint)["alg"])
    for name in ("iss", "aud", "sub", "sid"):
        assert claims[name] == before[name]
    assert claims["events"] == {EVENT: {}}
    assert claims["iat"] <= claims["exp"] <= claims["iat"] + 120
    assert claims["jti"]
    assert "nonce" not in claims
