"""One person, as an administrator sees them; each change has a line there and one in the log."""

import json
import threading

import pytest

from tests.browser import Browser, Page
from tests.commands.console import answer, run
from tests.commands.test_users import SECRETS, id_of, sign_in
from tests.site import Site
from tests.views.account.test_reauthentication import grow_old
from tests.views.admin.conftest import make_admin


def path_of(browser: Browser) -> str:
    return f"/admin/people/{id_of(browser)}"


def act(admin: Browser, whom: str, what: str, **form: str) -> Page:
    """Press a button on a person's page."""
    return admin.post(f"{whom}/{what}", admin.get(whom), **{"back": whom, **form})


def log_of(site: Site) -> list[tuple[str, str | None, str]]:
    """The latest acts but those of the command that made the administrator."""
    items = answer(site, "admin", "log")["items"]
    return [(each["act"], each["user_id"], each["detail"]) for each in items[:-1]]


def test_the_page_shows_everything_but_secrets(both):
    admin, grace = make_admin(both), sign_in(both, "grace")
    grace.link("github", "grace")
    answer(both, "groups", "add", "navy", id_of(grace))
    page = admin.get(path_of(grace))
    me = grace.me()
    assert me
    for identity in me["identities"]:
        assert f"{identity['provider']}:{identity['subject']}" in page.text
    assert me["email"] in page.text
    assert "navy" in page.text
    assert "Firefox on Linux" in page.text
    assert "Connected GitHub" in page.text
    stored = both.rows("SELECT token_hash FROM sessions")
    stored += both.rows("SELECT token FROM oauth WHERE token IS NOT NULL")
    assert len(stored) >= 3
    for secret in [*SECRETS, *(row[0] for row in stored), grace.cookie("session")]:
        assert secret not in page.html


def test_disabling_closes_the_account_and_enabling_opens_it(both):
    admin, grace = make_admin(both), sign_in(both, "grace")
    path, user_id = path_of(grace), id_of(grace)
    assert "Sessions ended: 1" in act(admin, path, "disable").message
    assert grace.me() is None
    assert grace.sign_in("google", "grace").alert == "This account is disabled"
    assert "enabled again" in act(admin, path, "enable").message
    assert grace.sign_in("google", "grace").path == "/account"
    shown = grace.get("/account/activity").text
    assert "Account switched off by this site" in shown
    assert shown.count("by Ada Lovelace, who administers this site") == 2
    assert log_of(both) == [("account_enabled", user_id, ""), ("account_disabled", user_id, "1")]
    # Once more changes nothing, and is no act.
    act(admin, path, "enable")
    assert len(log_of(both)) == 2
    assert "enabled" in admin.get("/admin/log").text
    assert answer(both, "users", "export", user_id)["activity"]


def test_the_person_does_not_learn_where_the_administrator_is(site, admin):
    grace = sign_in(site, "grace")
    act(admin, path_of(grace), "groups", name="navy")
    rows = site.rows(
        "SELECT address, user_agent, administrator FROM events WHERE kind = :k", k="group_joined"
    )
    assert rows == [("", "", "Ada Lovelace")]
    (logged,) = site.rows("SELECT address, admin_name FROM admin_log WHERE act = 'group_joined'")
    assert tuple(logged) == ("127.0.0.1", "Ada Lovelace")


def test_sessions_are_ended_one_by_one_or_all(both):
    admin, grace, again = make_admin(both), sign_in(both, "grace"), sign_in(both, "grace")
    path = path_of(grace)
    (first,) = both.rows(
        "SELECT id FROM sessions WHERE user_id = :u ORDER BY created_at LIMIT 1", u=id_of(again)
    )
    assert "Signed out of Firefox" in act(admin, path, f"sessions/{first[0]}/end").message
    assert (grace.me(), bool(again.me())) == (None, True)
    assert act(admin, path, f"sessions/{first[0]}/end").status == 404
    assert "Sessions ended: 1" in act(admin, path, "sessions/end").message
    assert again.me() is None
    assert "by the person running this site" in again.get("/login").text
    assert [row[0] for row in log_of(both)] == ["sessions_ended", "session_ended"]


