"""Signing keys: next, current and previous; published, rotated, withdrawn, sealed."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from issuer import signing_keys
from issuer.signing_keys import KeyUnreadable
from tests.commands.console import answer
from tests.issuer.relying_party import App
from tests.site import Site


def states(site: Site, alg: str = "RS256") -> list[str]:
    items = answer(site, "signing-keys", "list")["items"]
    return [key["state"] for key in items if key["alg"] == alg]


def set_back_keys(site: Site, days: float) -> None:
    is_postgres = "postgresql" in str(site.app.config["SQLALCHEMY_DATABASE_URI"])
    hours = int(days * 24)
    earlier = f"active_from - interval '{hours} hours'"
    if not is_postgres:
        earlier = f"strftime('%Y-%m-%d %H:%M:%f000', active_from, '-{hours} hours')"
    site.execute(f"UPDATE signing_keys SET active_from = {earlier}")


def reread(site: Site) -> None:
    site.inside(lambda: signing_keys.key_ring()._read())


def kids(site: Site) -> set[str]:
    document = requests.get(f"{site.url}/oauth2/jwks", timeout=60).json()
    return {key["kid"] for key in document["keys"]}


def test_the_published_keys_are_public_and_may_be_cached(site):
    published = requests.get(f"{site.url}/oauth2/jwks", timeout=60)
    assert published.headers["Cache-Control"] == "public, max-age=300"
    assert published.headers["Access-Control-Allow-Origin"] == "*"
    keys = published.json()["keys"]
    assert {key["alg"] for key in keys} == {"RS256", "ES256"}
    for key in keys:
        assert key["use"] == "sig"
        assert key["kid"]
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)


def test_both_documents_announce_the_same(site):
    documents = [
        requests.get(f"{site.url}/.well-known/{name}", timeout=60)
        for name in ("openid-configuration", "oauth-authorization-server")
    ]
    first, second = (each.json() for each in documents)
    assert first == second
    assert first["issuer"] == site.url
    assert first["code_challenge_methods_supported"] == ["S256"]
    assert first["authorization_response_iss_parameter_supported"] is True
    assert "RS256" in first["id_token_signing_alg_values_supported"]
    assert documents[0].headers["Access-Control-Allow-Origin"] == "*"
    for name, value in first.items():
        if name.endswith(("_endpoint", "_uri")):
            assert value.startswith(f"{site.url}/oauth2/")
            assert requests.get(value, timeout=60).status_code != 404


def test_a_rotated_key_is_published_before_it_signs_and_after(both):
    browser = both.browser()
    browser.sign_in("google", "grace")
    app = App(both, "Notes", "--first-party")
    old = app.tokens(browser).document["id_token"]
    assert states(both) == ["current"]
    answer(both, "signing-keys", "rotate")
    assert states(both) == ["next", "current"]
    reread(both)
    next_kids = kids(both)
    still = app.tokens(browser).document["id_token"]
    assert app.header(still)["kid"] == app.header(old)["kid"]
    set_back_keys(both, 1.1)
    assert states(both) == ["current", "previous"]
    reread(both)
    new = app.tokens(browser).document["id_token"]
    assert app.header(new)["kid"] != app.header(old)["kid"]
    assert app.header(new)["kid"] in next_kids
    assert app.claims(old)["sub"] == app.claims(new)["sub"]
    set_back_keys(both, 2.1)
    reread(both)
    assert states(both) == ["current", "retired"]
    assert app.header(old)["kid"] not in kids(both)
    # A hint may be older than the key that signed it.
    assert "code=" in app.ask(browser, id_token_hint=old, prompt="none").location


def test_a_rotation_before_the_first_request_leaves_a_key_that_signs(site, grace):
    answer(site, "signing-keys", "rotate")
    assert states(site) == ["next", "current"]
    tokens = App(site, "Notes", "--first-party").tokens(grace)
    assert tokens.document["id_token"]


def test_rotate_now_takes_a_minute_and_loses_no_token(site, grace):
    app = App(site, "Notes", "--first-party")
    old = app.tokens(grace).document["id_token"]
    by_alias = answer(site, "keys", "rotate", "--now")["items"]
    assert {key["state"] for key in by_alias} == {"next"}
    set_back_keys(site, 1 / 24)
    reread(site)
    new = app.tokens(grace).document["id_token"]
    assert app.header(new)["kid"] != app.header(old)["kid"]
    assert app.claims(old)["sub"] == grace.user_id


def test_keys_rotate_by_themselves_in_time(both):
    kids(both)
    assert both.inside(signing_keys.keep_up) == 0
    set_back_keys(both, 89.5)
    assert both.inside(signing_keys.keep_up) == 2
    assert both.inside(signing_keys.keep_up) == 0
    assert states(both) == ["next", "current"]
    set_back_keys(both, 1)
    assert states(both) == ["current", "previous"]
    set_back_keys(both, 3)
    both.inside(signing_keys.keep_up)
    private = both.rows("SELECT private FROM signing_keys WHERE number = 1")
    assert {row[0] for row in private} == {None}


def test_a_withdrawn_key_is_refused_and_replaced(site, grace):
    app = App(site, "Notes", "--first-party")
    old = app.tokens(grace).document["id_token"]
    kid = app.header(old)["kid"]
    answer(site, "signing-keys", "withdraw", kid, "--yes")
    reread(site)
    assert kid not in kids(site)
    assert "error=invalid_request" in app.ask(grace, id_token_hint=old).location
    assert app.header(app.tokens(grace).document["id_token"])["kid"] != kid
    assert sorted(states(site)) == ["current", "withdrawn"]


def test_concurrent_first_requests_make_one_key_of_each_kind(both):
    barrier = threading.Barrier(8)

    def make(_number: int) -> None:
        barrier.wait(30)
        for alg in ("RS256", "ES256"):
            both.inside(signing_keys.ensure, alg)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(make, range(8)))
    assert both.rows("SELECT count(*) FROM signing_keys")[0][0] == 2


def test_private_keys_are_sealed_and_a_lost_key_is_a_named_fault(site):
    before = kids(site)
    (row, *_rest) = site.rows("SELECT private FROM signing_keys")
    assert row[0].startswith("1.")
    assert '"d"' not in row[0]
    site.restart(SECRET_KEY="another key that is long enough to sign with")
    with pytest.raises(KeyUnreadable, match="TOKEN_ENCRYPTION_KEYS"):
        reread(site)
    assert requests.get(f"{site.url}/oauth2/jwks", timeout=60).status_code >= 500
    assert site.rows("SELECT count(*) FROM signing_keys")[0][0] == len(before)


def test_a_client_may_have_es256(site, grace):
    app = App(site, "Notes", "--id-token-alg", "ES256")
    token = app.tokens(grace).document["id_token"]
    assert app.header(token)["alg"] == "ES256"
    assert app.claims(token)["sub"] == grace.user_id
