"""Events, the log, applications and outboxes, for programs of administrators."""

from tests.commands.test_users import id_of, sign_in
from tests.issuer.relying_party import App
from tests.views.admin.test_further_pages import wait_long
from tests.views.api.admin.program import Program, acts_of
from tests.views.api.client import problem

BY_US = "Steward (application)"


def test_events_of_everybody_are_found_by_kind_provider_and_reference(both):
    program, grace = Program(both), sign_in(both, "grace")
    grace.link("github", "grace")
    (linked,) = program.read("/events", kind="linked")["items"]
    assert (linked["user_id"], linked["text"]) == (id_of(grace), "Connected GitHub")
    assert program.read("/events", provider="github")["items"] == [linked]
    reference = linked["request_id"].lower()
    assert program.read("/events", reference=reference)["items"] == [linked]
    everything = program.read("/events")["items"]
    assert len(everything) > 1
    pages, cursor = [], None
    for _ in everything:
        page = program.read("/events", limit=1, **({"cursor": cursor} if cursor else {}))
        pages += page["items"]
        cursor = page["next_cursor"]
    assert (pages, cursor) == (everything, None)


def test_the_log_comes_in_pages_and_nothing_changes_it(site, program):
    user = id_of(sign_in(site, "grace"))
    for act in ("disable", "enable", "disable"):
        program.act("POST", f"/users/{user}/{act}", 200)
    first = program.read("/log", limit=2)
    rest = program.read("/log", cursor=first["next_cursor"])
    acts = [each["act"] for each in (*first["items"], *rest["items"])]
    assert acts == ["account_disabled", "account_enabled", "account_disabled", "client_added"]
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in ("/log", f"/log/{first['items'][0]['id']}"):
            assert program.send(method, path).status in (404, 405)
    assert len(acts_of(site)) == 4


def test_applications_are_listed_without_secrets_disabled_and_enabled(site, program):
    app = App(site, "Wiki")
    page = program.send("GET", "/applications")
    listed = {each["client_id"]: each for each in page.response.json()["items"]}
    assert listed[app.client_id]["redirect_uris"] == [app.redirect_uri]
    hashes = [secret for row in site.rows("SELECT secret_hash FROM clients") for secret in row]
    assert not any(secret in page.html for secret in (*hashes, app.secret))
    path = f"/applications/{listed[app.client_id]['id']}"
    assert program.act("POST", f"{path}/disable", 200)["disabled_at"]
    assert app.post("introspect", {"token": "x"}).status_code == 401
    assert program.act("POST", f"{path}/enable", 200)["disabled_at"] is None
    assert acts_of(site)[:2] == [("client_enabled", BY_US), ("client_disabled", BY_US)]


def test_a_program_that_disables_itself_is_out(site, program):
    program.act("POST", f"/applications/{program.client_id}/disable", 200)
    assert problem(program.send("GET", "/users")) == (401, "invalid_token")


def test_outboxes_are_counted_and_tried_again_now(site, program):
    wait_long(site, App(site))
    for box in program.read("/outboxes")["items"]:
        assert box["waiting"] == 1
        assert box["oldest_seconds"] >= 5 * 3600 - 1
        assert program.act("POST", f"/outboxes/{box['name']}/retry", 200) == {"number": 1}
    assert acts_of(site)[:3] == [("outbox_retried", BY_US)] * 3
