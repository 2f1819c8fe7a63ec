"""Failures of ours and odd requests, as programs and applications meet them."""

from typing import Any

import pytest
import requests

from issuer.faults import FAULTS
from tests.issuer.relying_party import App, query_of
from tests.site import Site

PROGRAMS = ("token", "revoke", "introspect", "par", "device_authorization", "userinfo")


def break_(*_args: Any, **_kwargs: Any) -> Any:
    raise ZeroDivisionError("unforeseen")


@pytest.mark.parametrize("endpoint", PROGRAMS)
def test_a_failure_of_ours_is_json_for_programs(app: App, grace, monkeypatch, endpoint):
    access = app.tokens(grace).access
    monkeypatch.setattr("issuer.client_authentication.authenticate", break_)
    monkeypatch.setattr("issuer.access_tokens.find", break_)
    if endpoint == "userinfo":
        answer = app.userinfo(access)
    else:
        answer = app.post(endpoint, {"token": access})
    assert answer.status_code == 500
    assert answer.json()["error"] == "server_error"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/oauth2/token", "method_wrong"),
        ("PUT", "/oauth2/userinfo", "method_wrong"),
        ("POST", "/.well-known/openid-configuration", "method_wrong"),
        ("POST", "/oauth2/tokens", "path_unknown"),
        ("POST", "/oauth2/token/", "path_unknown"),
    ],
)
def test_a_wrong_path_or_method_is_json_for_programs(site: Site, method, path, name):
    answer = requests.request(method, site.url + path, timeout=60)
    fault = FAULTS[name]
    assert answer.status_code == fault.status
    assert answer.json() == {"error": fault.error, "error_description": fault.description}
    if name == "method_wrong":
        assert method not in answer.headers["Allow"]


def test_a_body_that_is_too_large_is_json_for_programs(app: App):
    answer = app.post("token", {"code": "x" * 3_000_000})
    assert (answer.status_code, answer.json()["error"]) == (413, "invalid_request")


def test_people_still_get_pages(site: Site):
    for path in ("/oauth2/device/nothing", "/oauth2/continue/"):
        answer = requests.get(site.url + path, timeout=60)
        assert answer.status_code == 404
        assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("broken", ["issuer.codes.issue", "issuer.steps.next_step"])
def test_an_application_learns_of_a_failure_with_iss(app: App, grace, site, monkeypatch, broken):
    app.sign_in(grace)
    monkeypatch.setattr(broken, break_)
    got = query_of(app.ask(grace).location)
    assert (got["error"], got["iss"], got["state"]) == ("server_error", site.url, "the state")


def test_a_failure_before_the_address_is_checked_is_a_page(app: App, grace, monkeypatch):
    monkeypatch.setattr("issuer.authorization.check", break_)
    page = grace.fetch("/oauth2/authorize", params=app.authorization())
    assert page.status == 500
    assert not page.location
