"""Mails that an administrator sends from a person's page: they ask, and change nothing."""

from notices.mails import MailKind
from tests.accounts.letters import forget, planned, receivers, with_mail
from tests.views.admin.conftest import make_admin
from tests.views.admin.test_person import act


def test_a_person_is_asked_by_mail_to_sign_in_again(make_site):
    site = with_mail(make_site)
    admin, grace = make_admin(site), site.browser()
    grace.sign_in("google", "grace")
    path = f"/admin/people/{grace.user_id}"
    assert "asks this person to sign in again" in act(admin, path, "ask-to-sign-in").message
    [mail] = planned(site, MailKind.SIGN_IN_AGAIN)
    assert (mail.to, mail.letter.link) == ("grace@navy.example", ("Sign in", f"{site.url}/login"))
    assert grace.me(), "the mail asks, and ends nothing"


def test_help_with_a_merge_tells_both_and_merges_nothing(make_site):
    site = with_mail(make_site)
    admin, one, two = make_admin(site), site.browser(), site.browser()
    one.sign_in("google", "grace")
    two.sign_in("github", "linus")
    forget(site)
    before = site.user_count()
    path, other = f"/admin/people/{one.user_id}", str(two.user_id)
    page = admin.get(path)
    for wrong in ("0" * 32, str(one.user_id), "nonsense"):
        told = admin.post(f"{path}/offer-merge", page, other=wrong)
        assert "Nothing was sent" in told.message
    assert planned(site) == []
    assert "Nothing is changed" in admin.post(f"{path}/offer-merge", page, other=other).message
    both = {"grace@navy.example", "linus@chemistry.example"}
    assert receivers(site, MailKind.MERGE_HELP) == both
    assert all(each.letter.link for each in planned(site))
    assert site.user_count() == before
    assert (one.providers(), two.providers()) == (["google"], ["github"])


def test_a_site_without_mail_offers_none(site, browser):
    admin = make_admin(site)
    browser.sign_in("google", "grace")
    path = f"/admin/people/{browser.user_id}"
    page = admin.get(path)
    assert "Ask to sign in again" not in page.html
    told = admin.post(f"{path}/ask-to-sign-in", page)
    assert "Nothing was sent" in told.message
