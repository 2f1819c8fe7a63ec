"""What an application behind a gate learns of its visitor."""

import time
from typing import Any

import pytest
import requests
from joserfc import jwk, jwt

from gates import identity_headers
from tests.commands.console import answer
from tests.gates.front import FETCH, IDENTITY, NOTES, WIKI, Front, add_gate
from tests.site import Site

URL = f"{WIKI}/"


@pytest.fixture
def gated(site: Site) -> Site:
    add_gate(site)
    return site


def told(front: Front, url: str = URL) -> dict[str, str]:
    """The identity headers as an application reads them, as UTF-8."""
    found = front.ask(url, **FETCH)
    assert found.status_code == 200
    return {
        name.removeprefix("X-Auth-Request-"): found.headers[name].encode("latin-1").decode()
        for name in IDENTITY
    }


def claims_of(site: Site, assertion: str) -> dict[str, Any]:
    """Verify an assertion as an application does, by the published keys."""
    keys = requests.get(f"{site.url}/oauth2/jwks", timeout=60).json()["keys"]
    token = jwt.decode(assertion, jwk.KeySet.import_key_set({"keys": keys}), algorithms=["ES256"])
    assert token.header["typ"] == "gate+jwt"
    return dict(token.claims)


def test_a_verified_person_is_named_in_all_headers(gated):
    front = Front(gated).enter()
    answer(gated, "groups", "add", "navy", str(front.browser.user_id))
    headers = told(front)
    assertion = headers.pop("Assertion")
    user_id = front.browser.user_id
    assert headers == {
        "User": user_id,
        "Email": "grace@navy.example",
        "Name": "Grace Hopper",
        "Groups": "navy",
        "Provider": "google",
    }
    claims = claims_of(gated, assertion)
    moment = time.time()
    assert moment - 5 < claims.pop("iat") <= moment
    assert moment < claims.pop("exp") <= moment + 60
    assert len(str(claims.pop("jti"))) == 32
    assert claims == {
        "iss": gated.url,
        "aud": WIKI,
        "sub": user_id,
        "email": "grace@navy.example",
        "email_verified": True,
        "name": "Grace Hopper",
        "groups": ["navy"],
        "provider": "google",
    }


def test_an_assertion_is_for_one_origin(gated):
    add_gate(gated, "notes", host=NOTES)
    front = Front(gated, gate="").enter()
    assert front.open(NOTES).status_code == 200
    assert claims_of(gated, told(front)["Assertion"])["aud"] == WIKI
    assert claims_of(gated, told(front, NOTES)["Assertion"])["aud"] == NOTES


@pytest.mark.parametrize(
    ("provider", "person"),
    [("google", "uma"), ("google", "mallory"), ("github", "noa"), ("facebook", "ada")],
)
def test_an_address_that_nobody_verified_is_not_passed_on(gated, provider, person):
    front = Front(gated)
    front.sign_in(person, provider)
    assert front.open(URL).status_code == 200
    headers = told(front)
    assert headers["Email"] == ""
    claims = claims_of(gated, headers["Assertion"])
    assert {"email", "email_verified"} & set(claims) == set()


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("Grace\r\nX-Auth-Request-User: root", "GraceX-Auth-Request-User: root"),
        (
            "Gr\u00e4ce \u2028\U0001f989 \u0644\u064a\u0644\u0649\x85",
            "Gr\u00e4ce \U0001f989 \u0644\u064a\u0644\u0649",
        ),
        ("  \t  ", ""),
        ("x" * 200, "x" * 200),
        ("", ""),
    ],
)
def test_a_name_of_any_kind_is_one_line_of_utf8(gated, name, header):
    front = Front(gated).enter()
    gated.execute("UPDATE users SET name = :name", name=name)
    assert told(front)["Name"] == header


def test_a_change_is_told_with_the_next_answer(gated):
    front = Front(gated).enter()
    before = told(front)["Assertion"]
    assert told(front)["Assertion"] == before, "made once for half a minute"
    answer(gated, "groups", "add", "zoo", str(front.browser.user_id))
    headers = told(front)
    assert headers["Groups"] == "zoo"
    assert claims_of(gated, headers["Assertion"])["groups"] == ["zoo"]


def test_an_assertion_is_made_anew_before_it_expires(gated, monkeypatch):
    front = Front(gated).enter()
    before = told(front)["Assertion"]
    assert identity_headers.KEPT_SECONDS <= identity_headers.LIFETIME_SECONDS / 2
    monkeypatch.setattr(identity_headers, "KEPT_SECONDS", 0.0)
    gated.restart()
    first = told(front)["Assertion"]
    assert first != before
    assert told(front)["Assertion"] != first


def test_the_memory_for_assertions_is_bounded(gated, monkeypatch):
    monkeypatch.setattr(identity_headers, "MAX_KEPT", 2)
    fronts = [Front(gated).enter(person=person) for person in ("grace", "linus", "ada")]
    kept = gated.app.extensions["gate_desk"]._assertions._kept
    for _ in range(2):
        assert [told(front)["Name"].split()[0] for front in fronts] == ["Grace", "Linus", "Ada"]
    assert len(kept) == 2
