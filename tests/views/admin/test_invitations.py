"""Invitations at /admin/invitations: made with a link that is shown once, listed, withdrawn."""

import re

import pytest

from notices.mails import MailKind
from notices.messages import in_plain_text
from tests.accounts.letters import planned, with_mail
from tests.browser import Browser, Page
from tests.commands.console import answer
from tests.commands.test_users import sign_in
from tests.views.account.test_reauthentication import grow_old
from tests.views.admin.conftest import make_admin

PATH = "/admin/invitations"


def invite(admin: Browser, **form: str) -> Page:
    """Fill in the form."""
    page = admin.get(PATH)
    return admin.post(PATH, page, **{"back": PATH, "uses": "1", "days": "7", **form})


def link_of(page: Page) -> str:
    (link,) = re.findall(r"http[^<]*/join/[^<]+", page.html)
    return str(link)


def test_an_invitation_opens_an_account_and_its_link_is_shown_once(both):
    admin = make_admin(both)
    both.restart(SIGNUPS="invited")
    made = invite(admin, email=" grace@navy.example ", groups="staff, editors", days="3")
    link = link_of(made)
    assert (made.status, made.heading) == (200, "Invitation")
    assert "no-store" in made.headers["Cache-Control"]
    listed = admin.get(PATH)
    assert "/join/" not in listed.html
    assert link.rpartition("/")[2] not in str(both.rows("SELECT * FROM invitations"))
    assert "grace@navy.example Open" in listed.text
    assert "Used 0 of 1 · groups editors, staff" in listed.text
    grace = both.browser()
    grace.get(link)
    grace.sign_in("google", "grace")
    me = grace.me()
    assert me
    assert me["groups"] == ["editors", "staff"]
    assert "grace@navy.example Used" in admin.get(PATH).text
    (act, *_) = answer(both, "admin", "log")["items"]
    (item,) = answer(both, "invitations", "list")["items"]
    assert (act["act"], act["target"], act["admin_name"]) == (
        "invitation_added",
        item["id"],
        "Ada Lovelace",
    )


def test_an_invitation_in_place_of_a_rule_says_so(site, admin):
    made = invite(admin, bypass="yes")
    assert "They are let in whatever the rules say" in made.text
    assert "Used 0 of 1 · whatever the access rules say" in admin.get(PATH).text
    assert "rules say" not in invite(admin).text
    ordinary, bypassing = answer(site, "invitations", "list")["items"]
    assert (ordinary["bypass"], bypassing["bypass"]) == (False, True)


def test_a_withdrawn_invitation_opens_nothing(site, admin):
    link = link_of(invite(admin))
    (item,) = answer(site, "invitations", "list")["items"]
    page = admin.get(PATH)
    done = admin.post(f"{PATH}/{item['id']}/remove", page)
    assert "withdrawn" in done.message
    assert site.browser().get(link).status == 403
    assert answer(site, "admin", "log")["items"][0]["act"] == "invitation_removed"
    for again in (item["id"], "nonsense"):
        assert admin.post(f"{PATH}/{again}/remove", page).status == 404


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"email": "nobody"}, "one email address"),
        ({"groups": "Na!vy"}, "A group's name has"),
        ({"uses": "0"}, "from 1 to 10000"),
        ({"uses": "10001"}, "from 1 to 10000"),
        ({"days": "366"}, "from 1 to 365"),
        ({"days": "-1"}, "from 1 to 365"),
        ({"days": "٣"}, "from 1 to 365"),
    ],
)
def test_a_form_with_a_fault_makes_nothing_and_keeps_what_was_typed(site, admin, form, said):
    page = invite(admin, **{"email": "a@b.example", "bypass": "yes", **form})
    assert (page.status, page.alert) == (400, "The invitation wasn't made")
    assert said in page.text
    (typed,) = form.values()
    assert f'value="{typed}"' in page.html
    assert re.search(r'name="bypass"[^>]* checked>', page.html)
    assert site.rows("SELECT count(*) FROM invitations") == [(0,)]


def test_invitations_are_for_administrators_who_signed_in_lately(site, admin):
    grace = sign_in(site, "grace")
    token = {"csrf_token": grace.get("/account").csrf_token, "uses": "1", "days": "7"}
    assert grace.fetch(PATH).status == 404
    assert grace.fetch(PATH, "POST", data=token).status == 404
    assert admin.fetch(PATH, "POST", data={"uses": "1", "days": "7"}).status == 400
    grow_old(site)
    assert invite(admin).heading == "Confirm it's you"
    assert site.rows("SELECT count(*) FROM invitations") == [(0,)]


def test_invitations_come_in_pages(site, admin):
    for number in range(27):
        answer(site, "invitations", "add", "--email", f"p{number:02}@navy.example")
    first = admin.get(PATH)
    (older,) = [link for link in first.links() if "after=" in link]
    rest = admin.get(older)
    shown = [re.findall(r"p\d\d@", page.text) for page in (first, rest)]
    assert shown[0] == [f"p{number:02}@" for number in range(26, 1, -1)]
    assert shown[1] == ["p01@", "p00@"]


def test_an_invitation_is_sent_to_its_address_if_it_is_asked_for(make_site):
    site = with_mail(make_site)
    admin = make_admin(site)
    assert "Send the link by mail" in admin.get(PATH).text
    invite(admin, email="grace@navy.example")
    invite(admin, mail="yes")
    assert planned(site, MailKind.INVITED) == []
    made = invite(admin, email="grace@navy.example", mail="yes")
    assert "It is sent to grace@navy.example." in made.text
    (mail,) = planned(site, MailKind.INVITED)
    assert mail.to == "grace@navy.example"
    assert link_of(made) in in_plain_text(mail.letter)


def test_without_mail_nothing_is_promised(site):
    admin = make_admin(site)
    assert "by mail" not in admin.get(PATH).text
    made = invite(admin, email="grace@navy.example", mail="yes")
    assert "It is sent" not in made.text
