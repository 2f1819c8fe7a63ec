"""``groups``: put people into groups, and what follows from it."""

import json

import pytest

from tests.browser import Browser
from tests.commands.console import answer, run
from tests.commands.test_users import id_of, sign_in


def test_a_group_exists_while_somebody_is_in_it(both):
    grace, linus = sign_in(both, "grace"), sign_in(both, "linus")
    assert "No groups" in run(both, "groups", "list").stdout
    assert answer(both, "groups", "add", "navy", id_of(grace))["groups"] == ["navy"]
    assert answer(both, "groups", "add", "navy", id_of(linus))["groups"] == ["navy"]
    assert answer(both, "groups", "add", "admin", id_of(grace))["groups"] == ["admin", "navy"]
    # Twice is once.
    answer(both, "groups", "add", "navy", id_of(grace))
    assert answer(both, "groups", "list")["items"] == [
        {"name": "admin", "members": 1},
        {"name": "navy", "members": 2},
    ]
    shown = answer(both, "groups", "show", "navy")["items"]
    assert {each["user_id"] for each in shown} == {id_of(grace), id_of(linus)}
    assert {each["source"] for each in shown} == {"manual"}
    answer(both, "groups", "remove", "navy", id_of(grace))
    answer(both, "groups", "remove", "navy", id_of(linus))
    assert answer(both, "groups", "list")["items"] == [{"name": "admin", "members": 1}]
    again = run(both, "groups", "remove", "navy", id_of(grace))
    assert (again.exit_code, again.stdout) == (1, "")
    assert "not in the group navy" in again.stderr


def groups_of(browser: Browser) -> list[str]:
    me = browser.me()
    assert me is not None
    return list(me["groups"])


def test_a_person_sees_their_groups(both):
    grace = sign_in(both, "grace")
    assert groups_of(grace) == []
    for name in ("zoo", "a-b_c1"):
        answer(both, "groups", "add", name, id_of(grace))
    # By the check before Flask, and by the view.
    assert groups_of(grace) == ["a-b_c1", "zoo"]
    by_the_view = grace.fetch("/api/v1/me", headers={"Origin": "https://elsewhere.example"})
    assert json.loads(by_the_view.text)["groups"] == ["a-b_c1", "zoo"]
    assert "Added to the group zoo" in grace.get("/account/activity").text
    answer(both, "groups", "remove", "zoo", id_of(grace))
    assert "Removed from the group zoo" in grace.get("/account/activity").text
    assert answer(both, "users", "export", id_of(grace))["groups"] == ["a-b_c1"]


@pytest.mark.parametrize("name", ["", "Navy", "a b", "ä", "x" * 65, "a,b", "a\n", "../x", "a.b"])
def test_a_name_that_is_none_is_refused(site, name):
    grace = sign_in(site, "grace")
    result = run(site, "groups", "add", "--", name, id_of(grace))
    assert result.exit_code == 2
    assert "1 to 64" in result.stderr
    assert site.rows("SELECT count(*) FROM memberships") == [(0,)]


def test_groups_go_with_their_person(both):
    grace = sign_in(both, "grace")
    answer(both, "groups", "add", "navy", id_of(grace))
    answer(both, "users", "delete", id_of(grace), "--yes")
    assert answer(both, "groups", "list")["items"] == []
