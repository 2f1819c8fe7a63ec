"""Checks that stand behind other checks: each is met by a request that only it refuses."""

import pytest
import requests

from issuer.signing_keys import key_ring
from storage import now
from tests.commands.console import answer as command
from tests.issuer.relying_party import CALLBACK, App, allow, query_of
from tests.issuer.test_devices import begin, make_tv, poll, type_code
from tests.issuer.test_resources import Key, exchange_with

API = "https://api.example/"


def test_a_disabled_client_is_refused_at_every_endpoint_of_programs(site):
    """What it asks for itself hangs on no grant that could have ended."""
    command(site, "resources", "add", API, "--scope", "files")
    cron = App(site, "Cron", "--grant", "client_credentials", "--resource", API)
    tv = make_tv(site)
    for each in (cron, tv):
        command(site, "clients", "disable", each.client_id)
    form = {"grant_type": "client_credentials", "resource": API, "token": "x"}
    for endpoint in ("token", "introspect", "revoke", "par"):
        refused = cron.post(endpoint, {**cron.authorization(), **form})
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client"), endpoint
    assert tv.post("device_authorization", {}).status_code == 401


def test_a_client_that_acts_for_itself_has_no_scope_of_people(site):
    app = App(
        site, "Cron", "--grant", "client_credentials", "--scope", "openid", "--scope", "email"
    )
    for scope in ("openid", "email", "openid email"):
        assert app.token(grant_type="client_credentials", scope=scope).error == "invalid_scope"


@pytest.mark.parametrize("scheme", ["Bearer", "DPoP"])
def test_a_token_that_is_bound_to_a_key_does_not_open_our_api(grace, site, scheme):
    """Our API checks no proofs."""
    options = ("--public", "--redirect-uri", CALLBACK, "--scope", "openid", "--scope", "account")
    phone = App(site, "Phone", *options)
    key = Key()
    code = phone.sign_in(grace, scope="openid account")["code"]
    proof = key.proof("POST", f"{site.url}/oauth2/token")
    access = exchange_with(phone, code, proof).json()["access_token"]
    me = f"{site.url}/api/v1/me"
    headers = {"Authorization": f"{scheme} {access}", "DPoP": key.proof("GET", me, access)}
    assert requests.get(me, headers=headers, timeout=60).status_code == 401


def test_a_pushed_request_is_bound_to_the_key_that_it_was_proved_with(app, grace, site):
    key, url = Key(), f"{site.url}/oauth2/par"
    other = {"dpop_jkt": Key().jkt}
    headers = {"DPoP": key.proof("POST", url)}
    secret = {"client_secret": app.secret}
    refused = app.post("par", app.authorization() | other | secret, headers=headers)
    assert refused.json()["error"] == "invalid_grant"
    headers = {"DPoP": key.proof("POST", url)}
    pushed = app.post("par", app.authorization() | secret, headers=headers).json()
    asked = {"client_id": app.client_id, "request_uri": pushed["request_uri"]}
    page = allow(grace, grace.get("/oauth2/authorize", params=asked))
    assert app.exchange(query_of(page.location)["code"]).error == "invalid_grant"


def test_a_hint_of_a_client_with_its_own_subjects_means_nobody_elsewhere(app, grace, site):
    """Else a subject that one client made up would be compared with another's."""
    private = App(site, "Private", "--pairwise")
    hints = {each.client_id: each.tokens(grace).document["id_token"] for each in (app, private)}
    for here, there in ((app, private), (private, app)):
        asked = here.ask(grace, prompt="none", id_token_hint=hints[there.client_id])
        assert query_of(asked.location)["error"] == "login_required"
        own = here.ask(grace, prompt="none", id_token_hint=hints[here.client_id])
        assert "code" in query_of(own.location)


def test_a_sign_out_needs_a_hint_of_this_issuer(app, grace, site):
    """A site that changed its public URL may have its keys still."""
    claims = app.claims(app.tokens(grace).document["id_token"])
    other = claims | {"iss": "https://old.example"}
    hint = site.inside(lambda: key_ring().sign("RS256", other))
    assert grace.get("/oauth2/logout", params={"id_token_hint": hint}).status == 400
    assert grace.me() is not None


@pytest.mark.parametrize("claim", ["sub", "sid"])
def test_a_hint_of_another_person_or_session_asks(app, grace, site, claim):
    claims = app.claims(app.tokens(grace).document["id_token"])
    hint = site.inside(lambda: key_ring().sign("RS256", claims | {claim: "0" * 32}))
    page = grace.get("/oauth2/logout", params={"id_token_hint": hint})
    assert page.status == 200
    assert "/oauth2/logout/confirm" in page.html
    assert grace.me() is not None


def test_only_people_who_may_use_a_client_can_connect_its_devices(grace, site):
    tv = make_tv(site)
    begun = begin(tv)
    command(site, "clients", "set", tv.client_id, "--allow", "domain=elsewhere.example")
    for answer in ("", "allow"):
        assert type_code(grace, begun["user_code"], answer).status == 403
    assert poll(tv, begun).error == "authorization_pending"
    assert site.rows("SELECT count(*) FROM grants")[0][0] == 0


def test_a_grant_that_expired_while_its_session_lives_is_refused(app, grace, site):
    tokens = app.tokens(grace)
    for column in ("expires_at", "idle_until"):
        past = now().replace(year=2026, month=1)
        rows = site.rows(f"SELECT {column} FROM grants")
        site.execute(f"UPDATE grants SET {column} = :past", past=past.isoformat(" "))
        assert app.refresh(tokens.refresh).error == "invalid_grant"
        assert not app.is_active(tokens.refresh)
        site.execute(f"UPDATE grants SET {column} = :value", value=rows[0][0])
    assert app.refresh(tokens.refresh).status == 200


def test_a_token_does_nothing_once_the_rule_of_its_client_changed(app, grace, site):
    """Also where the change ended no grant: by a group or an address that was lost."""
    tokens = app.tokens(grace)
    site.execute("UPDATE clients SET allow = :rules", rules='["domain=elsewhere.example"]')
    assert app.userinfo(tokens.access).status_code == 401
    assert not app.is_active(tokens.access)
    assert not app.is_active(tokens.refresh)
    assert app.refresh(tokens.refresh).error == "invalid_grant"
    site.execute("UPDATE clients SET allow = '[]'")
    assert app.userinfo(tokens.access).status_code == 200
