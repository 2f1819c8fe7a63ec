"""Whom the administrators' API lets in: programs with the scope admin, and nobody else."""

import pytest

from tests.commands.console import answer, run
from tests.commands.test_users import id_of, sign_in
from tests.issuer.keyed import MACHINE
from tests.issuer.relying_party import App
from tests.views.admin.conftest import make_admin
from tests.views.api.admin.program import OPTIONS, PREFIX, Program, acts_of
from tests.views.api.client import csrf, problem
from web import limits

API = "https://api.example.org"
USERS = f"{PREFIX}/users"


def test_without_the_setting_there_is_no_such_api(make_site):
    site = make_site()
    program = Program(site)
    for path in ("/users", "/log", "/events"):
        assert problem(program.send("GET", path)) == (404, "not_found")
    assert "/admin" not in site.browser().fetch("/openapi.json").html


def test_the_api_works_without_the_pages(make_site):
    program = Program(make_site(ADMIN_API="on", ADMIN="off"))
    assert program.read("/users")["items"] == []


def test_without_a_token_the_answer_is_a_challenge(site, program):
    grace = id_of(sign_in(site, "grace"))
    for method, path in (("GET", USERS), ("POST", f"{USERS}/{grace}/disable"), ("DELETE", USERS)):
        page = site.browser().fetch(path, method)
        if page.status != 405:
            assert problem(page) == (401, "unauthorized")
            assert page.headers["WWW-Authenticate"] == 'Bearer realm="admin"'
    for header in ("Bearer x", f"Basic {program.bearer}", f"Bearer {program.bearer} x", "Bearer"):
        page = site.browser().fetch(USERS, headers={"Authorization": header})
        assert page.status == 401
        assert page.headers["WWW-Authenticate"].startswith("Bearer ")
    sent = {"access_token": program.bearer}
    in_form = site.browser().fetch(f"{USERS}/{grace}/disable", "POST", data=sent)
    assert problem(in_form) == (401, "unauthorized")
    assert problem(site.browser().fetch(USERS, params=sent)) == (401, "unauthorized")


def test_the_session_of_an_administrator_opens_nothing(site):
    admin = make_admin(site)
    path = f"{USERS}/{id_of(admin)}/disable"
    assert problem(admin.fetch(USERS)) == (401, "unauthorized")
    assert problem(admin.fetch(path, "POST", headers=csrf(admin))) == (401, "unauthorized")
    form = {"csrf_token": admin.get("/account").csrf_token}
    assert problem(admin.fetch(path, "POST", data=form)) == (401, "unauthorized")


def test_the_token_of_a_person_opens_nothing_even_of_an_administrator(site):
    """Nobody can consent to the scope; what is asked beyond that is dropped."""
    admin = make_admin(site)
    usual = ("--grant", "authorization_code", "--scope", "openid", "--scope", "account")
    program = Program(site, "Steward", *OPTIONS, *usual, "--first-party")
    tokens = program.tokens(admin, scope="openid account admin")
    assert tokens.document["scope"] == "openid account"
    assert site.rows("SELECT scopes FROM grants") == [("openid account",)]
    assert problem(program.send("GET", "/users", tokens.access)) == (403, "insufficient_scope")
    refused = program.send("POST", f"/users/{id_of(admin)}/disable", tokens.access)
    assert problem(refused) == (403, "insufficient_scope")
    assert 'scope="admin"' in refused.headers["WWW-Authenticate"]
    assert acts_of(site) == [("client_added", "command line"), ("admin_made", "command line")]


def test_a_device_gets_no_token_to_administer(site):
    program = Program(site, "Steward", *OPTIONS, "--grant", "device")
    begun = program.post("device_authorization", {"scope": "openid admin"}).json()
    assert begun["user_code"]
    assert site.rows("SELECT scopes FROM device_codes") == [("",)]


def test_a_program_needs_the_scope_that_the_operator_gave_it(site):
    plain = App(site, "Plain", "--grant", "client_credentials")
    assert plain.token(**MACHINE, scope="admin").error == "invalid_scope"
    program = Program(site)
    without = program.token(**MACHINE).access
    assert problem(program.send("GET", "/users", without)) == (403, "insufficient_scope")
    assert program.send("GET", "/users").status == 200


def test_what_a_program_loses_ends_its_tokens_immediately(site, program):
    assert program.send("GET", "/users").status == 200
    answer(site, "clients", "set", program.client_id, "--scope", "openid")
    assert problem(program.send("GET", "/users")) == (403, "insufficient_scope")
    answer(site, "clients", "set", program.client_id, "--scope", "admin")
    assert program.send("GET", "/users").status == 200
    answer(site, "clients", "disable", program.client_id)
    assert problem(program.send("GET", "/users")) == (401, "invalid_token")


def test_the_scope_admin_of_another_api_opens_nothing_here(site):
    """A token for a resource is for that alone, whatever its scopes are called."""
    answer(site, "resources", "add", API, "--scope", "admin")
    other = App(site, "Other", "--grant", "client_credentials", "--resource", API)
    jwt = other.token(**MACHINE, scope="admin", resource=API)
    assert jwt.document["scope"] == "admin"
    program = Program(site, "Steward", *OPTIONS, "--resource", API)
    own = program.token(**MACHINE, scope="admin", resource=API)
    for token in (jwt.access, own.access):
        assert problem(program.send("GET", "/users", token)) == (401, "invalid_token")


@pytest.mark.parametrize(
    "options",
    [
        ("--redirect-uri", "https://x.example/back"),
        ("--redirect-uri", "https://x.example/back", "--public"),
        ("--grant", "device"),
    ],
)
def test_only_a_program_with_credentials_is_registered_with_the_scope(site, options):
    refused = run(site, "clients", "add", "Steward", "--scope", "admin", *options)
    assert refused.exit_code != 0
    assert "--scope admin: only with --grant client_credentials" in refused.output
    assert "admin" not in site.browser().fetch("/.well-known/openid-configuration").html


def test_the_api_is_for_the_networks_that_the_settings_name(make_site):
    site = make_site(ADMIN_API="on", ADMIN_NETWORKS="192.0.2.0/24", TRUSTED_PROXIES="1")
    program = Program(site)
    near, far = ({"X-Forwarded-For": address} for address in ("192.0.2.7", "198.51.100.1"))
    assert program.send("GET", "/users", headers=near).status == 200
    assert problem(program.send("GET", "/users", headers=far)) == (404, "not_found")
    assert problem(site.browser().fetch(USERS, headers=far)) == (404, "not_found")
    assert problem(program.send("OPTIONS", "/users", headers=far)) == (404, "not_found")


def test_a_program_may_change_so_much_in_a_minute(make_site, monkeypatch):
    monkeypatch.setattr(limits, "ADMIN_ACTS_PER_MINUTE", 2)
    site = make_site(ADMIN_API="on")
    program = Program(site)
    path = f"/users/{id_of(sign_in(site, 'grace'))}/enable"
    assert [program.send("POST", path).status for _ in range(3)] == [200, 200, 429]
    assert program.send("GET", "/users").status == 200
    assert Program(site, "Other").send("POST", path).status == 200
