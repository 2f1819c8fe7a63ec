"""``invitations``: made, listed and withdrawn at the command line."""

import pytest

from notices.mails import MailKind
from notices.messages import in_plain_text
from tests.accounts.letters import planned, with_mail
from tests.commands.console import answer, run


def test_an_invitation_is_listed_until_it_is_withdrawn(both):
    made = answer(
        both,
        "invitations",
        "add",
        "--email",
        " grace@navy.example ",
        "--groups",
        "b,a",
        "--days",
        "3",
    )
    assert made["link"].startswith(f"{both.url}/join/")
    (item,) = answer(both, "invitations", "list")["items"]
    assert item == {name: value for name, value in made.items() if name != "link"}
    assert (item["email"], item["groups"]) == ("grace@navy.example", ["a", "b"])
    assert (item["uses"], item["used"]) == (1, 0)
    text = run(both, "invitations", "list").stdout
    assert "used 0 of 1" in text
    assert "for grace@navy.example, groups a b" in text
    answer(both, "invitations", "remove", made["id"])
    assert answer(both, "invitations", "list")["items"] == []
    again = run(both, "invitations", "remove", made["id"])
    assert (again.exit_code, again.stdout) == (1, "")
    assert "no such invitation" in again.stderr


def test_the_link_hangs_on_the_public_address_and_its_prefix(make_site):
    site = make_site(PATH_PREFIX="/sso")
    link = answer(site, "invitations", "add")["link"]
    assert link.startswith(f"{site.url}/sso/join/")
    assert site.browser().get(link).heading == "Join Quickstep"


@pytest.mark.parametrize(
    "options",
    [
        ("--email", "nobody"),
        ("--email", "a@x@navy.example"),
        ("--email", ""),
        ("--groups", "Staff"),
        ("--groups", ""),
        ("--groups", "a,,b"),
        ("--uses", "0"),
        ("--uses", "10001"),
        ("--days", "0"),
        ("--days", "366"),
    ],
)
def test_a_faulty_option_makes_no_invitation(site, options):
    result = run(site, "invitations", "add", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert site.rows("SELECT count(*) FROM invitations") == [(0,)]


def test_an_invitation_goes_to_its_address_by_mail(make_site):
    site = with_mail(make_site)
    made = answer(site, "invitations", "add", "--email", "grace@navy.example", "--mail")
    (mail,) = planned(site, MailKind.INVITED)
    assert mail.to == "grace@navy.example"
    assert made["link"] in in_plain_text(mail.letter)
    nobody = run(site, "invitations", "add", "--mail")
    assert (nobody.exit_code, nobody.stdout) == (2, "")
    assert "--mail needs --email" in nobody.stderr


def test_a_site_without_mail_says_that_it_sends_none(site):
    result = run(site, "invitations", "add", "--email", "grace@navy.example", "--mail")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "MAIL_URL" in result.stderr
