"""HEAD: link checkers and mail scanners send it; it answers as GET would, and changes nothing."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser import Browser, Page
from tests.issuer.relying_party import App, query_of
from tests.site import Site

TABLES = ("authorization_requests", "grants", "consents", "sessions", "events", "logouts")
AFTER = "https://notes.example/bye"


def everything(site: Site) -> dict[str, list[Any]]:
    return {
        table: [tuple(row) for row in site.rows(f"SELECT * FROM {table} ORDER BY 1")]
        for table in TABLES
    }


def head(browser: Browser, path: str, **parameters: str) -> Page:
    """Send HEAD, and see that it changed nothing."""
    before, cookies = everything(browser.site), browser.http.cookies.get_dict()
    page = browser.fetch(path, "HEAD", params=parameters)
    assert everything(browser.site) == before
    kept = browser.http.cookies.get_dict()
    assert {name: kept[name] for name in kept if "request_" in name or name not in cookies} == {
        name: cookies[name] for name in cookies if "request_" in name
    }
    assert page.html == ""
    return page


@pytest.fixture
def app(site: Site) -> App:
    return App(site, "Notes", "--post-logout-redirect-uri", AFTER)


def test_head_on_authorize_gives_no_code_and_parks_nothing(app, grace, site):
    app.sign_in(grace)
    page = head(grace, "/oauth2/authorize", **app.authorization())
    assert page.status == 302
    assert "code" not in query_of(page.location)
    for browser, more in ((grace, {"prompt": "consent"}), (site.browser(), {})):
        page = head(browser, "/oauth2/authorize", **app.authorization(**more))
        assert page.status == 302
        assert "/oauth2/continue" not in page.location


def test_head_on_authorize_answers_faults_as_get_does(app, grace):
    for changed in ({"client_id": "frog"}, {"prompt": "frog"}, {"prompt": "none", "max_age": "0"}):
        asked = app.authorization(**changed)
        page = head(grace, "/oauth2/authorize", **asked)
        same = grace.fetch("/oauth2/authorize", params=asked)
        assert (page.status, page.location) == (same.status, same.location)


def test_head_leaves_a_pushed_request_to_its_person(app, grace):
    app.sign_in(grace)
    request_uri = app.post("par", app.authorization()).json()["request_uri"]
    asked = {"client_id": app.client_id, "request_uri": request_uri}
    assert head(grace, "/oauth2/authorize", **asked).status == 302
    page = grace.get("/oauth2/authorize", params=asked)
    assert app.exchange(query_of(page.location)["code"]).status == 200


@pytest.mark.parametrize("prompt", ["consent", "select_account", "login", "none"])
def test_head_on_a_waiting_request_leaves_it_waiting(app, grace, site, prompt):
    asked = app.authorization(prompt=prompt)
    parked = grace.fetch("/oauth2/authorize", "POST", data=asked).location
    page = head(grace, parked)
    same = grace.fetch(parked)
    assert (page.status, page.location) == (same.status, same.location)


def test_head_on_a_waiting_request_that_may_go_on_gives_no_code(app, grace):
    app.sign_in(grace)
    parked = grace.fetch("/oauth2/authorize", "POST", data=app.authorization()).location
    assert "code" not in query_of(head(grace, parked).location)
    assert "code" in query_of(grace.fetch(parked).location)


def test_head_on_logout_signs_nobody_out(app, grace):
    hint = app.tokens(grace).document["id_token"]
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER}
    page = head(grace, "/oauth2/logout", **asked)
    assert grace.me() is not None
    same = grace.fetch("/oauth2/logout", params=asked)
    assert (page.status, page.location) == (same.status, same.location)
    assert grace.me() is None
    assert urlsplit(page.location).netloc == "notes.example"


def test_head_on_logout_asks_nobody(app, grace):
    before = grace.cookie("session")
    assert head(grace, "/oauth2/logout", client_id=app.client_id).status == 200
    assert grace.cookie("session") == before


def test_a_sign_out_by_an_application_is_one_line_of_activity(app, grace, site):
    hint = app.tokens(grace).document["id_token"]
    grace.get("/oauth2/logout", params={"id_token_hint": hint})
    assert site.rows("SELECT count(*) FROM events WHERE kind = 'signed_out'")[0][0] == 1
