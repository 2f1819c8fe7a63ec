"""The operator's pages under axe, narrow and wide, light and dark, without complaints of CSP."""

from datetime import timedelta

import pytest

from issuer.models import LogoutRow
from storage import now
from tests.commands.console import answer
from tests.gates.front import add_gate
from tests.issuer.relying_party import App
from tests.system.browser.inspection import inspect, inspect_failure
from tests.views.operator.test_metrics import add


@pytest.fixture
def admin(come, site):
    """An administrator of a site where something has happened."""
    ada = come()
    ada.be_signed_in("google", "ada")
    grace = site.browser()
    grace.sign_in("google", "grace")
    ids = [row[0] for row in site.rows("SELECT id FROM users ORDER BY name")]
    answer(site, "users", "admin", ids[0])
    answer(site, "groups", "add", "engineers", ids[1])
    app = App(site, "Notes")
    app.tokens(grace)
    later = {"created_at": now() - timedelta(hours=1), "due_at": now() + timedelta(hours=1)}
    site.inside(add, LogoutRow(client_id=app.client_id, sub="ada", attempts=3, **later))
    ada.ids = ids
    ada.app = app
    return ada


def test_the_pages_of_people(admin):
    admin.open("/admin/people")
    inspect(admin, "People")
    admin.open(f"/admin/people/{admin.ids[1]}")
    inspect(admin, "Grace Hopper")
    admin.open("/admin/groups")
    inspect(admin, "Groups")
    admin.press("engineers")
    inspect(admin, "Group engineers")
    admin.open("/admin/log")
    inspect(admin, "Log")


def test_the_pages_of_newcomers(admin, site):
    waiting = site.browser()
    waiting.sign_in("google", "linus")
    site.execute("UPDATE users SET pending_at = created_at WHERE id = :u", u=waiting.user_id)
    admin.open("/admin/people?show=pending")
    inspect(admin, "People")
    admin.press("Reject Linus Pauling")
    inspect(admin, "Reject Linus Pauling?")
    admin.open("/admin/invitations")
    inspect(admin, "Invitations")
    admin.page.get_by_label("For whom").fill("katherine@orbit.example")
    admin.page.get_by_label("Their groups").fill("St!aff")
    admin.press("Make an invitation")
    inspect_failure(admin, "The invitation wasn't made", "Invitations")
    admin.page.get_by_label("Their groups").fill("staff, engineers")
    admin.press("Make an invitation")
    admin.reads("Send this link to its person.")
    inspect(admin, "Invitation")
    admin.press("Done")
    inspect(admin, "Invitations")
    admin.page.get_by_role("button", name="Withdraw the invitation for katherine@").click()
    admin.is_told("The invitation is withdrawn: its link opens no account any more.")


def test_the_pages_of_what_happens(admin, site):
    admin.open("/admin/events")
    inspect(admin, "Events")
    admin.open("/admin/outboxes")
    inspect(admin, "Outboxes")
    admin.open("/admin/applications")
    inspect(admin, "Applications")
    admin.press("Notes")
    inspect(admin, "Notes")
    add_gate(site, "wiki", "--allow", "group=engineers")
    admin.open("/admin/gates")
    inspect(admin, "Gates")
    admin.press("wiki")
    inspect(admin, "Gate wiki")
    admin.page.get_by_label("Rules, one a line").fill("group=engineers\neverybody")
    admin.press("Save")
    inspect_failure(admin, "Nothing was changed", "Gate wiki")
    admin.page.get_by_label("Rules, one a line").fill("group=engineers\ndomain=navy.example")
    admin.press("Save")
    admin.is_told("Who may pass wiki is changed, from the next request on.")
    admin.open("/admin/providers")
    inspect(admin, "Providers")
    admin.press("Check now: Google")
    inspect(admin, "Check of Google")
