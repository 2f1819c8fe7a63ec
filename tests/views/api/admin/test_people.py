"""Programs see and change people as the operator's pages do, with the same lines in the logs."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.accounts.membership import ORG, Members
from tests.commands.console import answer
from tests.commands.test_users import email_of, id_of, sign_in, subject_of
from tests.views.admin.conftest import make_admin
from tests.views.admin.test_reinstating import ACTS, endanger
from tests.views.api.admin.program import Program, acts_of
from tests.views.api.client import problem
from web import limits

BY_US = "Steward (application)"


def test_people_are_found_as_on_the_pages(both):
    program = Program(both)
    ada, grace = make_admin(both), sign_in(both, "grace")
    answer(both, "groups", "add", "staff", id_of(grace))
    found = program.read("/users")["items"]
    assert [each["id"] for each in found] == [id_of(grace), id_of(ada)]
    assert [each["is_admin"] for each in found] == [False, True]
    for text in (id_of(grace), subject_of(grace), email_of(grace), "hopper"):
        (item,) = program.read("/users", q=text)["items"]
        assert (item["id"], item["email_verified"]) == (id_of(grace), True)
    assert item["groups"] == ["staff"]
    assert [each["provider"] for each in item["identities"]] == ["google"]
    assert program.read(f"/users/{id_of(grace)}") == item
    assert program.read("/users", q="%")["items"] == []
    assert [each["id"] for each in program.read("/users", only="admins")["items"]] == [id_of(ada)]


def test_people_come_in_pages_that_go_on_when_the_last_one_is_gone(both):
    program = Program(both)
    people = [id_of(sign_in(both, person)) for person in ("ada", "grace", "linus")]
    first = program.read("/users", limit=1)
    assert [each["id"] for each in first["items"]] == people[2:]
    program.act("DELETE", f"/users/{people[2]}")
    second = program.read("/users", limit=1, cursor=first["next_cursor"])
    last = program.read("/users", limit=1, cursor=second["next_cursor"])
    assert [each["id"] for each in (*second["items"], *last["items"])] == [people[1], people[0]]
    assert last["next_cursor"] is None


def test_disabling_closes_the_account_and_is_a_line_for_the_person_and_in_the_log(both):
    program, grace = Program(both), sign_in(both, "grace")
    user = id_of(grace)
    assert program.act("POST", f"/users/{user}/disable", 200)["disabled_at"]
    assert grace.fetch("/api/v1/me").status == 401
    assert program.act("POST", f"/users/{user}/enable", 200)["disabled_at"] is None
    program.act("POST", f"/users/{user}/enable", 200)
    assert acts_of(both)[:3] == [
        ("account_enabled", BY_US),
        ("account_disabled", BY_US),
        ("client_added", "command line"),
    ]
    (item,) = [each for each in program.read("/log")["items"] if each["act"] == "account_disabled"]
    assert (item["admin_id"], item["user_id"]) == (program.client_id, user)
    assert item["address"] == "127.0.0.1"
    again = sign_in(both, "grace")
    assert f"by {BY_US}" in again.get("/account/activity").text
    told = {each["kind"]: each for each in program.read(f"/users/{user}/activity")["items"]}
    assert told["switched_off"]["ip_address"] == ""


def test_sessions_are_listed_and_ended(site, program):
    grace, other = sign_in(site, "grace"), sign_in(site, "grace")
    path = f"/users/{id_of(grace)}/sessions"
    listed = program.read(path)["items"]
    assert [each["provider"] for each in listed] == ["google", "google"]
    program.act("DELETE", f"{path}/{listed[0]['id']}")
    assert sorted([grace.me() is None, other.me() is None]) == [False, True]
    assert problem(program.send("DELETE", f"{path}/{listed[0]['id']}")) == (404, "not_found")
    program.act("DELETE", path)
    assert (grace.me(), other.me()) == (None, None)
    assert acts_of(site)[:2] == [("sessions_ended", BY_US), ("session_ended", BY_US)]


def test_a_way_in_is_removed_but_never_the_last(site, program):
    grace = sign_in(site, "grace")
    grace.link("github", "grace")
    path = f"/users/{id_of(grace)}"
    google, github = program.read(path)["identities"]
    program.act("DELETE", f"{path}/identities/{google['id']}")
    assert acts_of(site)[0] == ("identity_removed", BY_US)
    last = program.send("DELETE", f"{path}/identities/{github['id']}")
    assert problem(last) == (409, "last_way_in")
    assert problem(program.send("DELETE", f"{path}/identities/{google['id']}")) == (
        404,
        "not_found",
    )
    assert len(program.read(path)["identities"]) == 1


def test_a_person_joins_and_leaves_a_group(site, program):
    grace = sign_in(site, "grace")
    path = f"/users/{id_of(grace)}/groups"
    program.act("PUT", f"{path}/staff")
    program.act("PUT", f"{path}/staff")
    me = grace.me()
    assert me
    assert me["groups"] == ["staff"]
    program.act("DELETE", f"{path}/staff")
    assert problem(program.send("DELETE", f"{path}/staff")) == (404, "not_found")
    assert problem(program.send("PUT", f"{path}/Staff")) == (404, "not_found")
    assert acts_of(site)[:2] == [("group_left", BY_US), ("group_joined", BY_US)]


def test_a_suspension_a_hold_and_a_planned_deletion_are_undone(site, program):
    grace = sign_in(site, "grace")
    identity_id = endanger(site, grace)
    path = f"/users/{id_of(grace)}"
    shown = program.read(path)
    assert [shown["held_at"], shown["delete_due_at"], shown["identities"][0]["suspended_at"]]
    assert [each["id"] for each in program.read("/users?only=held")["items"]] == [shown["id"]]
    for act in (f"/identities/{identity_id}/lift", "/release", "/keep"):
        program.act("POST", path + act, 200)
        assert problem(program.send("POST", path + act)) == (404, "not_found")
    shown = program.read(path)
    assert (shown["held_at"], shown["delete_due_at"]) == (None, None)
    assert shown["identities"][0]["suspended_at"] is None
    assert [each[0] for each in acts_of(site)[:3]] == ACTS


def test_the_last_administrator_is_kept(site, program):
    admin = make_admin(site)
    path = f"/users/{id_of(admin)}"
    for method, act in (("POST", "/disable"), ("DELETE", ""), ("DELETE", "/admin")):
        assert problem(program.send(method, path + act)) == (409, "last_admin")
    make_admin(site, "grace")
    program.act("DELETE", f"{path}/admin")
    assert acts_of(site)[0] == ("admin_unmade", BY_US)
    assert admin.fetch("/admin/people").status == 404
    assert problem(program.send("DELETE", f"{path}/admin")) == (404, "not_found")


def test_an_account_is_exported_and_deleted(site, program):
    grace = sign_in(site, "grace")
    path = f"/users/{id_of(grace)}"
    exported = program.act("POST", f"{path}/export", 200)
    assert exported["profile"]["name"] == "Grace Hopper"
    assert f"by {BY_US}" in grace.get("/account/activity").text
    program.act("DELETE", path)
    assert site.user_count() == 0
    assert problem(program.send("GET", path)) == (404, "not_found")
    assert problem(program.send("POST", f"{path}/export")) == (404, "not_found")
    assert acts_of(site)[:2] == [("account_deleted", BY_US), ("account_exported", BY_US)]


def test_accounts_that_wait_are_approved_or_rejected(make_site):
    site = make_site(ADMIN_API="on", SIGNUPS="approval")
    program = Program(site)
    grace, linus = site.browser(), site.browser()
    grace.sign_in("google", "grace")
    linus.sign_in("google", "linus")
    second, first = (each["id"] for each in program.read("/users")["items"])
    assert program.read(f"/users/{first}")["pending_at"]
    assert program.act("POST", f"/users/{first}/approve", 200)["pending_at"] is None
    assert grace.me()
    program.act("POST", f"/users/{second}/reject")
    assert site.user_count() == 1
    assert problem(program.send("POST", f"/users/{first}/reject")) == (404, "not_found")
    assert acts_of(site)[:2] == [("account_rejected", BY_US), ("account_approved", BY_US)]


def test_the_results_of_the_rules_of_access_are_explained(make_site):
    members = Members(make_site)
    path = f"/users/{id_of(members.signed_in('ada'))}/access"
    members.site.restart(ADMIN_API="on")
    program = Program(members.site)
    told = program.read(path)
    ((rule,),) = (each["rules"] for each in told["identities"])
    assert (told["is_in"], told["denied"]) == (True, None)
    assert (rule["rule"], rule["standing"], rule["counts"]) == ("github.org=acme", "met", True)
    assert rule["checked_at"].endswith("Z")
    members.site.restart(ACCESS_RULES=ORG + '[deny]\nemails = ["ada@gmail.com"]\n')
    assert program.read(path)["denied"] == "deny.emails=ada@gmail.com"


def test_without_rules_of_access_there_is_nothing_to_explain(site, program):
    path = f"/users/{id_of(sign_in(site, 'grace'))}/access"
    assert problem(program.send("GET", path)) == (404, "not_found")


def test_of_eight_deletions_at_once_one_deletes_and_the_others_find_nobody(both):
    """The program is not the one who was deleted, so none is a 401."""
    program = Program(both)
    path = f"/users/{id_of(sign_in(both, 'grace'))}"
    with ThreadPoolExecutor(8) as threads:
        statuses = list(threads.map(lambda _: program.send("DELETE", path).status, range(8)))
    assert sorted(statuses) == [204, *[404] * 7]
    assert [act for act, _ in acts_of(both)].count("account_deleted") == 1


ODD = ("%00", "0" * 32, "x' OR 1=1 --", "%F0%9F%98%80", "A" * 32, "a" * 5000)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_no_odd_value_is_an_error_of_ours(make_site, monkeypatch, database):
    monkeypatch.setattr(limits, "ADMIN_ACTS_PER_MINUTE", 1000)
    site = make_site(database, ADMIN_API="on")
    program = Program(site)
    user = id_of(sign_in(site, "grace"))
    for odd in ODD:
        for name in ("users?q", "events?kind", "events?provider", "events?reference"):
            page = program.send("GET", f"/{name}={odd}")
            assert page.status in (200, 400), name
            assert page.response.json().get("items", []) == []
        for method, path in (
            *(("GET", f"/users/{odd}"), ("DELETE", f"/users/{odd}")),
            ("DELETE", f"/users/{user}/sessions/{odd}"),
            ("DELETE", f"/users/{user}/groups/{odd}"),
            ("DELETE", f"/users/{user}/identities/{odd}"),
            ("POST", f"/applications/{odd}/disable"),
            ("POST", f"/outboxes/{odd}/retry"),
        ):
            assert problem(program.send(method, path)) == (404, "not_found"), path
    assert site.user_count() == 1
