"""People are told by mail what happened to their accounts: at which addresses, and how often."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import accounts
from accounts import admin_acts, choices, lifecycle, sessions, telling
from accounts.activity import COMMAND_LINE, Caller
from accounts.rules import Policy
from notices.mails import MailKind
from providers.base import Assertion
from storage import atomic
from tests.accounts import letters
from tests.accounts.desk import AUTO, CALLER, SEPARATE, Desk, assertion
from tests.accounts.letters import forget, kinds, planned, receivers
from tests.site import Site
from tests.views.account.test_not_me import press

OLD, NEW, THIRD = "ada@old.example", "ada@new.example", "ada@third.example"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.0 Safari/605.1.15"
)
HOME = Caller(address="198.51.100.7", user_agent=FIREFOX)
ELSEWHERE = Caller(address="203.0.113.9", user_agent=SAFARI)


@pytest.fixture
def desk(make_site) -> Desk:
    return Desk(letters.with_mail(make_site))


def google(email: str | None = OLD, subject: str = "1") -> Assertion:
    return assertion("google", subject, email, "verified")


def github(email: str | None = NEW, subject: str = "2") -> Assertion:
    return assertion("github", subject, email, "verified")


def test_without_a_mail_server_nothing_is_written(site):
    desk = Desk(site)
    seat = desk.account(google(), github())
    desk.unlink(seat, github())
    assert site.rows("SELECT count(*) FROM mails") == [(0,)]


def test_a_new_identity_is_told_to_the_addresses_of_before_and_to_its_own(desk):
    seat = desk.account(google())
    assert kinds(desk.site) == []
    desk.link(seat.user_id, github())
    told = planned(desk.site)
    assert [(each.kind, each.to) for each in told] == [
        ("identity_linked", OLD),
        ("identity_linked", NEW),
    ]
    assert told[0].letter.subject.startswith("GitHub was connected to your ")
    assert ("Device", "Unknown browser") in [*told[0].letter.facts]


def test_an_identity_that_joins_by_its_address_is_told_too(desk):
    seat = desk.enter(assertion("google", "1", OLD, "trusted"), AUTO)
    joined = desk.enter(assertion("github", "2", OLD, "trusted"), AUTO)
    assert joined.user_id == seat.user_id
    assert [(each.kind, each.to) for each in planned(desk.site)] == [("identity_linked", OLD)]


def test_an_unverified_address_never_gets_a_mail(desk):
    """The planted address of an attacker learns nothing."""
    planted = "attacker@evil.example"
    seat = desk.account(google(), assertion("facebook", "3", planted))
    desk.link(seat.user_id, github())
    desk.site.inside(accounts.download, seat.user_id, CALLER)
    desk.unlink(seat, assertion("facebook", "3", planted))
    desk.site.inside(lifecycle.delete, seat.user_id, CALLER)
    told = planned(desk.site)
    assert {each.to for each in told} == {OLD, NEW}
    assert "deleted" in {each.kind for each in told}


def test_a_dead_address_and_one_of_a_disowned_identity_get_none(desk):
    seat = desk.account(google(), github(), assertion("facebook", "3", THIRD, "verified"))
    forget(desk.site)
    desk.site.execute("UPDATE oauth SET email_dead_at = '2026-01-01' WHERE provider = 'facebook'")
    desk.site.execute(
        "UPDATE oauth SET suspended_at = '2026-01-01', suspended_reason = 'not_me' "
        "WHERE provider = 'github'"
    )
    desk.site.inside(accounts.download, seat.user_id, CALLER)
    assert receivers(desk.site, MailKind.DOWNLOADED) == {OLD}


def test_three_addresses_hear_it_at_most_and_the_oldest_are_among_them(desk):
    """Whoever connects three identities of theirs does not push the person's own address out."""
    seat = desk.account(google())
    for number in range(2, 6):
        desk.link(seat.user_id, github(f"thief{number}@evil.example", str(number)))
    forget(desk.site)
    desk.site.inside(accounts.download, seat.user_id, CALLER)
    told = receivers(desk.site, MailKind.DOWNLOADED)
    assert len(told) == 3
    assert OLD in told


