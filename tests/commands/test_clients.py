"""``clients …``: applications are registered, changed, given new secrets, and deleted."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.commands.console import answer, run
from tests.eavesdropper import EAR
from tests.issuer.relying_party import App
from tests.site import Site

CALLBACK = "https://notes.example/callback"


def add(site: Site, *options: str, name: str = "Notes"):
    return run(site, "clients", "add", name, "--redirect-uri", CALLBACK, *options)


def test_adding_prints_what_the_application_needs(both):
    result = add(both)
    assert result.exit_code == 0, result.output
    told = dict(line.split(": ", 1) for line in result.stdout.splitlines())
    assert told["issuer"] == both.url
    assert told["token_endpoint"] == f"{both.url}/oauth2/token"
    assert told["may_use_it"] == "everyone"
    assert len(told["client_secret"]) >= 43
    listed = answer(both, "clients", "list")["items"]
    assert [item["client_id"] for item in listed] == [told["client_id"]]
    shown = run(both, "clients", "show", told["client_id"]).stdout
    stored = both.rows("SELECT * FROM clients")
    for text in (json.dumps(listed), shown, str(stored)):
        assert told["client_secret"] not in text


def test_a_public_client_has_no_secret_at_all(site):
    document = json.loads(add(site, "--public", "--json").stdout)
    assert "client_secret" not in document


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--redirect-uri", "http://notes.example/cb"], "use https"),
        (["--redirect-uri", "https://notes.example/cb#x"], "fragment"),
        (["--redirect-uri", "https://*.example/cb"], "wildcards"),
        (["--redirect-uri", "https://user@notes.example/cb"], "user name"),
        (["--redirect-uri", "javascript:alert(1)"], "must begin with"),
        (["--redirect-uri", "com.example.app:/cb"], "--public"),
        (["--redirect-uri", "https://notes.example/ cb"], "plain address"),
        (["--post-logout-redirect-uri", "http://notes.example"], "use https"),
        (["--backchannel-logout-uri", "ftp://notes.example"], "--backchannel-logout-uri"),
        (["--public", "--no-pkce"], "--no-pkce"),
        (["--public", "--grant", "client_credentials"], "client_credentials"),
        (["--grant", "password"], "password"),
        (["--scope", "frog"], "frog"),
        (["--allow", "domain=frog"], "domain=frog"),
        (["--allow", "user=ada"], "user=ada"),
        (["--id-token-alg", "none"], "--id-token-alg"),
        (["--access-seconds", "1"], "--access-seconds"),
    ],
)
def test_a_faulty_registration_is_refused_with_its_fault(site, options, fault):
    result = add(site, *options)
    assert result.exit_code == 1
    assert fault in result.stderr
    assert answer(site, "clients", "list")["items"] == []


def test_all_faults_are_named_together(site):
    result = add(site, "--redirect-uri", "http://a.example/", "--scope", "frog", name=" ")
    for fault in ("NAME", "http://a.example/", "frog"):
        assert fault in result.stderr


def test_a_faulty_change_is_refused_as_a_change(site):
    app = App(site)
    for command, refused in (
        (("add", "Notes"), "This client cannot be registered:"),
        (("set", app.client_id), "This client cannot be changed:"),
    ):
        result = run(site, "clients", *command, "--scope", "frog")
        assert result.exit_code == 1
        assert refused in result.stderr


def test_all_faults_of_an_api_are_named_together(site):
    faulty = ("--scope", "a b", "--scope", "openid", "--client", "nobody")
    result = run(site, "resources", "add", "api.example", *faulty)
    assert result.exit_code == 1
    for words in ("api.example: must be", "--scope a b:", "--scope openid:", "--client nobody:"):
        assert words in result.output


def test_a_new_secret_is_shown_with_what_becomes_of_the_old_one(site):
    app = App(site)
    words = run(site, "clients", "rotate-secret", app.client_id, "--overlap", "0").output
    EAR.learn(words.partition("client_secret: ")[2].split()[0])
    assert "The old secret is refused now." in words
    assert "shown this once" in words


def test_a_rotated_secret_overlaps_with_the_old_one(site, grace):
    app = App(site)
    old = app.secret
    document = answer(site, "clients", "rotate-secret", app.client_id)
    until = datetime.fromisoformat(document["old_secret_until"])
    assert abs(until - datetime.now(UTC) - timedelta(hours=24)) < timedelta(minutes=1)
    for secret in (old, document["client_secret"]):
        app.secret = secret
        assert app.tokens(grace).status == 200
    site.execute("UPDATE clients SET old_secret_until = '2026-01-01 00:00:00+00:00'")
    app.secret = old
    assert app.token(grant_type="refresh_token").error == "invalid_client"


def test_a_secret_may_be_replaced_immediately(site):
    app = App(site)
    document = answer(site, "clients", "rotate-secret", app.client_id, "--overlap", "0")
    assert app.token(grant_type="refresh_token").error == "invalid_client"
    app.secret = document["client_secret"]
    assert app.token(grant_type="refresh_token").error == "invalid_request"
    assert run(site, "clients", "rotate-secret", app.client_id, "--overlap", "soon").exit_code == 2


def test_settings_of_a_client_change_one_by_one(site):
    app = App(site, "Notes", "--allow", "everyone")
    changed = answer(
        site, "clients", "set", app.client_id, "--name", "Notes 2", "--first-party", "--allow", ""
    )
    assert (changed["name"], changed["is_first_party"], changed["allow"]) == ("Notes 2", True, [])
    assert changed["redirect_uris"] == [CALLBACK]
    refused = run(site, "clients", "set", app.client_id, "--redirect-uri", "http://a.example/")
    assert refused.exit_code == 1
    assert "use https" in refused.stderr


def test_grants_of_a_client_are_listed(site, grace):
    app = App(site)
    app.tokens(grace)
    (item,) = answer(site, "clients", "grants", app.client_id)["items"]
    assert item["user"] == grace.user_id
    assert item["scopes"] == ["openid", "profile", "email"]


def test_a_deleted_client_leaves_nothing(both):
    browser = both.browser()
    browser.sign_in("google", "grace")
    app = App(both)
    tokens = app.tokens(browser)
    assert run(both, "clients", "delete", app.client_id).exit_code == 1  # not confirmed
    assert run(both, "clients", "delete", app.client_id, "--yes").exit_code == 0
    assert app.userinfo(tokens.access).status_code == 401
    for table in ("clients", "grants", "access_tokens", "consents"):
        assert both.rows(f"SELECT count(*) FROM {table}")[0][0] == 0


@pytest.mark.parametrize("verb", ["show", "disable", "enable", "grants", "rotate-secret", "set"])
def test_an_unknown_client_is_one_line(site, verb):
    result = run(site, "clients", verb, "frog")
    assert result.exit_code == 1
    assert result.stderr == "Error: There is no such client.\n"


def test_a_machine_gets_a_token_of_its_own(site):
    app = App(site, "Cron", "--grant", "client_credentials")
    tokens = app.token(grant_type="client_credentials")
    assert tokens.status == 200
    assert not {"refresh_token", "id_token"} & set(tokens.document)
    seen = app.introspect(tokens.access)
    assert (seen["active"], seen["sub"]) == (True, app.client_id)
    assert app.userinfo(tokens.access).status_code == 403
    refused = app.token(grant_type="client_credentials", scope="openid")
    assert refused.error == "invalid_scope"


@pytest.fixture
def grace(site: Site):
    browser = site.browser()
    browser.sign_in("google", "grace")
    return browser


def test_each_person_has_a_subject_of_their_own_at_a_pairwise_client(site, grace):
    subjects = set()
    for name in ("One", "Two"):
        app = App(site, name, "--pairwise")
        tokens = app.tokens(grace)
        sub = app.claims(tokens.document["id_token"])["sub"]
        assert app.userinfo(tokens.access).json()["sub"] == sub
        assert app.claims(app.refresh(tokens.refresh).document["id_token"])["sub"] == sub
        subjects.add(sub)
    assert len(subjects) == 2
    assert grace.user_id not in subjects
