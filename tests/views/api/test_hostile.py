"""Requests that no honest client sends: each is a problem document, and changes nothing."""

import base64

import pytest
import requests

from tests.views.api.client import csrf, faults, problem, send

ME = "/api/v1/me"
JSON = {"Content-Type": "application/json"}
PATHS = ("me", "identities", "sessions", "activity", "providers", "export", "sessions/current")
NOWHERE = ("/api", "/api/", "/api/v1", "/api/v2/me", "/api/v1/me/", "/api/v1/%00", "/auth")
NOT_JSON = (
    *(b'{"name": "a", "name": "b"}', b'{"name": "x", "y": {"a": 1, "a": 2}}'),
    *(
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": "x", "y": -Infinity}',
        b'{"name": 1e999}',
    ),
    *(b'\xef\xbb\xbf{"name": "x"}', '{"name": "x"}'.encode("utf-16"), b'{"name": "x"} {}'),
    *(b'{"name": "x",}', b'{"name": "a\tb"}', b'{"name": "x" /**/}', b"{'name': 'x'}"),
    *(b'{"name": ' + b"9" * 5000 + b"}", b'{"name": ' + b"[" * 30000 + b"]" * 30000 + b"}"),
)
NO_FIELDS = (b"null", b"[]", b'"x"', b"7", b"true", b'{"NAME": "x"}', b'{"__proto__": {}}')


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "DELETE", "TRACE", "NONSENSE"])
def test_paths_that_do_not_exist_are_a_404_problem(browser, method):
    for path in NOWHERE:
        assert problem(browser.fetch(path, method)) == (404, "not_found"), path


def test_wrong_methods_are_a_405_problem_with_the_allowed_ones(grace):
    for path in PATHS:
        for method in ("PUT", "TRACE", "NONSENSE"):
            page = grace.fetch(f"/api/v1/{path}", method)
            assert problem(page) == (405, "method_not_allowed"), (path, method)
            assert "OPTIONS" in page.headers["Allow"]
    assert problem(grace.fetch("/openapi.json", "POST")) == (405, "method_not_allowed")


def test_head_answers_as_get_without_a_body(grace, other):
    for path in ("me", "identities", "sessions", "activity", "providers"):
        got, head = grace.fetch(f"/api/v1/{path}"), grace.fetch(f"/api/v1/{path}", "HEAD")
        assert (head.status, head.html) == (200, "")
        for name in ("Content-Type", "Cache-Control"):
            assert head.headers[name] == got.headers[name]
    assert (other.fetch(ME, "HEAD").status, other.fetch(ME, "HEAD").html) == (401, "")