def test_a_way_in_is_removed_but_never_the_last(both):
    admin, grace = make_admin(both), sign_in(both, "grace")
    grace.link("github", "grace")
    path, github = path_of(grace), grace.identity("github")
    page = admin.get(f"{path}/identities/{github}/remove")
    assert page.heading == "Remove GitHub?"
    assert admin.post(f"{path}/identities/{github}/remove", page).message == "GitHub removed."
    assert grace.providers() == ["google"]
    google = grace.identity("google")
    assert f"identities/{google}/remove" not in admin.get(path).html
    last = act(admin, path, f"identities/{google}/remove")
    assert "the only way to sign in to this account" in last.message
    assert grace.providers() == ["google"]
    assert log_of(both) == [("identity_removed", id_of(grace), "github")]
    # Another person's identity is none of this one's.
    assert act(admin, path, f"identities/{admin.identity('google')}/remove").status == 404


def test_groups_are_given_and_taken(site, admin):
    grace = sign_in(site, "grace")
    path = path_of(grace)
    assert act(admin, path, "groups", name="navy").message == "Added to the group navy."
    assert "1 to 64" in act(admin, path, "groups", name="Na vy").message
    me = grace.me()
    assert me
    assert me["groups"] == ["navy"]
    assert act(admin, path, "groups/navy/leave").message == "Removed from the group navy."
    assert act(admin, path, "groups/navy/leave").status == 404
    user_id = id_of(grace)
    assert log_of(site) == [("group_left", user_id, "navy"), ("group_joined", user_id, "navy")]


def test_an_export_is_a_file_and_the_person_sees_that_it_was_made(site, admin):
    grace = sign_in(site, "grace")
    page = admin.get(path_of(grace))
    data = {"csrf_token": page.csrf_token, "back": path_of(grace)}
    answer_ = admin.fetch(f"{path_of(grace)}/export", "POST", data=data)
    assert json.loads(answer_.html)["profile"]["id"] == id_of(grace)
    assert "attachment" in answer_.headers["Content-Disposition"]
    assert "Account data downloaded" in grace.get("/account/activity").text
    assert log_of(site) == [("account_exported", id_of(grace), "")]


def test_deleting_needs_the_id_typed(both):
    admin, grace = make_admin(both), sign_in(both, "grace")
    path, user_id = path_of(grace), id_of(grace)
    page = admin.get(f"{path}/delete")
    for typed in ("", "DELETE", id_of(admin)):
        wrong = admin.post(f"{path}/delete", page, confirm=typed)
        assert (wrong.status, wrong.alert) == (400, "The account wasn't deleted")
    assert grace.me()
    done = admin.post(f"{path}/delete", page, confirm=user_id)
    assert (done.path, done.message) == ("/admin/people", "The account was deleted.")
    assert grace.me() is None
    assert admin.get(path).status == 404
    assert log_of(both) == [("account_deleted", user_id, "")]


ACTS = ("disable", "enable", "sessions/end", "groups", "unmake-admin", "export", "delete")


@pytest.mark.parametrize("what", ACTS)
def test_no_change_without_a_csrf_token_or_a_recent_sign_in(site, admin, what):
    grace = sign_in(site, "grace")
    path = path_of(grace)
    before = state(site)
    form = {"back": path, "name": "navy", "confirm": id_of(grace)}
    assert admin.fetch(f"{path}/{what}", "POST", data=form).status == 400
    grow_old(site)
    asked = act(admin, path, what, **form)
    assert asked.heading == "Confirm it's you"
    assert "change something as an administrator" in asked.text
    assert state(site) == before
    assert admin.reauth(asked, "ada").path == path


def state(site: Site) -> list[object]:
    queries = (
        "SELECT count(*) FROM users WHERE disabled_at IS NULL",
        "SELECT count(*) FROM users WHERE admin_at IS NULL",
        "SELECT count(*) FROM sessions",
        "SELECT count(*) FROM memberships",
        "SELECT count(*) FROM admin_log",
        "SELECT count(*) FROM oauth",
    )
    return [site.rows(query)[0][0] for query in queries]


