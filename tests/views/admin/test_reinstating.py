"""A suspension, a hold and a planned deletion are shown, found and undone by an administrator."""

import pytest

from tests.browser import Browser
from tests.commands.console import answer, run
from tests.commands.test_users import id_of, sign_in, subject_of
from tests.site import Site
from tests.views.admin.conftest import make_admin
from tests.views.admin.test_people import NAMES, found
from tests.views.admin.test_person import act, path_of

ACTS = ["account_kept", "hold_released", "suspension_lifted"]


def endanger(site: Site, person: Browser) -> str:
    """Suspend somebody's only identity, hold the account and plan its deletion; return the
    identity's id."""
    user_id = id_of(person)
    site.execute(
        "UPDATE users SET held_at = created_at, held_reason = 'hijacked', "
        "delete_due_at = '2099-01-02 00:00:00.000000' WHERE id = :u",
        u=user_id,
    )
    site.execute(
        "UPDATE oauth SET suspended_at = linked_at, suspended_reason = 'hijacked' "
        "WHERE user_id = :u",
        u=user_id,
    )
    ((identity_id,),) = site.rows("SELECT id FROM oauth WHERE user_id = :u", u=user_id)
    return str(identity_id)


def left(site: Site) -> list[tuple[object, ...]]:
    """What is still suspended, held or planned."""
    query = "SELECT id FROM users WHERE held_at IS NOT NULL OR delete_due_at IS NOT NULL"
    suspended = "SELECT id FROM oauth WHERE suspended_at IS NOT NULL"
    return [tuple(row) for row in site.rows(f"{query} UNION ALL {suspended}")]


def test_a_person_in_danger_is_found_shown_and_put_back(both):
    admin, grace = make_admin(both), sign_in(both, "grace")
    identity_id = endanger(both, grace)
    for only in ("held", "suspended", "stranded"):
        assert found(admin, show=only) == {NAMES["grace"]}, only
    page = admin.get(path_of(grace))
    assert "On hold" in page.text
    assert "It opens nothing since" in page.text
    assert "its provider says that somebody else got into the account there" in page.text
    assert "2099" in page.text
    done = act(admin, path_of(grace), f"identities/{identity_id}/lift")
    assert done.message == "Google opens this account again."
    assert "can be changed again" in act(admin, path_of(grace), "release").message
    assert "will not be deleted" in act(admin, path_of(grace), "keep").message
    assert left(both) == []
    assert "this was over already" in act(admin, path_of(grace), "keep").text
    items = answer(both, "admin", "log")["items"][:3]
    assert [each["act"] for each in items] == ACTS
    assert {each["user_id"] for each in items} == {id_of(grace)}
    lines = grace.get("/account/activity").text
    for words in ("Signing in with Google is possible again", "Changes to this account are"):
        assert words in lines
    assert lines.count("by Ada Lovelace") == 3
    for only in ("held", "suspended", "stranded"):
        assert found(admin, show=only) == set(), only


def test_commands_do_the_same_and_refuse_what_is_over(site):
    grace = sign_in(site, "grace")
    endanger(site, grace)
    subject = subject_of(grace)
    (shown,) = answer(site, "users", "show", subject)["items"]
    assert shown["held_at"]
    assert shown["delete_due_at"].startswith("2099-01-02")
    assert shown["identities"][0]["suspended_at"]
    assert ", suspended" in run(site, "users", "show", subject).stdout
    for words in (("lift", subject), ("release", subject), ("keep", subject)):
        assert answer(site, "users", *words)
        assert run(site, "users", *words).exit_code == 1
    assert left(site) == []
    assert [each["act"] for each in answer(site, "admin", "log")["items"]] == ACTS


@pytest.mark.parametrize("what", ["identities/nonsense/lift", "release", "keep"])
def test_nobody_else_undoes_it(site, what):
    admin, grace = make_admin(site), sign_in(site, "grace")
    identity_id = endanger(site, grace)
    path = f"{path_of(grace)}/{what.replace('nonsense', identity_id)}"
    token = {"csrf_token": grace.get("/account").csrf_token}
    assert grace.fetch(path, "POST", data=token).status == 404
    assert admin.fetch(path, "POST").status == 400
    assert len(left(site)) == 2
    if "nonsense" in what:
        assert act(admin, path_of(grace), what).status == 404
