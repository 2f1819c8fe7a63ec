"""Addresses that the mail server refuses: noted with their identities, until they change."""

from functools import partial

from accounts import dead_addresses
from notices import mails
from notices.mails import MailKind
from storage import atomic
from tests.notices.mail_server import serving
from tests.processes import until

GRACE = "grace@navy.example"


def dead(site) -> list[bool]:
    return [row[0] is not None for row in site.rows("SELECT email_dead_at FROM oauth ORDER BY id")]


def test_an_address_that_is_refused_three_times_is_noted_with_its_identities(make_site):
    with serving() as server:
        server.answers["RCPT"] = "550 5.1.1 unknown"
        site = make_site(
            MAIL_URL=f"smtp://127.0.0.1:{server.port}", MAIL_FROM="no-reply@acme.example"
        )

        @atomic
        def plan() -> None:
            mails.plan(MailKind.APPROVED, [GRACE.upper()], user_id=None, data={})

        site.app.add_url_rule("/-/plan", view_func=lambda: plan() or "done")
        site.browser().sign_in("google", "grace")
        site.browser().sign_in("google", "ada")
        for count in (1, 2, 3):
            assert dead(site) == [False, False]
            site.browser().get("/-/plan")
            until(partial(was_refused, site, count))
        assert sorted(dead(site)) == [False, True]


def was_refused(site, times: int) -> bool:
    ended = "SELECT 1 FROM mails WHERE state = 'undeliverable' AND kind = 'approved'"
    return len(site.rows(ended)) == times


def test_a_new_address_takes_mail_again_and_the_same_one_does_not(site):
    browser = site.browser()
    browser.sign_in("google", "grace")

    @atomic
    def mark() -> None:
        dead_addresses.mark(GRACE)

    site.inside(mark)
    site.browser().sign_in("google", "grace")
    assert dead(site) == [True]
    site.execute("UPDATE oauth SET email = 'old@navy.example', email_key = 'old@navy.example'")
    site.browser().sign_in("google", "grace")
    assert dead(site) == [False]
