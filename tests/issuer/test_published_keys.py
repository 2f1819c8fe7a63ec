"""Keys that clients publish: read from their jwks_uri or their document, again when they rotate."""

import json
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from werkzeug.wrappers import Response

from issuer.documents import Page
from tests.commands.console import answer
from tests.issuer.keyed import Keyed, Published, make_key, public
from tests.issuer.relying_party import App
from tests.issuer.test_documents import URL, Web, expire, start
from tests.issuer.times import set_back
from tests.site import Site
from views.oidc import described

FAILURES = {
    "away": lambda: Response("later", 503),
    "not JSON": lambda: Response("frog"),
    "no keys": lambda: Response('{"keys": []}'),
    "a redirect": lambda: Response("", 302, {"Location": "https://evil.example/jwks"}),
    "too much": lambda: Response(b"{" + b" " * 100_000 + b"}"),
}


@pytest.fixture
def published() -> Iterator[Published]:
    server = Published(make_key())
    yield server
    server.stop()


@pytest.fixture
def bank(site: Site, published: Published) -> Keyed:
    (key,) = published.keys
    return Keyed(site, key, "--jwks-uri", published.url)


def pass_minutes(site: Site, minutes: int) -> None:
    for column in ("asked_at", "read_at"):
        set_back(site, column, 60 * minutes, "client_keys")


def rotate(bank: Keyed, published: Published, kid: str) -> None:
    bank.key = make_key(kid=kid)
    published.keys = [bank.key]


def test_published_keys_are_read_once(bank, published, site):
    assert [bank.asks() for _ in range(3)] == [(200, "")] * 3
    assert published.asked == 1
    site.restart()
    assert bank.asks() == (200, "")
    assert published.asked == 1


def test_a_new_key_is_read_at_most_once_a_minute(bank, published, site):
    assert bank.asks() == (200, "")
    pass_minutes(site, 2)
    rotate(bank, published, "two")
    assert bank.asks() == (200, "")
    assert published.asked == 2
    rotate(bank, published, "three")
    assert [bank.asks()[0] for _ in range(3)] == [401] * 3
    assert published.asked == 2
    pass_minutes(site, 2)
    assert bank.asks() == (200, "")


def test_a_key_that_was_taken_away_stops_to_count(bank, published, site):
    assert bank.asks() == (200, "")
    published.keys = [make_key(kid="two")]
    pass_minutes(site, 11)
    assert bank.asks() == (401, "invalid_client")


@pytest.mark.parametrize("name", FAILURES)
def test_the_known_keys_count_while_new_ones_cannot_be_read(bank, published, site, name):
    assert bank.asks() == (200, "")
    published.fail = FAILURES[name]
    for _ in range(2):
        pass_minutes(site, 60)
        assert bank.asks() == (200, "")
    assert published.asked == 3
    assert bank.asks() == (200, "")
    assert published.asked == 3


def test_keys_that_were_never_read_are_no_fault_of_the_credentials(bank, published, site):
    published.fail = FAILURES["away"]
    answered = bank.token(grant_type="client_credentials")
    assert (answered.status, answered.error) == (503, "temporarily_unavailable")
    assert int(answered.headers["Retry-After"]) > 0
    published.fail = None
    pass_minutes(site, 2)
    assert bank.asks() == (200, "")


def test_keys_are_read_once_however_many_requests_come_first(both, published):
    (key,) = published.keys
    bank = Keyed(both, key, "--jwks-uri", published.url)
    with ThreadPoolExecutor(10) as pool:
        statuses = set(pool.map(lambda _number: bank.asks()[0], range(10)))
    assert 200 in statuses
    assert statuses <= {200, 503}
    assert published.asked == 1


def test_another_address_for_the_keys_counts_immediately(bank, published, site):
    assert bank.asks() == (200, "")
    other = Published(make_key(kid="other"))
    try:
        answer(site, "clients", "set", bank.client_id, "--jwks-uri", other.url)
        assert bank.asks() == (401, "invalid_client")
        (bank.key,) = other.keys
        assert bank.asks() == (200, "")
    finally:
        other.stop()


def test_a_deleted_client_leaves_no_keys(bank, site):
    bank.asks()
    answer(site, "clients", "delete", bank.client_id, "--yes")
    assert site.rows("SELECT * FROM client_keys") == []


# Clients that describe themselves.


class DescribedKeyed(Keyed):
    """An application with a document, which was never registered."""

    def __init__(self, app: App, key: Any) -> None:
        self.site, self.client_id, self.secret = app.site, app.client_id, None
        self.redirect_uri, self.http = app.redirect_uri, app.http
        self.key, self.alg = key, "ES256"
        self.verifier = secrets.token_urlsafe(48)


@pytest.fixture
def web() -> Web:
    web = Web()
    web.document["token_endpoint_auth_method"] = "private_key_jwt"
    return web


def test_a_client_that_describes_itself_may_hold_a_key(site, web, grace):
    key = make_key()
    web.document["jwks"] = public(key)
    app = DescribedKeyed(start(site, web, "client.example"), key)
    tokens = app.tokens(grace)
    assert app.refresh(tokens.refresh).status == 200
    anybody = app.http.post(
        f"{site.url}/oauth2/token",
        data={"client_id": URL, "grant_type": "refresh_token", "refresh_token": "frog"},
        timeout=60,
    )
    assert anybody.json()["error"] == "invalid_client"
    web.document["jwks"] = public(make_key(kid="two"))
    expire(site)
    app.ask(grace)
    assert app.refresh(tokens.refresh).error == "invalid_client"


def test_the_keys_of_such_a_client_are_read_as_those_of_a_stranger(site, web, grace):
    key, asked = make_key(), []
    uri = web.document["jwks_uri"] = "https://client.example/jwks"
    app = DescribedKeyed(start(site, web, "client.example"), key)

    def read(url: str, is_of_stranger: bool) -> Page:
        asked.append((url, is_of_stranger))
        return Page(200, json.dumps(public(key)).encode())

    site.app.extensions[described.KEYS_EXTENSION] = read
    assert app.tokens(grace).status == 200
    expire(site)
    assert app.tokens(grace).status == 200
    assert asked == [(uri, True)]


def test_such_a_client_cannot_lead_us_to_a_private_address(site, web, grace, published):
    (key,) = published.keys
    web.document["jwks_uri"] = "https://client.example/jwks"
    app = DescribedKeyed(start(site, web, "client.example"), key)
    code = app.sign_in(grace)["code"]
    uri = published.url.replace("http:", "https:")
    for private in (published.url, uri, uri.replace("127.0.0.1", "localhost")):
        site.execute("DELETE FROM client_keys")
        site.execute("UPDATE clients SET jwks_uri = :uri", uri=private)
        assert app.exchange(code).status == 503
    assert published.asked == 0


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"jwks": "frog"},
        {"jwks": {"keys": []}},
        {"jwks": public(make_key()), "jwks_uri": "https://client.example/jwks"},
        {"jwks": {"keys": [make_key().as_dict(private=True)]}},
        {"jwks_uri": "http://client.example/jwks"},
        {"jwks_uri": "https://127.0.0.1/jwks"},
        {"jwks_uri": "https://client.example/../jwks"},
        {"jwks_uri": 7},
    ],
)
def test_a_document_with_faulty_keys_is_refused(site, web, grace, members):
    web.document |= members
    app = start(site, web, "client.example")
    page = grace.fetch("/oauth2/authorize", params=app.authorization())
    assert (page.status, page.location) == (400, "")
    assert site.rows("SELECT id FROM clients") == []
