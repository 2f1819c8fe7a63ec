"""Answers to programs before Flask are those of the views."""

from typing import Any, NoReturn

import pytest
import requests

from errors import NotAllowed
from issuer.scopes import OF_PEOPLE as SCOPES
from tests.commands.console import answer
from tests.issuer.relying_party import CALLBACK, App
from tests.issuer.test_resources import Key, exchange_with
from tests.site import Site
from views.oidc.metadata import CONFIGURATION, JWKS, RESOURCES
from views.oidc.tokens import FORM
from web import guards, limits
from web.guards import Guard

DOCUMENTS = (*CONFIGURATION, *RESOURCES, JWKS)
ENDPOINTS = ("metadata.configuration", "metadata.resource", "metadata.jwks")
# An unusual request, which the view answers.
BY_THE_VIEW = {"by": "the view"}
# Headers that differ from answer to answer.
PER_ANSWER = {"Date", "Connection", "Server"}


def lame(site: Site, *endpoints: str) -> None:
    """Make views fail, so that only what is before them can answer."""

    def fail() -> NoReturn:
        raise RuntimeError("the view was asked")

    for endpoint in endpoints:
        assert endpoint in site.app.view_functions
        site.app.view_functions[endpoint] = fail


def fetch(site: Site, path: str, method: str = "GET", **kwargs) -> requests.Response:
    return requests.request(method, site.url + path, timeout=60, allow_redirects=False, **kwargs)


def headers(response: requests.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name not in PER_ANSWER}


def test_documents_are_answered_as_by_their_views(site):
    usual = {path: fetch(site, path, params=BY_THE_VIEW) for path in DOCUMENTS}
    lame(site, *ENDPOINTS)
    for path in DOCUMENTS:
        for sent in ({}, {"Origin": "https://app.example"}, {"Cookie": "session=x; quickstep=y"}):
            fast = fetch(site, path, headers=sent)
            assert fast.status_code == 200, path
            assert fast.content == usual[path].content
            assert headers(fast) == headers(usual[path])
        assert fetch(site, path, params=BY_THE_VIEW).status_code == 500


def test_other_methods_are_left_to_the_views_of_documents(site):
    for path in DOCUMENTS:
        head = fetch(site, path, "HEAD")
        assert (head.status_code, head.content) == (200, b"")
        assert fetch(site, path, "OPTIONS").headers["Allow"]
        assert fetch(site, path, "POST").status_code == 405
        assert fetch(site, f"{path}/").status_code == 404


def test_the_view_reads_the_keys_of_a_new_process(site):
    usual = fetch(site, JWKS)
    site.restart()
    read = fetch(site, JWKS)
    lame(site, "metadata.jwks")
    assert fetch(site, JWKS).content == read.content == usual.content


def test_documents_name_what_the_settings_say(make_site):
    site = make_site(PATH_PREFIX="/id", CLIENT_DOCUMENT_HOSTS="*")
    path = f"/id{CONFIGURATION[0]}"
    usual = fetch(site, path, params=BY_THE_VIEW)
    lame(site, *ENDPOINTS)
    fast = fetch(site, path)
    assert fast.json() == usual.json()
    assert fast.json()["issuer"] == f"{site.url}/id"
    assert fast.json()["client_id_metadata_document_supported"] is True
    resource = fetch(site, f"/id{RESOURCES[1]}").json()["resource"]
    assert resource == f"{site.url}/id/api/v1"


# Tokens.


@pytest.fixture
def signed_in(both):
    """An application on either engine, and the browser of a person with two identities."""
    browser = both.browser()
    browser.sign_in("google", "grace")
    browser.link("github", "linus")
    answer(both, "groups", "add", "staff", browser.user_id)
    return App(both, "Notes", *(f"--scope={scope}" for scope in SCOPES)), browser


def ask(app: App, endpoint: str, token: str, **changed: Any) -> requests.Response:
    """Ask as applications do: about a token, or with it."""
    if endpoint == "userinfo":
        sent: dict[str, Any] = {"headers": {"Authorization": f"Bearer {token}"}}
        return fetch(app.site, "/oauth2/userinfo", **(sent | changed))
    sent = {"auth": (app.client_id, app.secret or ""), "data": {"token": token}}
    return fetch(app.site, "/oauth2/introspect", "POST", **(sent | changed))


