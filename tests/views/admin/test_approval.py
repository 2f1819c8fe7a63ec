"""People who wait for approval, as an administrator lets them in or rejects them."""

import pytest

from tests.commands.console import answer
from tests.site import Site
from tests.views.account.test_reauthentication import grow_old
from tests.views.admin.conftest import make_admin
from tests.views.admin.test_person import act

WAITING = "Waiting for approval"


@pytest.fixture
def stage(request: pytest.FixtureRequest, make_site):
    """An administrator, and Grace, who waits: their browsers, and the path of her page."""
    site = make_site(getattr(request, "param", "sqlite"))
    admin = make_admin(site)
    site.restart(SIGNUPS="approval")
    grace = site.browser()
    grace.sign_in("google", "grace")
    (item,) = answer(site, "users", "list", "--pending")["items"]
    return site, admin, grace, f"/admin/people/{item['id']}"


def acts_of(site: Site) -> list[str]:
    return [each["act"] for each in answer(site, "admin", "log")["items"]][:-1]


def test_an_approval_on_the_list_lets_the_person_in(stage):
    site, admin, grace, path = stage
    assert "1 account waits for approval" in admin.get("/admin/people").text
    page = admin.get("/admin/people", params={"show": "pending"})
    assert "Grace Hopper" in page.text
    assert "Ada Lovelace" not in page.text
    assert WAITING in admin.get(path).text
    done = admin.post(f"{path}/approve", page, **{"from": "pending"})
    assert (done.path, "is approved" in done.message) == ("/admin/people", True)
    assert "Nobody was found." in done.text
    assert "for approval" not in admin.get("/admin/people").text.replace(WAITING, "")
    assert grace.me()
    assert "by Ada Lovelace, who administers this site" in grace.get("/account/activity").text
    assert acts_of(site) == ["account_approved"]
    # A second click, or another administrator's, changes nothing; and nobody is rejected who is in.
    for what in ("approve", "reject"):
        page = act(admin, path, what)
        assert "does not wait for approval" in page.message
    assert f"{path}/reject" not in page.html
    assert admin.get(f"{path}/reject").path == path
    assert grace.me()
    assert acts_of(site) == ["account_approved"]


def test_a_rejection_deletes_the_account_and_says_so_to_its_person(stage):
    site, admin, grace, path = stage
    page = admin.get(f"{path}/reject")
    assert page.heading == "Reject Grace Hopper?"
    assert "deleted" in admin.post(f"{path}/reject", page).message
    assert admin.get(path).status == 404
    told = grace.get("/account")
    assert "did not let you in. Your account was deleted." in told.text
    assert acts_of(site) == ["account_rejected"]


def test_neither_without_a_recent_sign_in_nor_for_others(stage):
    site, admin, grace, path = stage
    linus = site.browser()
    linus.sign_in("google", "linus")
    for what in ("approve", "reject"):
        assert linus.fetch(f"{path}/{what}", "POST").status == 404
        assert grace.fetch(f"{path}/{what}", "POST").status == 404
        assert admin.fetch(f"{path}/{what}", "POST").status == 400
    grow_old(site)
    for what in ("approve", "reject"):
        assert act(admin, path, what).heading == "Confirm it's you"
    assert site.rows("SELECT count(*) FROM users WHERE pending_at IS NOT NULL") == [(2,)]


@pytest.mark.parametrize("stage", ["sqlite", "postgresql"], indirect=True)
def test_people_without_a_usable_way_in_are_found(stage):
    site, admin, _grace, path = stage
    stranded = {"show": "stranded"}
    assert "Nobody was found." in admin.get("/admin/people", params=stranded).text
    site.browser().sign_in("github", "linus")
    site.restart(GITHUB_CLIENT_ID="", GITHUB_CLIENT_SECRET="")
    found = admin.get("/admin/people", params=stranded).text
    assert "Linus Pauling" in found
    assert "Grace Hopper" not in found
    site.execute("DELETE FROM oauth WHERE user_id = :u", u=path.rpartition("/")[2])
    assert "No sign-in method" in admin.get("/admin/people", params=stranded).text
