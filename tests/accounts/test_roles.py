"""Roles: rules give them, and applications read them and ask for them."""

import re

import pytest

from accounts import rechecks
from tests.accounts.membership import DOMAIN, ORG, Members
from tests.browser import Browser
from tests.commands.console import answer
from tests.gates.front import FETCH, WIKI, Front, add_gate
from tests.issuer.relying_party import App

RULES = ORG.replace("groups", 'roles = ["editor", "admin"]\ngroups')
OF_NAVY = DOMAIN.replace("groups", 'roles = ["admin"]\ngroups')


@pytest.fixture(params=["sqlite", "postgresql"])
def members(request, make_site) -> Members:
    return Members(make_site, RULES, request.param)


def roles_of(browser: Browser) -> list[str]:
    """By the check before Flask, and by the view."""
    fast = browser.fetch("/api/v1/me").response.json()
    view = browser.fetch("/api/v1/me?x").response.json()
    assert fast == view
    return list(fast["roles"])


def change_rules(members: Members, rules: str) -> None:
    members.site.restart(ACCESS_RULES=rules)
    members.site.inside(members.job().work)
    members.recheck()


def test_a_person_has_the_roles_of_the_rules_that_they_meet(members):
    browser = members.signed_in("ada")
    assert roles_of(browser) == ["admin", "editor"]
    export = browser.post("/account/data", browser.get("/account/data")).response.json()
    assert export["roles"] == ["admin", "editor"]
    change_rules(members, RULES.replace('"editor", ', ""))
    assert roles_of(browser) == ["admin"]
    change_rules(members, ORG)
    assert roles_of(browser) == []
    lines = re.findall(r"[A-Z][a-z ]* the role \w+", browser.get("/account/activity").text)
    assert lines == [
        "No longer has the role admin",
        "No longer has the role editor",
        "Given the role editor",
        "Given the role admin",
    ]


def test_roles_end_with_the_rules(members):
    browser = members.signed_in("ada")
    answer(members.site, "groups", "add", "friends", str(browser.user_id))
    members.site.restart(ACCESS_RULES="")
    members.site.inside(rechecks.WithoutRules().work)
    assert roles_of(browser) == []
    assert browser.me()["groups"] == ["friends"]
    assert "Removed from the group engineers" in browser.get("/account/activity").text


def test_an_application_asks_for_a_role_and_reads_it(make_site):
    members = Members(make_site, OF_NAVY)
    grace = members.signed_in("grace", "google")
    app = App(
        members.site, "Desk", "--allow", "role=admin", "--scope", "openid", "--scope", "roles"
    )
    other = App(members.site, "Other", "--allow", "role=owner")
    assert other.ask(grace).status == 403
    tokens = app.tokens(grace, scope="openid roles")
    assert app.userinfo(tokens.access).json()["roles"] == ["admin"]
    assert app.introspect(tokens.access)["roles"] == ["admin"]
    change_rules(members, DOMAIN)
    assert not app.is_active(tokens.access)
    assert app.refresh(tokens.refresh).error == "invalid_grant"


def test_a_role_opens_a_gate_and_closes_it(make_site):
    members = Members(make_site, OF_NAVY)
    add_gate(members.site, "wiki", "--allow", "role=admin")
    front = Front(members.site)
    front.enter()
    change_rules(members, DOMAIN)
    assert front.ask(f"{WIKI}/", **FETCH).status_code == 403