@pytest.mark.parametrize("kind", ["usual", "pairwise"])
def test_valid_tokens_are_answered_as_by_their_views(both, signed_in, kind):
    app, browser = signed_in
    if kind == "pairwise":
        app = App(both, "Own", "--pairwise", *(f"--scope={scope}" for scope in SCOPES))
    asked = []
    for scope in ("openid", " ".join(SCOPES)):
        tokens = app.tokens(browser, scope=scope)
        asked += [("userinfo", tokens.access), ("introspect", tokens.access)]
        asked.append(("introspect", tokens.refresh))
    usual = [ask(app, *each, params=BY_THE_VIEW) for each in asked]
    lame(both, "userinfo.show", "tokens.introspect")
    for each, by_view in zip(asked, usual, strict=True):
        fast = ask(app, *each)
        assert (fast.status_code, fast.content) == (200, by_view.content)
        assert headers(fast) == headers(by_view)
    assert usual[3].json()["groups"] == ["staff"]
    assert {each["provider"] for each in usual[3].json()["identities"]} == {"google", "github"}


def test_credentials_in_the_form_are_answered_as_by_the_view(app, grace, site):
    token = app.tokens(grace).access
    form = {"token": token, "client_id": app.client_id, "client_secret": app.secret}
    usual = ask(app, "introspect", token, auth=None, data=form, params=BY_THE_VIEW)
    lame(site, "tokens.introspect")
    assert ask(app, "introspect", token, auth=None, data=form).content == usual.content


def test_what_is_not_valid_is_left_to_the_views(app, grace, site):
    """Also each kind of request that only they know."""
    token = app.tokens(grace).access
    other = App(site, "Other")
    lame(site, "userinfo.show", "tokens.introspect")
    wrong = (app.client_id, "frog")
    twice = [("token", token), ("token", token)]
    bearer = {"Authorization": f"Bearer {token}"}
    unusual: list[dict[str, Any]] = [
        {"auth": wrong},
        {"auth": None},
        {"data": {}},
        {"data": {"token": "frog"}},
        {"data": {"token": f"{token}x"}},
        {"data": {"token": "a.b.c"}},
        {"data": {"token": token, "client_assertion": "x"}},
        {"data": {"token": token, "client_secret": app.secret}},
        {"data": {"token": token, "client_id": other.client_id}},
        {"data": {"token": token, "hint": "x" * 4096}},
        {"data": {"token": token, "hint": "\x00"}},
        {"data": b"token=" + token.encode() + b"&hint=%ff", "headers": {"Content-Type": FORM}},
        {"data": twice},
        {"data": {"token": token}, "headers": {"Content-Type": "text/plain"}},
        {"data": (each for each in [f"token={token}".encode()]), "headers": {"Content-Type": FORM}},
    ]
    for changed in unusual:
        assert ask(app, "introspect", token, **changed).status_code == 500, changed
    assert ask(other, "introspect", token).status_code == 500
    for sent in ({}, {"Authorization": "Bearer frog"}, {"Authorization": f"Basic {token}"}):
        assert ask(app, "userinfo", token, headers=sent).status_code == 500
    assert fetch(site, "/oauth2/userinfo", "POST", headers=bearer).status_code == 500
    assert fetch(site, "/oauth2/userinfo", params={"access_token": token}).status_code == 500
    assert ask(app, "userinfo", token).status_code == 200
    assert ask(app, "introspect", token).status_code == 200


ENDS = {
    "session": "DELETE FROM sessions",
    "account": "UPDATE users SET disabled_at = created_at",
    "client": "UPDATE clients SET disabled_at = created_at",
    "grant": "UPDATE grants SET ended_at = created_at",
    "token": "UPDATE access_tokens SET expires_at = issued_at",
    "rule": """UPDATE clients SET allow = '["domain=elsewhere.example"]'""",
}


@pytest.mark.parametrize("end", ENDS)
def test_what_ended_is_told_by_no_answer_before_flask(app, grace, site, end):
    """Nothing is kept from one request to the next."""
    token = app.tokens(grace).access
    assert ask(app, "userinfo", token).status_code == 200
    assert ask(app, "introspect", token).json()["active"] is True
    site.execute(ENDS[end])
    lame(site, "userinfo.show", "tokens.introspect")
    assert ask(app, "userinfo", token).status_code == 500
    assert ask(app, "introspect", token).status_code == 500


