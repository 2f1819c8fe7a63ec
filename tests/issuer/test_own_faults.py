"""When something of ours fails: a clear answer, nothing half-written, and a way on."""

from datetime import timedelta
from typing import Any

import pytest
import requests
from sqlalchemy.exc import OperationalError

from issuer import access_tokens, grants
from storage import now
from tests.issuer.relying_party import App, query_of
from tests.site import Site
from web import limits


def fail(*_args: Any, **_kwargs: Any) -> Any:
    raise OperationalError("a statement", None, Exception("the database is away"))


def test_a_database_that_is_away_is_a_503_for_applications(app, grace, site, monkeypatch):
    tokens = app.tokens(grace)
    code = app.sign_in(grace)["code"]
    before = site.rows("SELECT * FROM grants")
    with monkeypatch.context() as broken:
        broken.setattr("issuer.clients._FIND.row", fail)
        for answer in (app.exchange(code), app.refresh(tokens.refresh)):
            assert (answer.status, answer.error) == (503, "temporarily_unavailable")
            assert answer.headers["Retry-After"]
        assert app.post("introspect", {"token": tokens.access}).status_code == 503
    assert site.rows("SELECT * FROM grants") == before
    assert app.exchange(code).status == 200
    assert app.refresh(tokens.refresh).status == 200


def test_a_code_survives_a_failure_in_the_middle_of_its_exchange(app, grace, site, monkeypatch):
    """The token's row cannot be written: the code is unused, and works again."""
    code = app.sign_in(grace)["code"]
    with monkeypatch.context() as broken:
        broken.setattr(access_tokens, "add", fail)
        assert app.exchange(code).status == 503
    assert app.exchange(code).status == 200


def test_a_refresh_token_survives_a_failure_in_the_middle(app, grace, monkeypatch):
    tokens = app.tokens(grace)
    with monkeypatch.context() as broken:
        broken.setattr(access_tokens, "add", fail)
        assert app.refresh(tokens.refresh).status == 503
    first = app.refresh(tokens.refresh)
    assert first.status == 200
    assert app.refresh(first.refresh).status == 200


def test_an_authorization_that_cannot_be_stored_is_answered_with_iss(app, grace, site, monkeypatch):
    app.sign_in(grace)
    before = site.rows("SELECT count(*) FROM grants")
    with monkeypatch.context() as broken:
        broken.setattr(grants, "_ADD", type("Broken", (), {"run": fail})())
        got = query_of(app.ask(grace).location)
    assert got["error"] == "temporarily_unavailable"
    assert got["iss"] == site.url
    assert site.rows("SELECT count(*) FROM grants") == before
    assert "code" in query_of(app.ask(grace).location)


def test_failed_client_authentications_are_limited_for_that_client(app, site, monkeypatch):
    monkeypatch.setattr(limits, "APP_FAILURES_PER_MINUTE", 3)
    site.restart()
    other = App(site, "Other")
    right, app.secret = app.secret, "wrong"
    for _ in range(3):
        assert app.token(grant_type="refresh_token").status == 401
    refused = app.token(grant_type="refresh_token")
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert other.token(grant_type="refresh_token").error == "invalid_request"
    assert right


def test_readiness_names_a_signing_key_that_cannot_be_opened(site: Site):
    requests.get(f"{site.url}/oauth2/jwks", timeout=60)
    ready = requests.get(f"{site.url}/readyz", timeout=60)
    assert "signing_key: ok" in ready.text
    site.restart(SECRET_KEY="another key that is long enough to sign with")
    ready = requests.get(f"{site.url}/readyz", timeout=60)
    assert ready.status_code == 200
    assert "signing_key: cannot be opened" in ready.text
    answer = requests.get(f"{site.url}/oauth2/jwks", timeout=60)
    assert answer.status_code == 503


def test_readiness_names_signing_keys_that_are_gone(app: App, grace):
    """Before anybody asked for one there is nothing to miss."""
    site = app.site
    assert "signing_key: ok" in requests.get(f"{site.url}/readyz", timeout=60).text
    app.tokens(grace)
    site.execute("DELETE FROM signing_keys")
    ready = requests.get(f"{site.url}/readyz", timeout=60)
    assert ready.status_code == 200
    assert "signing_key: there is none any more" in ready.text


def test_keys_that_do_not_sign_yet_are_a_named_fault(app: App, grace):
    """The clock was set back, or a database restored on a server whose clock is behind."""
    site = app.site
    code = app.sign_in(grace)["code"]
    requests.get(f"{site.url}/oauth2/jwks", timeout=60)
    site.execute("UPDATE signing_keys SET active_from = :t", t=now() + timedelta(days=1))
    site.restart()
    ready = requests.get(f"{site.url}/readyz", timeout=60)
    assert ready.status_code == 200
    assert "signing_key: none signs now, for RS256, ES256" in ready.text
    answer = app.exchange(code)
    assert (answer.status, answer.error) == (503, "temporarily_unavailable")


@pytest.mark.parametrize("value", ["\x00", "x" * 60000])
def test_a_huge_or_odd_body_is_refused(app, value):
    answer = app.post("token", {"grant_type": "authorization_code", "code": value})
    assert answer.status_code in (400, 413)