def test_the_last_administrator_is_kept(both):
    ada, grace = make_admin(both), make_admin(both, "grace")
    assert "no longer an administrator" in act(ada, path_of(grace), "unmake-admin").message
    path = path_of(ada)
    for what, form in (("unmake-admin", {}), ("disable", {}), ("delete", {"confirm": id_of(ada)})):
        page = act(ada, path, what, **form)
        assert "this is the last administrator" in page.message, what
    # A disabled one does not count; the command line may do everything.
    answer(both, "users", "admin", id_of(grace))
    answer(both, "users", "disable", id_of(grace))
    assert "this is the last administrator" in act(ada, path, "unmake-admin").message
    answer(both, "users", "admin", id_of(ada), "--remove")
    assert ada.get("/admin/people").status == 404


def test_of_two_administrators_who_remove_each_other_one_stays(both):
    ada, grace = make_admin(both), make_admin(both, "grace")
    work = [
        (ada, path_of(grace), ada.get(path_of(grace))),
        (grace, path_of(ada), grace.get(path_of(ada))),
    ]
    threads = [
        threading.Thread(target=one.post, args=(f"{whom}/unmake-admin", page))
        for one, whom, page in work
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert both.rows("SELECT count(*) FROM users WHERE admin_at IS NOT NULL") == [(1,)]


def test_what_strangers_write_is_shown_as_text(site, admin):
    grace = sign_in(site, "grace")
    nasty = '<script>alert(1)</script>" onload="x'
    site.execute("UPDATE users SET name = :n WHERE id = :u", n=nasty, u=id_of(grace))
    site.execute("UPDATE sessions SET user_agent = :n, address = :n", n=nasty[:45])
    site.execute("UPDATE oauth SET subject = :n WHERE user_id = :u", n=nasty, u=id_of(grace))
    for path in (path_of(grace), "/admin/people", f"{path_of(grace)}/delete"):
        page = admin.get(path)
        assert page.status == 200
        assert "<script>alert" not in page.html
        assert 'onload="x' not in page.html
        assert "unsafe" not in page.headers["Content-Security-Policy"]


def test_commands_stand_in_the_same_log(both):
    grace = sign_in(both, "grace")
    user_id = id_of(grace)
    for words in (
        ("users", "disable", user_id),
        ("users", "enable", user_id),
        ("groups", "add", "navy", user_id),
        ("groups", "remove", "navy", user_id),
        ("sessions", "revoke", "--user", user_id),
        ("sessions", "revoke", "--all", "--yes"),
        ("users", "delete", user_id, "--yes"),
    ):
        assert run(both, *words).exit_code == 0
    items = answer(both, "admin", "log")["items"]
    assert [each["act"] for each in items] == [
        "account_deleted",
        "sessions_ended",
        "sessions_ended",
        "group_left",
        "group_joined",
        "account_enabled",
        "account_disabled",
    ]
    assert {(each["admin_id"], each["admin_name"]) for each in items} == {(None, "command line")}
    page = answer(both, "admin", "log", "--limit", "3", "--after", items[1]["id"])["items"]
    assert page == items[2:5]
    assert "command line  disabled  " + user_id in run(both, "admin", "log").stdout


def test_the_log_is_kept_for_180_days(site, admin):
    grace = sign_in(site, "grace")
    act(admin, path_of(grace), "groups", name="navy")
    site.execute("UPDATE admin_log SET at = :at WHERE act = 'admin_made'", at="2026-01-01 00:00:00")
    assert [each["act"] for each in answer(site, "admin", "log")["items"]] == ["group_joined"]
    assert run(site, "purge").exit_code == 0
    assert site.rows("SELECT act FROM admin_log") == [("group_joined",)]


def test_merging_accounts_keeps_the_right(site):
    ada, grace = sign_in(site, "ada"), make_admin(site, "grace")
    grace_id = id_of(grace)
    question = ada.link("google", "grace")
    ada.answer(question, "merge")
    assert site.rows("SELECT count(*) FROM users WHERE id = :u", u=grace_id) == [(0,)]
    assert ada.get("/admin/people").status == 200
    acts = [(each["act"], each["admin_name"]) for each in answer(site, "admin", "log")["items"]]
    assert acts[0] == ("admin_made", "themselves")
