"""SIGNUPS=approval: a new person waits until the operator lets them in."""

from urllib.parse import urlsplit

import pytest

from notices.mails import MailKind
from notices.messages import in_plain_text
from tests.accounts.letters import planned, with_mail
from tests.browser import Browser, Page, query_of
from tests.commands.console import answer, run
from tests.issuer.relying_party import App, allow
from tests.site import Site
from tests.views.sign_in.id_tokens.test_refusals import assert_problem

HEADING = "Waiting for Quickstep's operator"


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, make_site) -> Site:
    site: Site = make_site(str(request.param), SIGNUPS="approval")
    return site


@pytest.fixture
def site(make_site) -> Site:
    site: Site = make_site(SIGNUPS="approval")
    return site


def waiting_id(site: Site) -> str:
    (item,) = answer(site, "users", "list", "--pending")["items"]
    return str(item["id"])


def enter(site: Site, person: str = "ada", **query: str) -> tuple[Browser, Page]:
    browser = site.browser()
    return browser, browser.sign_in("google", person, **query)


def test_a_new_person_waits_and_an_approval_lets_them_in_immediately(both):
    browser, page = enter(both)
    assert (page.status, page.path, page.heading) == (200, "/waiting", HEADING)
    assert "You're signed in as ada@gmail.com." in page.text
    again = both.browser()
    assert again.sign_in("google", "ada").heading == HEADING
    assert both.user_count() == 1
    for path in ("/", "/account", "/account/sessions", "/login"):
        assert browser.get(path).heading == HEADING
    answer(both, "users", "approve", waiting_id(both))
    for each in (browser, again):
        assert each.get("/waiting").path == "/account"
        assert each.me()
    assert "Account approved by this site" in browser.get("/account/activity").text
    assert answer(both, "users", "list", "--pending")["items"] == []


def facts_of(page: Page) -> tuple[int, str, str]:
    """What a page is; a state in its address is random."""
    return page.status, page.heading, page.location.partition("?")[0]


def test_a_person_who_waits_sees_no_more_than_a_stranger(site):
    """Every page and operation, so that one which is added later is not forgotten."""
    browser, stranger = enter(site, "linus")[0], site.browser()
    paths = [
        rule.rule
        for rule in site.app.url_map.iter_rules()
        if not rule.arguments and "GET" in (rule.methods or set())
    ]
    ours = {"/waiting", "/waiting/delete", "/login"}
    assert len(paths) > 30
    for path in sorted(set(paths) - ours):
        theirs, nobodys = browser.fetch(path), stranger.fetch(path)
        if path.startswith("/api/v1/") and nobodys.status == 401:
            assert_problem(theirs, 403, "pending")
        else:
            assert facts_of(theirs) == facts_of(nobodys), path
            assert "linus@chemistry.example" not in theirs.text


def test_the_api_says_that_the_account_waits(site):
    browser, _page = enter(site)
    # The check before Flask, and the view.
    for headers in ({}, {"Origin": site.url}):
        assert_problem(browser.fetch("/api/v1/me", headers=headers), 403, "pending")
    answer(site, "users", "approve", waiting_id(site))
    assert browser.me()


def test_polling_the_api_while_waiting_locks_nobody_out(make_site):
    site = make_site(SIGNUPS="approval", REFUSALS_PER_MINUTE="3")
    browser, _page = enter(site)
    for _ in range(8):
        assert browser.fetch("/api/v1/me").status == 403
    assert site.browser().sign_in("google", "grace").heading == HEADING


def test_after_the_approval_a_person_goes_on_to_where_they_wanted(site):
    browser, page = enter(site, next="/account/sessions")
    (again,) = [link for link in page.links() if link.startswith("/waiting?")]
    assert browser.get(again).heading == HEADING
    answer(site, "users", "approve", waiting_id(site))
    assert browser.get(again).path == "/account/sessions"


def test_a_person_who_waits_can_sign_out(site):
    browser, page = enter(site)
    page = browser.post("/logout", page)
    assert (page.path, page.heading) == ("/login", "Sign in to Quickstep")
    assert site.rows("SELECT count(*) FROM sessions") == [(0,)]
    assert browser.get("/waiting").path == "/login"
    assert browser.sign_in("google", "grace").heading == HEADING


def test_a_person_who_waits_can_choose_another_account(site):
    browser, _page = enter(site)
    page = browser.get("/login?switch=1")
    assert "Continue with Google" in page.buttons
    browser.sign_in("google", "grace")
    # The session of the first account ended with the change.
    assert site.rows("SELECT count(*) FROM sessions") == [(1,)]


