"""Who sees the operator's pages: administrators, from where the settings let them."""

import threading
from itertools import cycle

import pytest

from simulator.people import PEOPLE
from tests.browser import Browser
from tests.commands.console import answer, run
from tests.commands.test_users import id_of, sign_in, subject_of
from tests.config.test_settings import faults
from tests.views.account.test_reauthentication import grow_old
from tests.views.admin.conftest import make_admin
from web import limits

PATHS = ("/admin", "/admin/people", "/admin/log", "/admin/people/" + "0" * 32, "/admin/nothing")


def sees_nothing(browser: Browser) -> bool:
    """Whether these pages look as if they did not exist, by any method."""
    missing = browser.fetch("/nothing-here")
    answers = [browser.fetch(path) for path in PATHS]
    answers += [browser.fetch(path, "PUT") for path in PATHS]
    return {(each.status, each.heading) for each in answers} == {(404, missing.heading)}


def test_nobody_without_the_right_learns_that_there_are_such_pages(both):
    grace = sign_in(both, "grace")
    assert sees_nothing(grace)
    assert sees_nothing(both.browser())
    assert "/admin" not in grace.get("/account").html
    token = grace.get("/account").csrf_token
    for act in ("disable", "delete", "unmake-admin", "sessions/end"):
        for form in ({}, {"csrf_token": token}):
            page = grace.fetch(f"/admin/people/{id_of(grace)}/{act}", "POST", data=form)
            assert page.status == 404
    assert both.rows("SELECT count(*) FROM admin_log") == [(0,)]


def test_the_first_account_is_no_administrator_and_neither_are_twenty_at_once(both):
    browsers = [both.browser() for _ in range(20)]
    callbacks = [
        browser.choose(browser.begin("google"), person)
        for browser, person in zip(browsers, cycle(PEOPLE), strict=False)
    ]
    threads = [
        threading.Thread(target=browser.get, args=(callback,))
        for browser, callback in zip(browsers, callbacks, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert both.user_count() > len(PEOPLE) / 2
    assert both.rows("SELECT count(*) FROM users WHERE admin_at IS NOT NULL") == [(0,)]
    assert all(sees_nothing(browser) for browser in browsers[:3])


def test_a_command_makes_exactly_that_person_an_administrator(both):
    grace, linus = sign_in(both, "grace"), sign_in(both, "linus")
    assert answer(both, "users", "admin", subject_of(grace))["admin"] is True
    assert grace.get("/admin").path == "/admin/people"
    assert "Administration" in grace.get("/account").text
    assert sees_nothing(linus)
    assert "Made an administrator of this site" in grace.get("/account/activity").text
    (item,) = answer(both, "users", "show", id_of(grace))["items"]
    assert item["admin"] is True
    # The right ends with the next request.
    answer(both, "users", "admin", id_of(grace), "--remove")
    assert sees_nothing(grace)
    assert "No longer an administrator" in grace.get("/account/activity").text
    acts = [each["act"] for each in answer(both, "admin", "log")["items"]]
    assert acts == ["admin_unmade", "admin_made"]


def test_an_address_makes_nobody_an_administrator(site):
    grace = sign_in(site, "grace")
    me = grace.me()
    assert me
    result = run(site, "users", "admin", me["email"])
    assert result.exit_code == 2
    assert "does not identify a user" in result.stderr
    assert sees_nothing(grace)


def test_the_settings_name_administrators(make_site):
    probe = make_site()
    subject = subject_of(sign_in(probe, "grace"))
    site = make_site(ADMINS=f"github:1,{subject}")
    grace, linus = sign_in(site, "grace"), sign_in(site, "linus")
    assert grace.get("/admin/people").status == 200
    assert sees_nothing(linus)
    result = run(site, "users", "admin", id_of(grace), "--remove")
    assert result.exit_code == 1
    assert "ADMINS names an identity" in result.stderr
    site.restart(ADMINS="")
    assert sees_nothing(grace)


def test_an_identity_at_another_server_of_the_same_name_is_not_the_named_one(make_site):
    site = make_site()
    grace = sign_in(site, "grace")
    subject = subject_of(grace)
    site.execute("UPDATE oauth SET issuer = 'https://elsewhere.example'")
    site.restart(ADMINS=subject)
    assert sees_nothing(grace)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ADMINS", "grace@navy.example", "provider:subject"),
        ("ADMINS", "nowhere:1", "unknown nowhere"),
        ("ADMIN_PROVIDERS", "nowhere", "unknown nowhere"),
        ("ADMIN_NETWORKS", "10.0.0.0/33", "networks"),
        ("ADMIN", "maybe", "on"),
    ],
)
def test_settings_of_administration_that_mean_nothing_are_refused(name, value, said):
    (fault,) = faults(**{name: value})
    assert fault.startswith(f"{name}:")
    assert said in fault


