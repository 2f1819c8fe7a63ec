"""login_hint: it stresses a button of the sign-in page, and does nothing else."""

from tests.issuer.relying_party import App
from tests.site import Sites


def test_a_login_hint_puts_the_provider_of_its_domain_first(make_site: Sites):
    site = make_site(look_alikes=("github", "google"), GOOGLE_HOSTED_DOMAIN="navy.example")
    app, browser = App(site), site.browser()
    usual = app.ask(browser)
    assert "For your address" not in usual.text
    for hint in ("grace@navy.example", "nobody@NAVY.example"):
        page = app.ask(browser, login_hint=hint)
        assert "Google" in page.buttons[0]
        assert "For your address" in page.text
        assert hint not in page.html
        assert "navy" not in browser.begin("github", next="/account")
    for odd in ("grace@other.example", "@", "<b>", "navy.example@", "💥@" * 500):
        page = app.ask(browser, login_hint=odd)
        assert page.status == 200
        assert page.buttons == usual.buttons
