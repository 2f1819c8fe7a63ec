"""Groups, gates and providers, for programs of administrators."""

from typing import Any

from tests.commands.console import answer
from tests.commands.test_users import id_of, sign_in
from tests.views.api.admin.program import PREFIX, Program, acts_of
from tests.views.api.client import faults, problem

BY_US = "Steward (application)"


def test_groups_and_their_people_are_listed_in_pages(both):
    program = Program(both)
    people = sorted(id_of(sign_in(both, person)) for person in ("ada", "grace", "linus"))
    for user in people:
        answer(both, "groups", "add", "staff", user)
    assert program.read("/groups")["items"] == [{"name": "staff", "members": 3}]
    first = program.read("/groups/staff/members", limit=2)
    rest = program.read("/groups/staff/members", limit=2, cursor=first["next_cursor"])
    assert [each["user_id"] for each in (*first["items"], *rest["items"])] == people
    assert rest["next_cursor"] is None
    assert {each["source"] for each in first["items"]} == {"manual"}
    for nobody in ("nobody", "%00", "Staff"):
        page = program.send("GET", f"/groups/{nobody}/members")
        assert problem(page) == (404, "not_found")


def test_the_rules_of_a_gate_are_replaced(both):
    program = Program(both)
    answer(both, "gates", "add", "wiki", "--host", "https://wiki.example.org")
    (gate,) = program.read("/gates")["items"]
    assert (gate["hosts"], gate["allow"]) == (["https://wiki.example.org"], [])
    assert gate["sessions"] == 0
    assert gate["forward_auth"] == f"{both.url}/forward-auth/wiki"
    rules = ["group=staff", "domain=example.org", "group=staff"]
    changed = program.send("PATCH", "/gates/wiki", json={"allow": rules})
    assert changed.response.json()["allow"] == rules[:2]
    assert answer(both, "gates", "show", "wiki")["allow"] == rules[:2]
    assert acts_of(both)[0] == ("gate_changed", BY_US)
    for bad in (["anybody"], ["group=staff domain=x.org"], ["user=\x00"], ["everyone"] * 101):
        refused = program.send("PATCH", "/gates/wiki", json={"allow": bad})
        assert problem(refused) == (422, "invalid_fields"), bad
        assert all(name.startswith("allow") for name in faults(refused))
    assert answer(both, "gates", "show", "wiki")["allow"] == rules[:2]
    for missing in ("nothing", "%00", "WIKI"):
        page = program.send("PATCH", f"/gates/{missing}", json={"allow": []})
        assert problem(page) == (404, "not_found")
    without_token = both.browser().fetch(f"{PREFIX}/gates/wiki", "PATCH", json={"allow": []})
    assert problem(without_token) == (401, "unauthorized")


def test_invitations_are_made_listed_in_pages_and_withdrawn(both):
    program = Program(both)
    wanted = {"email": "grace@navy.example", "groups": ["staff"]}
    answers = [
        program.send("POST", "/invitations", json=body) for body in (wanted, {}, {"bypass": True})
    ]
    made = [each.response.json() for each in answers]
    assert (made[0]["uses"], made[0]["used"], made[0]["state"]) == (1, 0, "open")
    first = program.read("/invitations", limit=2)
    rest = program.read("/invitations", limit=2, cursor=first["next_cursor"])
    listed = [*first["items"], *rest["items"]]
    assert [each["id"] for each in listed] == [each["id"] for each in reversed(made)]
    assert not any("link" in each for each in listed)
    assert [each["bypass"] for each in listed] == [True, False, False]
    grace = both.browser()
    grace.get(made[0]["link"])
    grace.sign_in("google", "grace")
    me = grace.me()
    assert me
    assert me["groups"] == ["staff"]
    assert program.read("/invitations")["items"][2]["state"] == "used"
    program.act("DELETE", f"/invitations/{made[1]['id']}")
    for gone in (made[1]["id"], "%00", "0" * 32):
        assert problem(program.send("DELETE", f"/invitations/{gone}")) == (404, "not_found")
    assert acts_of(both)[:2] == [("invitation_removed", BY_US), ("invitation_added", BY_US)]


FAULTY: list[dict[str, Any]] = [
    {"email": "nobody"},
    {"email": "a@x.example\r\nBcc: b@x.example"},
    {"groups": ["Staff"]},
    {"groups": ["staff\n"]},
    {"uses": 0},
    {"uses": "1"},
    {"days": 366},
    {"bypass": 1},
    {"admin": True},
]


def test_a_faulty_invitation_is_refused_by_field(site, program):
    for body in FAULTY:
        refused = program.send("POST", "/invitations", json=body)
        assert problem(refused) == (422, "invalid_fields"), body
        assert [name.partition(".")[0] for name in faults(refused)] == list(body)
    assert program.read("/invitations")["items"] == []


def test_providers_are_listed_and_checked_six_times_a_minute_at_most(site, program):
    sign_in(site, "grace")
    google = {each["name"]: each for each in program.read("/providers")["items"]}["google"]
    assert google["is_answering"]
    assert google["last_sign_in_at"]
    assert google["last_refusal_at"] is None
    found = program.act("POST", "/providers/google/check", 200)["items"]
    assert {each["level"] for each in found} <= {"ok", "warn"}
    assert any("knows the client" in each["message"] for each in found)
    answers = [program.send("POST", "/providers/google/check") for _ in range(6)]
    assert [each.status for each in answers] == [200] * 5 + [429]
    assert problem(answers[-1]) == (429, "rate")
    assert problem(program.send("POST", "/providers/nowhere/check")) == (404, "not_found")
