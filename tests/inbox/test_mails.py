"""What a provider reports is told to the person by mail."""

import pytest

from inbox.notices import Kind
from notices.mails import MailKind
from tests.accounts.letters import forget, kinds, planned, receivers, with_mail
from tests.inbox.test_effects import notice, take
from tests.site import Site

ADA, LINUS = "ada@gmail.com", "linus@chemistry.example"


@pytest.fixture
def site(make_site) -> Site:
    return with_mail(make_site)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Kind.CONSENT_REVOKED, MailKind.PROVIDER_TOOK_BACK),
        (Kind.HIJACKED, MailKind.PROVIDER_SUSPENDED),
        (Kind.DISABLED, MailKind.PROVIDER_SUSPENDED),
    ],
)
def test_a_report_is_told_with_the_providers_name(site, browser, kind, told):
    browser.sign_in("google", "ada")
    browser.link("github", "linus")
    forget(site)
    take(site, notice(site, kind))
    assert receivers(site, told) == {ADA, LINUS}
    letter = planned(site, told)[0].letter
    assert letter.subject == "Google told us about your account"
    assert letter.link == ("Sign in", f"{site.url}/login")


@pytest.mark.parametrize("kind", [Kind.SESSIONS_REVOKED, Kind.CREDENTIAL_CHANGED, Kind.ENABLED])
def test_a_report_that_asks_nothing_of_the_person_sends_no_mail(site, browser, kind):
    browser.sign_in("google", "ada")
    take(site, notice(site, kind))
    assert kinds(site) == []


def test_a_deletion_is_told_to_the_address_that_goes_with_it(site, browser):
    browser.sign_in("google", "ada")
    browser.link("github", "linus")
    forget(site)
    assert take(site, notice(site, Kind.DELETION_ASKED)) == ["removed"]
    assert receivers(site, MailKind.PROVIDER_REMOVED) == {ADA, LINUS}


def test_a_planned_deletion_is_told_with_its_day(site, browser):
    browser.sign_in("google", "ada")
    assert take(site, notice(site, Kind.DELETION_ASKED)) == ["deletion_planned"]
    [mail] = planned(site)
    assert (mail.kind, mail.to) == ("deletion_planned", ADA)
    [due] = site.rows("SELECT delete_due_at FROM users")[0]
    assert str(due).startswith(mail.data["date"])
    assert "will be deleted on" in mail.letter.subject
    assert "?" not in mail.letter.subject
