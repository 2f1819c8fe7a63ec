"""Values that no honest client sends: an answer each, and never an error of ours."""

import socket
from urllib.parse import urlsplit

import pytest

from tests.browser import Browser
from tests.issuer.relying_party import App, query_of
from tests.site import Site

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def logged_in(site: Site) -> Browser:
    browser = site.browser()
    browser.sign_in("google", "grace")
    return browser


VALUES = ["\x00", "a\x00b", "\ufffd", "\ud7ff\ue000", "\u202e", "x" * 60_000, "💥" * 1100]
RAW = [b"%00", b"%ff%fe", b"%ed%a0%80", b"%c0%80", b"%", b"%u0000"]
PLACES = ["token", "revoke", "introspect", "par", "device_authorization", "userinfo"]
NAMES = [
    *("client_id", "redirect_uri", "state", "scope", "nonce", "code_challenge", "claims", "prompt"),
    *("max_age", "id_token_hint", "login_hint", "resource", "dpop_jkt", "response_mode", "extra"),
]


@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_no_value_of_an_authorization_request_is_an_error_of_ours(both, value):
    app, browser = App(both), logged_in(both)
    for name in NAMES:
        form = app.authorization(**{name: value})
        assert browser.fetch("/oauth2/authorize", "POST", data=form).status < 500, name
        assert app.post("par", form).status_code < 500, name
        if len(value) < 10_000:  # gunicorn takes no longer line
            assert browser.get("/oauth2/authorize", params=form).status < 500, name
    for name in ("id_token_hint", "post_logout_redirect_uri", "state", "client_id"):
        assert browser.fetch("/oauth2/logout", "POST", data={name: value}).status < 500
        assert browser.fetch("/oauth2/logout", params={name: value[:5000]}).status < 500


@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_no_value_of_a_token_request_is_an_error_of_ours(both, value):
    app = App(both, "Both", "--grant", "authorization_code", "--grant", "refresh_token")
    for place in PLACES:
        for name in ("code", "token", "refresh_token", "device_code", "scope", "access_token"):
            for kind in ("authorization_code", "refresh_token", GRANT, value):
                answer = app.post(place, {"grant_type": kind, name: value})
                assert answer.status_code < 500, (place, name)
    for auth in ((value[:700], "x"), (app.client_id, value[:700])):
        encoded = tuple(each.encode("utf-8", "surrogatepass") for each in auth)
        assert app.post("token", {"grant_type": "refresh_token"}, auth=encoded).status_code < 500


@pytest.mark.parametrize(
    "claims",
    [
        '{"id_token": {"a\\u0000b": null}}',
        '{"id_token": {"\\ud800": null}, "userinfo": {"\\udfff": null}}',
        '{"id_token": {"sub": {"value": "\\ud800"}}}',
        '{"id_token": {"sub": {"value": "\\u0000"}}}',
        '{"id_token": {"email": {"value": NaN}}}',
        '{"id_token": {"email": ' + "9" * 3000 + "}}",
        '{"id_token": ' + "[" * 2000 + "]" * 2000 + "}",
        '{"id_token": {"iss": null, "aud": null, "exp": null}}',
    ],
)
def test_no_claims_parameter_is_an_error_of_ours(both, claims):
    app, browser = App(both), logged_in(both)
    app.sign_in(browser)
    page = app.ask(browser, claims=claims)
    assert page.status < 500
    code = query_of(page.location).get("code")
    if code:
        tokens = app.exchange(code)
        assert tokens.status == 200
        assert app.claims(tokens.document["id_token"])["aud"] == app.client_id


def send_raw(site: Site, head: bytes, body: bytes = b"") -> int:
    """Send bytes that no HTTP library would; return the status."""
    parts = urlsplit(site.url)
    with socket.create_connection((parts.hostname, parts.port), 30) as connection:
        host = f"Host: {parts.netloc}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        connection.sendall(head + host.encode() + body)
        answer = connection.makefile("rb").readline()
    return int(answer.split()[1]) if answer else 400


HEADERS = [
    b"Authorization: Basic \xff\xfe",
    b"Authorization: Bearer \xff\xfe",
    b"Authorization: \xed\xa0\x80",
    b"DPoP: \xff.\xff.\xff",
    b"User-Agent: a\xffb\xed\xa0\x80",
    b"User-Agent: a\x00b",
    b"Cookie: session=\xff\xfe; request_\xff=x",
    b"Origin: \xff",
    b"Content-Type: application/x-www-form-urlencoded; charset=\xff",
    b"Content-Type: multipart/form-data",
    b"X-Forwarded-For: \xff",
]


@pytest.mark.parametrize("header", HEADERS, ids=ascii)
def test_no_header_is_an_error_of_ours(both, header):
    app = App(both)
    form = b"Content-Type: application/x-www-form-urlencoded\r\n"
    kind = b"" if header.startswith(b"Content-Type") else form
    for place in PLACES:
        body = f"grant_type=client_credentials&client_id={app.client_id}&token=x".encode()
        head = f"POST /oauth2/{place} HTTP/1.1\r\n".encode() + header + b"\r\n" + kind
        assert send_raw(both, head, body) < 500, place
    query = "&".join(f"{name}={value}" for name, value in {"client_id": app.client_id}.items())
    for path in (f"/oauth2/authorize?{query}", "/oauth2/logout", "/oauth2/device", "/oauth2/jwks"):
        head = f"GET {path} HTTP/1.1\r\n".encode() + header + b"\r\n"
        assert send_raw(both, head) < 500, path


@pytest.mark.parametrize("raw", RAW, ids=ascii)
def test_no_broken_encoding_is_an_error_of_ours(both, raw):
    app = App(both)
    for name in NAMES:
        path = f"/oauth2/authorize?client_id={app.client_id}&{name}=".encode() + raw
        assert send_raw(both, b"GET " + path + b" HTTP/1.1\r\n") < 500, name
    for path in (b"/oauth2/continue/", b"/oauth2/logout?state=", b"/oauth2/device?user_code="):
        assert send_raw(both, b"GET " + path + raw + b" HTTP/1.1\r\n") < 500, path
