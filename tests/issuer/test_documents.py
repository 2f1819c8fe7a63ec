"""Clients that describe themselves by a document at their client_id."""

import json
import secrets
from datetime import timedelta
from typing import Any

import pytest
import requests

from issuer.documents import DocumentAway, Page
from storage import now
from tests.browser import Browser
from tests.commands.console import answer
from tests.issuer.relying_party import App, allow, query_of
from tests.site import Site
from views.oidc import described
from web import limits

URL = "https://client.example/oauth/app.json"
CALLBACK = "https://client.example/callback"
OTHER = "https://client.example/other"
METADATA = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


class Web:
    """The public internet: one document, or none."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.document: dict[str, Any] = {
            "client_id": URL,
            "client_name": "Notes <b>&",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        }
        self.status = 200
        self.fresh_seconds: float | None = None
        self.is_away = False

    def read(self, url: str) -> Page:
        self.asked.append(url)
        if self.is_away:
            raise DocumentAway("no connection")
        return Page(self.status, json.dumps(self.document).encode(), self.fresh_seconds)


class Described(App):
    """An application that was never registered."""

    def __init__(self, site: Site, url: str = URL) -> None:
        self.site, self.client_id, self.secret = site, url, None
        self.redirect_uri = CALLBACK
        self.http = requests.Session()
        self.verifier = secrets.token_urlsafe(48)


@pytest.fixture
def web() -> Web:
    return Web()


@pytest.fixture
def described_app(site: Site, web: Web) -> Described:
    return start(site, web, "client.example")


def start(site: Site, web: Web, hosts: str) -> Described:
    site.restart(CLIENT_DOCUMENT_HOSTS=hosts)
    site.app.extensions[described.EXTENSION] = web.read
    return Described(site)


def expire(site: Site) -> None:
    site.execute("UPDATE clients SET document_until = :t", t=now() - timedelta(seconds=1))


def test_a_client_that_describes_itself_signs_people_in(described_app, grace, web):
    tokens = described_app.tokens(grace)
    assert described_app.claims(tokens.document["id_token"])["aud"] == URL
    assert described_app.refresh(tokens.refresh).status == 200
    assert described_app.userinfo(tokens.access).status_code == 200
    assert web.asked == [URL]


def test_it_is_off_by_default(site, web, grace):
    app = start(site, web, "")
    page = grace.fetch("/oauth2/authorize", params=app.authorization())
    assert (page.status, page.location) == (400, "")
    assert web.asked == []
    for path in METADATA:
        document = requests.get(site.url + path, timeout=60).json()
        assert "client_id_metadata_document_supported" not in document


def test_it_is_announced_in_both_documents(described_app, site):
    for path in METADATA:
        document = requests.get(site.url + path, timeout=60).json()
        assert document["client_id_metadata_document_supported"] is True
        assert "none" in document["token_endpoint_auth_methods_supported"]


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example/app.json",
        "https://client.example.evil.example/app.json",
        "https://client.example",
        "https://client.example/",
        "http://client.example/app.json",
        "https://client.example/a/../app.json",
        "https://client.example/a/%2E%2e/app.json",
        "https://client.example/app.json#part",
        "https://me@client.example/app.json",
        "https://Client.example/app.json",
        "https://127.0.0.1/app.json",
        "https://client.example/" + "x" * 600,
    ],
)
@pytest.mark.parametrize("hosts", ["client.example", "*"])
def test_only_plain_urls_of_admitted_hosts_are_fetched(site, web, url, hosts):
    if hosts == "*":
        url = url.replace("other.example", "10.0.0.1").replace(".evil.example", ".0.0.1")
    app = start(site, web, hosts)
    app.client_id = url
    page = site.browser().fetch("/oauth2/authorize", params=app.authorization())
    assert (page.status, page.location) == (400, "")
    assert web.asked == []


FAULTY: dict[str, dict[str, Any]] = {
    "another client_id": {"client_id": URL + "/"},
    "no client_id": {"client_id": None},
    "a secret by Basic": {"token_endpoint_auth_method": "client_secret_basic"},
    "a secret by the form": {"token_endpoint_auth_method": "client_secret_post"},
    "a secret JWT": {"token_endpoint_auth_method": "client_secret_jwt"},
    "a secret": {"client_secret": "known to all"},
    "no redirect URIs": {"redirect_uris": []},
    "a script": {"redirect_uris": ["javascript:alert(1)"]},
    "redirect URIs as text": {"redirect_uris": CALLBACK},
    "an odd name": {"client_name": "a\u202eb"},
    "another grant": {"grant_types": ["client_credentials"]},
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_document_is_refused_and_not_kept(described_app, grace, web, site, name):
    good = dict(web.document)
    web.document |= FAULTY[name]
    page = grace.fetch("/oauth2/authorize", params=described_app.authorization())
    assert (page.status, page.location) == (400, "")
    assert site.rows("SELECT * FROM clients") == []
    web.document = good
    assert "code" in described_app.sign_in(grace)


@pytest.mark.parametrize("status", [302, 404, 410])
def test_a_document_that_is_not_there_is_refused(described_app, grace, web, status):
    web.status = status
    page = grace.fetch("/oauth2/authorize", params=described_app.authorization())
    assert page.status == 400


def test_an_outage_serves_the_document_that_is_kept(described_app, grace, web, site):
    described_app.sign_in(grace)
    expire(site)
    web.is_away = True
    assert "code" in described_app.sign_in(grace)
    web.is_away, web.status = False, 503
    assert "code" in described_app.sign_in(grace)
    assert len(web.asked) == 3


def test_an_outage_before_the_first_time_is_a_page(described_app, grace, web):
    web.is_away = True
    page = grace.fetch("/oauth2/authorize", params=described_app.authorization())
    assert (page.status, page.location) == (502, "")


def test_a_changed_redirect_list_counts_once_the_document_is_due(described_app, grace, web, site):
    described_app.sign_in(grace)
    web.document["redirect_uris"] = [OTHER]
    expire(site)
    page = grace.fetch("/oauth2/authorize", params=described_app.authorization())
    assert page.status == 400
    described_app.redirect_uri = OTHER
    assert "code" in described_app.sign_in(grace)
    assert len(web.asked) == 2


@pytest.mark.parametrize(
    ("said", "kept"), [(None, 600), (0, 600), (7200, 7200), (10_000_000, 86400)]
)
def test_a_document_is_kept_for_ten_minutes_to_a_day(described_app, grace, web, said, kept):
    web.fresh_seconds = said
    before = now()
    described_app.ask(grace)
    until = described_app.site.inside(lambda: described_app.client.document_until)
    assert timedelta(seconds=kept) <= until - before <= timedelta(seconds=kept + 60)


def test_the_consent_page_shows_the_host_and_quotes_the_name(described_app, grace: Browser):
    page = described_app.ask(grace)
    assert page.heading == "Share with client.example?"
    assert "that calls itself “Notes <b>&” will be able to" in page.text
    assert "any program can claim to be it" not in page.text
    assert "code" in query_of(allow(grace, page).location)


def test_a_described_client_is_listed_under_its_host(described_app, grace):
    described_app.tokens(grace)
    for path in ("/account/apps", "/account"):
        page = grace.get(path)
        assert "client.example" in page.text
        assert "Notes" not in page.text


def test_the_consent_page_warns_of_apps_on_the_device(described_app, grace, web):
    web.document["redirect_uris"] = ["http://localhost/cb", "http://127.0.0.1/cb"]
    described_app.redirect_uri = "http://localhost:41234/cb"
    page = described_app.ask(grace)
    assert page.heading == "Continue to client.example?"
    assert "any program can claim to be it" in page.text


def test_once_a_host_is_no_longer_admitted_its_clients_are_refused(described_app, grace, web, site):
    tokens = described_app.tokens(grace)
    app = start(site, web, "other.example")
    assert app.refresh(tokens.refresh).error == "invalid_client"
    page = grace.fetch("/oauth2/authorize", params=app.authorization())
    assert page.status == 400
    (row,) = site.rows("SELECT id FROM clients")
    app.client_id = row[0]
    assert app.refresh(tokens.refresh).error == "invalid_client"


def test_a_disabled_client_stays_disabled_when_its_document_is_read(described_app, grace, site):
    described_app.sign_in(grace)
    site.execute("UPDATE clients SET disabled_at = :t", t=now())
    expire(site)
    page = grace.fetch("/oauth2/authorize", params=described_app.authorization())
    assert page.status == 400


def test_an_address_makes_us_fetch_a_few_documents_a_minute(site, web, monkeypatch):
    monkeypatch.setattr(limits, "APP_FAILURES_PER_MINUTE", 3)
    app = start(site, web, "*")
    statuses = []
    for number in range(5):
        app.client_id = f"https://c{number}.example/app.json"
        page = site.browser().fetch("/oauth2/authorize", params=app.authorization())
        statuses.append(page.status)
    assert statuses == [400, 400, 400, 429, 429]
    assert len(web.asked) == 3


def test_a_described_client_may_push_its_request(described_app, web):
    answer = described_app.post("par", described_app.authorization())
    assert answer.status_code == 201
    assert web.asked == [URL]


def test_a_client_that_describes_itself_has_no_other_name(described_app, grace, site):
    """By the id of its row it would be known where its host is not admitted any more."""
    described_app.tokens(grace)
    ((row_id,),) = site.rows("SELECT id FROM clients")
    page = grace.get("/oauth2/authorize", params=described_app.authorization(client_id=row_id))
    assert (page.status, page.location) == (400, "")


def forget_documents(site: Site, days: int) -> None:
    site.execute("UPDATE clients SET document_until = :t", t=now() - timedelta(days=days))


def described_clients(site: Site) -> int:
    query = "SELECT count(*) FROM clients WHERE document_url IS NOT NULL"
    return int(site.rows(query)[0][0])


@pytest.mark.parametrize("use", ["nobody", "consent", "grant", "disabled", "rules"])
def test_a_described_client_that_nobody_used_is_deleted_after_a_week(
    described_app, grace, web, site, use
):
    if use in ("consent", "grant"):
        described_app.tokens(grace)
        table = "grants" if use == "consent" else "consents"
        site.execute(f"DELETE FROM {table}")
    else:
        described_app.ask(site.browser())
    client_id = site.rows("SELECT id FROM clients WHERE document_url IS NOT NULL")[0][0]
    if use == "disabled":
        answer(site, "clients", "disable", client_id)
    if use == "rules":
        answer(site, "clients", "set", client_id, "--allow", "provider=github")
    forget_documents(site, 6)
    assert answer(site, "purge")["deleted"]["described_clients"] == 0
    forget_documents(site, 8)
    gone = int(use == "nobody")
    assert answer(site, "purge")["deleted"]["described_clients"] == gone
    assert described_clients(site) == 1 - gone
    if gone:
        described_app.tokens(grace)
        assert described_clients(site) == 1