def test_one_address_in_two_spellings_hears_it_once(desk):
    seat = desk.account(google("Ada@Old.example"), github("ada@old.example"))
    forget(desk.site)
    desk.site.inside(accounts.download, seat.user_id, CALLER)
    assert len(planned(desk.site)) == 1


def test_a_removed_identity_is_told_to_its_own_address_too(desk):
    seat = desk.account(google(), github())
    forget(desk.site)
    desk.unlink(seat, github())
    assert receivers(desk.site, MailKind.IDENTITY_REMOVED) == {OLD, NEW}
    assert planned(desk.site)[0].letter.link == ("Sign in", f"{desk.site.url}/login")


def test_another_address_is_told_to_the_old_one_and_the_new(desk):
    seat = desk.account(google(), github())
    forget(desk.site)
    identity_id = desk.identity(github())
    desk.site.inside(choices.choose_email, seat.user_id, identity_id, CALLER)
    assert receivers(desk.site, MailKind.EMAIL_CHANGED) == {OLD, NEW}


def test_an_address_that_the_provider_changed_is_told_to_the_old_one_and_the_new(desk):
    desk.enter(google())
    desk.enter(google(NEW))
    assert receivers(desk.site, MailKind.EMAIL_CHANGED) == {OLD, NEW}


def test_a_merge_is_told_to_addresses_of_both_accounts(desk):
    kept = desk.account(google(), assertion("facebook", "3", THIRD, "verified"))
    desk.account(github(), assertion("facebook", "4", "fourth@ada.example", "verified"))
    forget(desk.site)
    desk.merge(kept.user_id, github())
    assert receivers(desk.site, MailKind.MERGED) == {OLD, NEW, THIRD}


def test_a_rolled_back_change_is_told_to_nobody(desk):
    seat = desk.account(google())

    @atomic
    def link_and_fail() -> None:
        accounts.link(seat.user_id, github(), CALLER)
        raise LookupError

    with pytest.raises(LookupError):
        desk.site.inside(link_and_fail)
    assert kinds(desk.site) == []


def test_a_deleted_account_is_told_after_it_is_gone(desk):
    seat = desk.account(google())
    desk.link(seat.user_id, github())
    desk.site.inside(lifecycle.delete, seat.user_id, CALLER)
    assert kinds(desk.site) == ["deleted", "deleted"]
    assert {each.to for each in planned(desk.site)} == {OLD, NEW}
    assert desk.site.user_count() == 0


def test_what_an_operator_does_names_no_device(desk):
    seat = desk.account(google(), github())
    forget(desk.site)
    identity_id = desk.identity(github())
    desk.site.inside(admin_acts.unlink, seat.user_id, identity_id, SEPARATE, COMMAND_LINE)
    assert "device" not in planned(desk.site)[0].data


def test_an_export_by_the_operator_is_no_download_of_somebody(desk):
    seat = desk.account(google())
    desk.site.inside(accounts.download, seat.user_id, COMMAND_LINE)
    assert kinds(desk.site) == []


def test_an_approved_person_is_told(desk):
    policy = Policy("ask", "approval")
    seat = desk.enter(google(), policy)
    desk.site.inside(accounts.approve, seat.user_id, COMMAND_LINE)
    assert [(each.kind, each.to) for each in planned(desk.site)] == [("approved", OLD)]


# How often.


def test_a_busy_day_makes_ten_mails_and_one_that_says_so(desk):
    seat = desk.account(google(), github())
    forget(desk.site)
    for _ in range(14):
        desk.site.inside(accounts.download, seat.user_id, CALLER)
    to_old = [each.kind for each in planned(desk.site) if each.to == OLD]
    assert to_old == ["downloaded"] * 10 + ["more_happened"]
    # What may be the last chance to act is told all the same.
    desk.site.inside(lifecycle.delete, seat.user_id, CALLER)
    assert set(kinds(desk.site)) == {"deleted"}