def test_a_token_that_is_bound_to_a_key_is_left_to_the_view(grace, site):
    phone = App(site, "Phone", "--public", "--redirect-uri", CALLBACK)
    key = Key()
    code = phone.sign_in(grace)["code"]
    proof = key.proof("POST", f"{site.url}/oauth2/token")
    access = exchange_with(phone, code, proof).json()["access_token"]
    lame(site, "userinfo.show")
    assert ask(phone, "userinfo", access).status_code == 500


def test_a_client_that_failed_too_often_waits_before_flask_too(app, grace, monkeypatch):
    """By the address that the proxies tell."""
    monkeypatch.setattr(limits, "APP_FAILURES_PER_MINUTE", 2)
    app.site.restart(TRUSTED_PROXIES="1")
    token = app.tokens(grace).access
    here, there = ({"X-Forwarded-For": address} for address in ("192.0.2.1", "192.0.2.2"))
    for _ in range(2):
        wrong = (app.client_id, "frog")
        assert ask(app, "introspect", token, auth=wrong, headers=here).status_code == 401
    assert ask(app, "introspect", token, headers=here).status_code == 429
    assert ask(app, "introspect", token, headers=there).status_code == 200


def test_answers_before_flask_count_as_the_views_do(app, grace, site):
    token = app.tokens(grace).access

    def counted() -> list[str]:
        lines = fetch(site, "/metrics").text.splitlines()
        names = ('{endpoint="userinfo.show"', '{kind="userinfo"', '{endpoint="tokens.introspect"')
        return [
            each
            for each in lines
            if "_count" in each or "_total" in each
            if any(name in each for name in names)
        ]

    before = counted()
    ask(app, "userinfo", token)
    ask(app, "introspect", token)
    assert len(set(counted()) - set(before)) == 3


def test_a_database_that_is_away_is_the_views_answer(app, grace, site):
    token = app.tokens(grace).access
    site.execute("ALTER TABLE access_tokens RENAME TO elsewhere")
    refused = [ask(app, each, token) for each in ("userinfo", "introspect")]
    site.execute("ALTER TABLE elsewhere RENAME TO access_tokens")
    for each in refused:
        assert (each.status_code, each.json()["error"]) == (503, "temporarily_unavailable")
    assert ask(app, "userinfo", token).status_code == 200


# Guards.


def test_a_local_server_answers_programs_under_its_own_name_only(site):
    other = {"Host": f"127.0.0.1:{site.url.rpartition(':')[2]}"}
    for path in (*DOCUMENTS, "/oauth2/userinfo"):
        led = fetch(site, path, headers=other)
        assert (led.status_code, led.headers["Location"]) == (307, site.url + path)


def test_in_demo_mode_documents_are_refused_through_a_proxy(make_site):
    site = make_site(DEMO="1")
    for path in DOCUMENTS:
        assert fetch(site, path).status_code == 200
        assert fetch(site, path, headers={"Via": "1.1 tunnel"}).status_code == 403


@pytest.mark.parametrize("where", [guards.EVERYWHERE, "metadata", "userinfo", "tokens"])
def test_a_guard_that_does_not_let_all_programs_pass_is_obeyed(
    app, grace, site, monkeypatch, where
):
    def refuse() -> NoReturn:
        raise NotAllowed("a guard of this test")

    token = app.tokens(grace).access
    here = [*guards.GUARDS.get(where, ()), Guard("nobody_today", refuse)]
    monkeypatch.setitem(guards.GUARDS, where, here)
    site.restart()
    answers = {
        "metadata": [fetch(site, path) for path in DOCUMENTS],
        "userinfo": [ask(app, "userinfo", token)],
        "tokens": [ask(app, "introspect", token)],
    }
    for name, given in answers.items():
        expected = 403 if where in (guards.EVERYWHERE, name) else 200
        assert {each.status_code for each in given} == {expected}, name


def test_no_hook_that_is_no_guard_runs_before_what_programs_ask(site):
    """A hook beside the list would not apply to what is answered before Flask."""
    hooks = [
        f"{hook.__module__}.{hook.__name__}"
        for name in (None, "metadata", "userinfo", "tokens")
        for hook in site.app.before_request_funcs.get(name, ())
    ]
    assert hooks == [
        "views.operator.metrics.start_timer",
        "web.reference.begin_request",
        "web.guards.await_body",
        "web.guards.check_site_guards",
        "flask_wtf.csrf.csrf_protect",  # of forms of pages
        "web.guards.check_blueprint_guards",
    ]
