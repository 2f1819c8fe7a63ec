"""Demo mode sends its mail to a mailbox that everybody at the machine can read."""

import re

import requests

from notices import mails
from notices.mails import MailKind
from storage import atomic
from tests.processes import until

ADA = "ada@math.example"


def test_mail_of_the_demo_is_shown_as_text_and_as_html_and_goes_nowhere_else(make_site):
    # Nothing listens there; and the people of the demo are invented.
    site = make_site(DEMO="1", MAIL_URL="smtp://127.0.0.1:1", MAIL_FROM="real@acme.example")

    @atomic
    def plan() -> None:
        data = {"device": "<b>Firefox</b>\n.\nQUIT", "path": "/not-me/abc"}
        mails.plan(MailKind.NEW_DEVICE, [ADA], user_id=None, data=data)

    site.app.add_url_rule("/-/plan", view_func=lambda: plan() or "done")
    page = site.browser().get("/login")
    (url,) = (link for link in page.links() if link.endswith("/demo/mail"))
    assert "No mail yet" in requests.get(url, timeout=30).text
    site.browser().get("/-/plan")
    until(lambda: "New sign-in to your Quickstep account" in requests.get(url, timeout=30).text)
    shown = requests.get(url, timeout=30).text
    assert ADA in shown
    assert f'<a href="{site.url}/not-me/abc"' in shown
    assert "<b>" not in shown
    (path,) = re.findall(r'href="(/demo/mail/\d+)"', shown)
    found = requests.get(url.removesuffix("/demo/mail") + path, timeout=30)
    assert f'href="{site.url}/not-me/abc"' in found.text
    assert "<b>" not in found.text
    assert "default-src 'none'" in found.headers["Content-Security-Policy"]
    assert requests.get(f"{url}/999", timeout=30).status_code == 404


def test_a_site_outside_of_the_demo_has_no_mailbox(site):
    assert "mailbox" not in site.browser().get("/login").text
