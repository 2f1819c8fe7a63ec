"""A person hears by mail of an application that they allowed."""

from notices.mails import MailKind
from tests.accounts.letters import planned, with_mail
from tests.issuer.relying_party import App


def test_an_application_that_is_allowed_is_told_once_with_its_name(make_site):
    site = with_mail(make_site)
    grace = site.browser()
    grace.sign_in("google", "grace")
    app = App(site)
    for scope in ("openid", "openid email"):
        app.tokens(grace, scope=scope)
    [mail] = planned(site, MailKind.CONNECTED_TO_APP)
    assert mail.to == "grace@navy.example"
    assert mail.letter.subject.startswith("Notes was connected to your ")
    assert mail.letter.link
    assert mail.letter.link[1].startswith(f"{site.url}/not-me/")