def test_options_lists_the_methods_without_a_session(browser):
    allowed = browser.fetch(ME, "OPTIONS").headers["Allow"]
    assert set(allowed.split(", ")) == {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH"}
    assert set(browser.fetch("/api/v1/export", "OPTIONS").headers["Allow"].split(", ")) == {
        *("OPTIONS", "POST"),
    }


def test_whatever_is_accepted_the_answer_is_json(grace):
    for accept in ("text/html", "image/png", "*/*;q=0", ";;;", ""):
        page = grace.fetch(ME, headers={"Accept": accept})
        assert (page.status, page.headers["Content-Type"]) == (200, "application/json")
    assert problem(grace.fetch("/api/x", headers={"Accept": "text/html"})) == (404, "not_found")


def test_bodies_that_readers_understand_differently_are_a_400(grace):
    name, headers = grace.me()["name"], csrf(grace)
    for body in NOT_JSON:
        page = grace.fetch(ME, "PATCH", data=body, headers=headers | JSON)
        assert problem(page) == (400, "malformed_json"), body[:50]
    for body in NO_FIELDS:
        page = grace.fetch(ME, "PATCH", data=body, headers=headers | JSON)
        assert problem(page) == (422, "invalid_fields"), body
    assert grace.me()["name"] == name


@pytest.mark.parametrize("name", [1, 1.5, True, {}, {"a": 1}, [], ["x"]])
def test_a_name_of_another_type_is_a_422(grace, name):
    page = send(grace, "PATCH", ME, json={"name": name})
    assert problem(page) == (422, "invalid_fields")
    assert faults(page) == {"name": "Input should be a valid string"}


def test_a_compressed_body_is_a_415(grace):
    page = send(grace, "PATCH", ME, data=b"{}", headers=JSON | {"Content-Encoding": "gzip"})
    assert problem(page) == (415, "unsupported_media_type")


@pytest.mark.parametrize("tail", [b" ", b"x"])
def test_a_body_of_unknown_length_is_refused_when_too_long_and_never_cut(site, grace, tail):
    """Its first 64 KiB are valid; what follows must not be dropped."""
    body = b'{"name": "cut"}' + b" " * (65536 - 15) + tail * 10
    headers = csrf(grace) | JSON
    chunks = (body[place : place + 8192] for place in range(0, len(body), 8192))
    assert problem(grace.fetch(ME, "PATCH", data=chunks, headers=headers)) == (
        *(413, "request_entity_too_large"),
    )
    assert grace.me()["name"] == "Grace Hopper"
    short = (chunk for chunk in (b'{"name": ', b'"In chunks"}'))
    assert grace.fetch(ME, "PATCH", data=short, headers=headers).status == 200


def test_a_token_of_unknown_length_is_a_413_when_too_long(site):
    headers = {"Content-Type": "application/jwt"}
    for data in (b"x" * 20000, (b"x" * 1000 for _ in range(20))):
        answer = requests.post(f"{site.url}/auth/sign-in", data=data, headers=headers, timeout=10)
        assert answer.status_code == 413


LIMITS = (
    "",
    "0",
    "-1",
    "101",
    "1e1",
    "1.0",
    "5.0",
    "+5",
    " 5",
    "1_0",
    "0x10",
    "\uff19",
    "9" * 30,
    "NaN",
)


def test_a_limit_is_a_whole_number_in_digits(grace):
    for path in ("activity", "sessions", "identities"):
        for limit in LIMITS:
            page = grace.fetch(f"/api/v1/{path}", params={"limit": limit})
            assert problem(page) == (400, "invalid_query"), limit
            assert set(faults(page)) == {"limit"}
    assert grace.fetch("/api/v1/activity", params={"limit": "007"}).status == 200


def cursor(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


HEX = "0" * 32
CURSORS = (
    *("2026-11-03T14:05:00+02:00 " + HEX, "0001-01-01T00:00:00+14:00 " + HEX),
    *("9999-12-31T23:59:59-14:00 " + HEX, "2026-11-03T14:05:00+00:00 \x00", f"+00:00 {HEX}"),
    *("2026-11-03T14:05:00+00:00 " + "A" * 32, "2026-11-03T14:05:00+00:00 x' OR 1=1 --"),
    *("2026-11-03T14:05:00Z " + HEX, "2026-11-03 " + HEX, "2026-W45-2T00:00+00:00 " + HEX),
    *("2026-11-03T14:05:00+00:00  " + HEX, f"2026-11-03T14:05:00+00:00 {HEX} {HEX}"),
)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_made_up_cursor_never_reaches_the_database(make_site, database):
    browser = make_site(database).browser()
    browser.sign_in("google", "grace")
    for text in CURSORS:
        page = browser.fetch("/api/v1/activity", params={"cursor": cursor(text)})
        assert problem(page) == (400, "invalid_query"), text
    for moment, count in (("0001-01-01T00:00:00+00:00", 0), ("9999-12-31T23:59:59+00:00", 1)):
        page = browser.fetch("/api/v1/activity", params={"cursor": cursor(f"{moment} {HEX}")})
        assert (page.status, len(page.response.json()["items"])) == (200, count)


def test_the_refusal_of_other_machines_is_a_problem_too(make_site):
    browser = make_site(DEMO="1").browser()
    for path in (ME, "/api/v1/providers", "/openapi.json"):
        page = browser.fetch(path, headers={"Via": "1.1 tunnel"})
        assert problem(page) == (403, "this_machine_only")


@pytest.mark.parametrize("path", ["me", "export", "sessions/x", "providers", "nothing"])
def test_a_body_that_is_too_long_is_a_413_on_every_path(grace, other, path):
    for browser in (grace, other):
        for method in ("POST", "PATCH", "DELETE"):
            page = browser.fetch(f"/api/v1/{path}", method, data=b"x" * 70000)
            if page.status not in (404, 405):
                assert problem(page) == (413, "request_entity_too_large"), (method, path)