def enter(desk: Desk, who: Assertion, caller: Caller) -> None:
    """Open account and session in one transaction, as views/sign_in/answer.py does."""

    @atomic
    def open_account() -> None:
        result = accounts.sign_in(who, SEPARATE, caller)
        assert result.identity
        begun, _token = sessions.start(result.identity, caller)
        if result.is_new_device:
            telling.tell_of_new_device(begun, caller)

    desk.site.inside(open_account)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_sign_in_from_a_new_device_elsewhere_is_told_once_an_hour(make_site, database):
    desk = Desk(letters.with_mail(make_site, database))
    enter(desk, google(), HOME)
    enter(desk, google(), HOME)
    assert kinds(desk.site) == [], "the first session, and the same device"
    enter(desk, google(), replace(HOME, user_agent=SAFARI))
    enter(desk, google(), replace(ELSEWHERE, user_agent=FIREFOX.replace("140", "141")))
    assert kinds(desk.site) == [], "a network or a device that is known"
    _forget_sign_ins(desk.site, HOME.user_agent)
    for number in range(50):
        enter(desk, google(), Caller(address=f"192.0.{number}.1", user_agent=f"{number}"))
    [mail] = planned(desk.site)
    assert (mail.kind, mail.to) == ("new_device", OLD)


def _forget_sign_ins(site: Site, kept: str) -> None:
    site.execute("DELETE FROM events WHERE user_agent <> :kept", kept=kept)


def test_a_device_of_more_than_90_days_ago_is_new(desk):
    enter(desk, google(), HOME)
    long_ago = (datetime.now(UTC) - timedelta(days=91)).replace(tzinfo=None).isoformat(" ")
    desk.site.execute("UPDATE events SET at = :at", at=long_ago)
    enter(desk, google(), HOME)
    assert planned(desk.site)[0].data["device"] == "Firefox on Linux"


def test_networks_are_compared_by_what_a_household_shares(desk):
    enter(desk, google(), Caller(address="2001:db8:1:2::3", user_agent=FIREFOX))
    enter(desk, google(), Caller(address="2001:db8:1:ffff::9", user_agent=SAFARI))
    assert kinds(desk.site) == []
    enter(desk, google(), Caller(address="2001:db8:2::1", user_agent="other"))
    assert kinds(desk.site) == ["new_device"]


def test_a_provider_has_its_name_for_people(desk):
    assert desk.site.inside(telling.label, "github") == "GitHub"


# The link of a mail.


def test_the_link_of_a_mail_leads_to_a_page_that_ends_that_session(make_site):
    site = letters.with_mail(make_site)
    thief, person = site.browser(), site.browser()
    person.sign_in("google", "grace")
    site.execute("UPDATE events SET address = '192.0.2.1', user_agent = :other", other=SAFARI)
    thief.sign_in("google", "grace")
    [mail] = planned(site, MailKind.NEW_DEVICE)
    assert mail.letter.link
    words, link = mail.letter.link
    assert words == "This wasn't me"
    press(site, link.removeprefix(site.url))
    assert thief.me() is None
    assert person.me()


def test_a_linked_identity_can_be_disowned_from_the_address_of_before(desk):
    seat = desk.account(google())
    desk.link(seat.user_id, github())
    mail = planned(desk.site, MailKind.IDENTITY_LINKED)[0]
    assert mail.to == OLD
    press(desk.site, mail.data["path"])
    assert desk.site.rows("SELECT suspended_reason FROM oauth WHERE provider = 'github'") == [
        ("not_me",)
    ]


def test_an_operators_or_a_providers_act_cannot_be_disowned(desk):
    seat = desk.account(google(), github())
    other = desk.account(assertion("facebook", "3", THIRD, "verified"))
    forget(desk.site)
    desk.site.inside(accounts.move_identity, desk.identity(github()), other.user_id, COMMAND_LINE)
    told = planned(desk.site, MailKind.IDENTITY_LINKED)
    assert {each.to for each in told} == {THIRD, NEW}
    assert [each.letter.link for each in told] == [None, None]
    assert seat.user_id != other.user_id
