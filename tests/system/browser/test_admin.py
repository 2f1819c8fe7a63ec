"""The operator's pages under axe, narrow and wide, light and dark, without complaints of CSP."""

from datetime import timedelta

import pytest

from issuer.models import LogoutRow
from storage import now
from tests.commands.console import answer
from tests.issuer.relying_party import App
from tests.system.browser.inspection import inspect
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


def test_the_pages_of_what_happens(admin):
    admin.open("/admin/events")
    inspect(admin, "Events")
    admin.open("/admin/outboxes")
    inspect(admin, "Outboxes")
    admin.open("/admin/applications")
    inspect(admin, "Applications")
    admin.press("Notes")
    inspect(admin, "Notes")
    admin.open("/admin/providers")
    inspect(admin, "Providers")
    admin.press("Check now: Google")
    inspect(admin, "Check of Google")