def test_a_person_who_waits_can_delete_the_account(site):
    browser, page = enter(site)
    page = browser.get(next(link for link in page.links() if "delete" in link))
    wrong = browser.post("/waiting/delete", page, confirm="delete")
    assert wrong.alert == "Your account wasn't deleted"
    page = browser.post("/waiting/delete", page, confirm="DELETE")
    assert urlsplit(page.url).path == "/account/deleted"
    assert site.user_count() == 0


def test_nobody_else_can_delete_an_account_there(site):
    answer_of_nobody = site.browser().get("/waiting/delete")
    assert answer_of_nobody.path == "/login"
    browser, _page = enter(site)
    answer(site, "users", "approve", waiting_id(site))
    page = browser.get("/account")
    browser.post("/waiting/delete", page, confirm="DELETE")
    assert site.user_count() == 1


def test_a_rejected_person_is_gone_after_the_operator_confirmed(both):
    browser, _page = enter(both)
    user_id = waiting_id(both)
    assert run(both, "users", "reject", user_id, typed="n\n").exit_code == 1
    assert both.user_count() == 1
    result = run(both, "users", "reject", user_id, typed="y\n")
    assert result.stdout == "Ada Lovelace <ada@gmail.com> is rejected, and deleted.\n"
    assert both.user_count() == 0
    assert "did not let you in. Your account was deleted." in browser.get("/waiting").text
    (act,) = answer(both, "admin", "log")["items"]
    assert (act["act"], act["user_id"]) == ("account_rejected", user_id)


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_an_account_that_does_not_wait_is_neither_approved_nor_rejected(site, verb):
    browser, _page = enter(site)
    user_id = waiting_id(site)
    answer(site, "users", "approve", user_id)
    result = run(site, "users", verb, user_id)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "does not wait for approval" in result.stderr
    assert browser.me()


def test_open_sign_ups_let_nobody_in_who_waited_before(site):
    browser, _page = enter(site)
    site.restart(SIGNUPS="open")
    assert browser.get("/account").heading == HEADING
    assert browser.sign_in("google", "ada").heading == HEADING
    assert site.browser().sign_in("google", "grace").path == "/account"


def test_people_from_before_the_setting_do_not_wait(make_site):
    site = make_site()
    browser, _page = enter(site)
    site.restart(SIGNUPS="approval")
    assert browser.get("/account").path == "/account"
    browser.sign_out()
    assert browser.sign_in("google", "ada").path == "/account"


def test_an_invited_person_does_not_wait(site):
    link = answer(site, "invitations", "add")["link"]
    browser = site.browser()
    browser.get(link)
    assert browser.sign_in("google", "ada").path == "/account"


def test_an_application_gets_nobody_whose_account_waits(site):
    app, (browser, _page) = App(site), enter(site)
    page = app.ask(browser)
    assert page.heading == HEADING
    silent = app.ask(browser, prompt="none")
    assert query_of(silent.location)["error"] == "login_required"
    (again,) = [link for link in page.links() if link.startswith("/waiting?")]
    answer(site, "users", "approve", waiting_id(site))
    page = allow(browser, browser.get(again))
    assert "code" in query_of(page.location)


def test_an_app_gets_no_session_of_an_account_that_waits(site):
    browser, firebase = site.browser(), site.simulator.firebase
    token = firebase.mint("ada", "google.com")
    assert_problem(browser.bring(token), 403, "pending")
    assert browser.cookie("session") is None
    assert site.rows("SELECT count(*) FROM sessions") == [(0,)]
    bearer = {"Authorization": f"Bearer {token}"}
    assert_problem(browser.fetch("/api/v1/me", headers=bearer), 403, "pending")
    answer(site, "users", "approve", waiting_id(site))
    assert browser.fetch("/api/v1/me", headers=bearer).status == 200
    assert browser.bring(token).status == 200


def test_the_operator_hears_of_people_who_wait_at_most_once_an_hour(make_site):
    site = with_mail(make_site, SIGNUPS="approval", OPERATOR_EMAIL="ops@acme.example")
    for person in ("ada", "grace"):
        site.browser().sign_in("google", person)
    (mail,) = planned(site, MailKind.WAITING)
    assert mail.to == "ops@acme.example"
    assert f"{site.url}/admin/people?show=pending" in in_plain_text(mail.letter)
    assert "ada" not in in_plain_text(mail.letter).lower(), "it names nobody"
    site.execute("UPDATE mails SET created_at = '2026-01-01 00:00:00.000000'")
    site.browser().sign_in("github", "noa")
    assert len(planned(site, MailKind.WAITING)) == 2
