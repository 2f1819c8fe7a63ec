"""``mail test`` and ``mail queue``, against a real mail server."""

from notices import mails
from notices.mails import MailKind
from storage import atomic
from tests.commands.console import answer, run
from tests.notices.mail_server import serving
from tests.notices.test_sending import with_mail

ADA = "ada@math.example"


def test_a_test_mail_arrives_or_says_why_not(make_site):
    with serving() as server:
        site = with_mail(make_site, f"smtp://127.0.0.1:{server.port}")
        assert run(site, "mail", "test", ADA).stdout == f"127.0.0.1:{server.port} took it.\n"
        assert server.receivers == [ADA]
        assert server.subjects == ["Test from Quickstep"]
        assert answer(site, "providers", "check")  # its exit status is 0
        server.answers["RCPT"] = "550 5.1.1 unknown"
        refused = run(site, "mail", "test", ADA)
        assert (refused.exit_code, refused.stdout[-10:]) == (1, " RCPT 550\n")
    away = run(site, "mail", "test", ADA)
    assert away.exit_code == 1
    assert "does not take it: ConnectionRefusedError" in away.stdout
    check = run(site, "providers", "check")
    assert check.exit_code == 1
    assert "FAIL  Mail: 127.0.0.1" in check.stdout


def test_the_queue_is_counted_by_kind(make_site):
    site = with_mail(make_site, "smtp://127.0.0.1:1")

    @atomic
    def write() -> None:
        mails.plan(MailKind.APPROVED, [ADA, "other@math.example"], user_id=None, data={})

    assert run(site, "mail", "queue").stdout == "Nothing waits.\n"
    site.inside(write)
    found = answer(site, "mail", "queue")
    assert [(item["kind"], item["waiting"]) for item in found["items"]] == [("approved", 2)]
    assert run(site, "mail", "queue").stdout.startswith("approved: 2, oldest 20")


def test_both_say_that_mail_is_off(make_site):
    site = make_site()
    assert run(site, "mail", "test", ADA).exit_code == 1
    assert run(site, "mail", "queue").stdout.startswith("Mail is off")
    check = run(site, "providers", "check").stdout
    assert "Mail: off" in check