def test_the_pages_can_be_turned_off(make_site):
    site = make_site()
    admin = make_admin(site)
    assert admin.get("/admin/people").status == 200
    site.restart(ADMIN="off")
    assert sees_nothing(admin)
    assert "/admin" not in admin.get("/account").html
    assert run(site, "admin", "link").exit_code == 1


def test_the_pages_are_for_the_networks_that_the_settings_name(make_site):
    site = make_site(ADMIN_NETWORKS="192.0.2.0/24,2001:db8::/32", TRUSTED_PROXIES="1")
    admin = make_admin(site)
    for address, status in (
        ("192.0.2.7", 200),
        ("2001:db8::1", 200),
        ("::ffff:192.0.2.7", 200),
        ("198.51.100.1", 404),
        ("2001:db9::1", 404),
        ("nonsense", 404),
    ):
        page = admin.fetch("/admin/people", headers={"X-Forwarded-For": address})
        assert page.status == status, address


def test_a_bearer_token_opens_no_page(site):
    """Programs have the API."""
    admin, token = make_admin(site), site.simulator.firebase.mint("ada")
    headers = {"Authorization": f"Bearer {token}"}
    by_token = site.browser()
    assert by_token.fetch("/api/v1/me", headers=headers).response.json()["id"] == id_of(admin)
    assert by_token.fetch("/admin/people", headers=headers).status == 404


def test_administrators_sign_in_with_the_providers_that_the_settings_name(make_site):
    site = make_site()
    ada = make_admin(site)
    ada.link("github", "ada")
    site.restart(ADMIN_PROVIDERS="google")
    assert ada.get("/admin/people").status == 200
    by_github = sign_in(site, "ada", "github")
    assert id_of(by_github) == id_of(ada)
    assert sees_nothing(by_github)


def test_a_reauthentication_elsewhere_lets_no_change_through(make_site):
    """A thief of a session who also has a weaker identity of the account."""
    site = make_site()
    ada = make_admin(site)
    ada.link("github", "ada")
    grace = sign_in(site, "grace")
    site.restart(ADMIN_PROVIDERS="google")
    grow_old(site)
    path = f"/admin/people/{id_of(grace)}"
    asked = ada.post(f"{path}/disable", ada.get(path), back=path)
    assert asked.heading == "Confirm it's you"
    assert not any(ada.identity("github") in action for action in asked.actions())
    google = next(action for action in asked.actions() if ada.identity("google") in action)
    github = google.replace(ada.identity("google"), ada.identity("github"))
    form = {"csrf_token": asked.csrf_token, "next": path}
    onward = ada.fetch(github, "POST", data=form).onward
    assert ada.get(ada.choose(onward, "ada")).path == path
    assert ada.post(f"{path}/disable", ada.get(path), back=path).heading == "Confirm it's you"
    assert grace.me()
    onward = ada.fetch(google, "POST", data=form).onward
    page = ada.get(ada.choose(onward, "ada"))
    assert "is disabled" in ada.post(f"{path}/disable", page, back=path).message


def test_what_is_no_act_of_administration_may_be_confirmed_by_any_method(make_site):
    site = make_site()
    ada = make_admin(site)
    ada.link("github", "ada")
    site.restart(ADMIN_PROVIDERS="google")
    grow_old(site)
    actions = ada.get("/account/reauth?next=/account/delete").actions()
    for provider in ("google", "github"):
        assert any(ada.identity(provider) in action for action in actions), provider


def test_administrators_have_a_limit_of_changes_of_their_own(make_site, monkeypatch):
    monkeypatch.setattr(limits, "ADMIN_ACTS_PER_MINUTE", 3)
    monkeypatch.setattr(limits, "ACTIONS_PER_MINUTE", 6)
    site = make_site()
    ada, linus, grace = make_admin(site), make_admin(site, "linus"), sign_in(site, "grace")
    path = f"/admin/people/{id_of(grace)}"
    page = ada.get(path)
    for name in ("a", "b", "c"):
        assert ada.post(f"{path}/groups", page, name=name).status == 200
    refused = ada.fetch(f"{path}/groups", "POST", data={"csrf_token": page.csrf_token, "name": "d"})
    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert answer(site, "groups", "list")["items"] == [
        {"name": name, "members": 1} for name in ("a", "b", "c")
    ]
    # Neither another administrator nor what Ada does with her own account is touched by that.
    assert linus.post(f"{path}/groups", linus.get(path), name="d").status == 200
    assert ada.post("/account/profile", ada.get("/account/profile"), name="Ada").status == 200
