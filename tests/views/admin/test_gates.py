"""Gates at /admin/gates: what stands behind each, who may pass, and how many are inside."""

import pytest

from tests.commands.console import answer
from tests.gates.front import NOTES, Front, add_gate
from tests.views.account.test_reauthentication import grow_old
from tests.views.admin.conftest import make_admin

PATH = "/admin/gates"


def change(admin, rules: str):
    """Fill in the form of the gate wiki."""
    page = admin.get(f"{PATH}/wiki")
    return admin.post(f"{PATH}/wiki/allow", page, back=f"{PATH}/wiki", rules=rules)


def test_rules_that_are_changed_count_from_the_next_request_on(both):
    admin = make_admin(both)
    assert "None." in admin.get(PATH).text
    add_gate(both)
    add_gate(both, "notes", host=NOTES)
    grace, linus = Front(both).enter(), Front(both).enter(person="linus")
    listed = admin.get(PATH).text
    assert "wiki https://wiki.example.org For everyone · 2 sessions" in listed
    assert "notes https://notes.example.net For everyone · 0 sessions" in listed
    page = admin.get(f"{PATH}/wiki")
    assert f"{both.url}/forward-auth/wiki" in page.text
    assert "Open sessions 2" in page.text
    done = change(admin, " domain=navy.example\r\ngroup=staff\r\n")
    assert "from the next request on" in done.message
    assert answer(both, "gates", "show", "wiki")["allow"] == ["domain=navy.example", "group=staff"]
    assert (grace.ask().status_code, linus.ask().status_code) == (200, 403)
    grace.browser.sign_out()
    assert "Open sessions 1" in admin.get(f"{PATH}/wiki").text
    change(admin, "")
    assert linus.ask().status_code == 200
    # A session that has expired is not open, even while its row is there.
    both.execute(
        "UPDATE sessions SET expires_at = :at WHERE user_id = :u",
        at="2026-01-01 00:00:00.000000",
        u=linus.browser.user_id,
    )
    assert "Open sessions 0" in admin.get(f"{PATH}/wiki").text
    items = answer(both, "admin", "log")["items"]
    assert [(each["act"], each["detail"], each["admin_name"]) for each in items[:2]] == [
        ("gate_changed", "no rules", "Ada Lovelace"),
        ("gate_changed", "domain=navy.example, group=staff", "Ada Lovelace"),
    ]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("<b>all", "must be everyone, domain="),
        ("group=staff user=ada", "user=ada must be"),
        (" ".join(f"group=g{number}" for number in range(101)), "one more than 100"),
    ],
)
def test_a_faulty_rule_changes_nothing_and_keeps_what_was_typed(site, admin, rules, said):
    add_gate(site, "wiki", "--allow", "group=navy")
    page = change(admin, rules)
    assert (page.status, page.alert) == (400, "Nothing was changed")
    assert said in page.text
    assert rules in page.text
    assert "<b>all" not in page.html
    assert answer(site, "gates", "show", "wiki")["allow"] == ["group=navy"]


def test_gates_are_for_administrators_who_signed_in_lately(site, admin):
    add_gate(site, "wiki", "--allow", "group=navy")
    grace = site.browser()
    grace.sign_in("google", "grace")
    form = {"csrf_token": grace.get("/account").csrf_token, "rules": "everyone"}
    for path in (PATH, f"{PATH}/wiki"):
        assert grace.fetch(path).status == 404
    assert grace.fetch(f"{PATH}/wiki/allow", "POST", data=form).status == 404
    assert admin.fetch(f"{PATH}/wiki/allow", "POST", data={"rules": "everyone"}).status == 400
    assert admin.fetch(f"{PATH}/nothing").status == 404
    grow_old(site)
    assert change(admin, "everyone").heading == "Confirm it's you"
    assert answer(site, "gates", "show", "wiki")["allow"] == ["group=navy"]
