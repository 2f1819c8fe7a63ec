"""Each kind of mail: the same facts in both parts, our links only, and no harm by foreign texts."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest

from config import ROOT
from config.mail_url import MailURL
from notices import messages, text
from notices.mails import Content, MailKind
from notices.sending import Leased
from notices.server import MailServer
from notices.smtp import AddressRefused

SERVER = MailServer(
    url=MailURL("mail.acme.example", 25, "none"),
    sender="Acme <no-reply@acme.example>",
    reply_to="",
    ca_file=None,
    seconds=1,
    base_url="https://login.acme.example/sso",
    host="login.acme.example",
    product="Acme",
    support_url="https://help.acme.example/",
)
FACTS = {
    "provider": "GitHub",
    "app": "Notes",
    "device": "Firefox on Linux",
    "country": "France",
    "at": "2026-11-27T16:15:00+00:00",
    "date": "2026-12-04",
    "host": "hooks.acme.example",
    "reason": "status 500",
    "path": "/not-me/abc_123-x",
}
EVIL = [
    "<b>bold</b>",
    "Click https://evil.example/now",
    "Click www.evil.example",
    "x\r\nBcc: victim@evil.example",
    "\u202eelpmaxe.live",
    "a" * 5000,
    "zero\u200bwidth\x00null",
    '"><script>alert(1)</script><img src=x>',
    "{product} {0} %s",
]
# As mail programs find links in plain text.
LOOKS_LIKE_A_LINK = re.compile(r"(?i)\b(?:https?://\S+|www\.\w|[a-z0-9-]+\.[a-z]{2,}\b)")


def leased(kind: MailKind, data: dict[str, str] = FACTS, to: str = "ada@math.example") -> Leased:
    at = datetime(2026, 11, 27, 16, 15, tzinfo=UTC)
    return Leased("0" * 32, kind, Content(to, data), at, 1)


def parts(kind: MailKind, data: dict[str, str] = FACTS) -> tuple[str, str, str]:
    """Subject, plain text and HTML of a kind, as they arrive."""
    message = messages.build(leased(kind, data), SERVER)
    plain, html = message.iter_parts()
    return str(message["Subject"]), plain.get_content(), html.get_content()


def words_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


@pytest.mark.parametrize("kind", MailKind)
def test_both_parts_have_the_same_facts_and_links(kind):
    subject, plain, html = parts(kind)
    assert subject
    assert "{" not in subject + plain + words_of(html)
    assert "?" not in subject.removesuffix("one?")
    shown = words_of(html)
    letter = messages.write(kind, FACTS, SERVER)
    for sentence in (*letter.sentences, *letter.footer):
        assert sentence in plain
        assert sentence in shown
    for name, value in letter.facts:
        assert f"{name}: {value}" in plain
        assert f"{name} {value}" in shown
    if letter.link:
        assert letter.link[1] == "https://login.acme.example/sso/not-me/abc_123-x"
        assert plain.count(letter.link[1]) == html.count(letter.link[1]) == 1


@pytest.mark.parametrize("kind", MailKind)
def test_a_mail_loads_nothing_and_leads_to_us_only(kind):
    _subject, plain, html = parts(kind)
    assert '<html lang="en" dir="ltr">' in html
    assert not re.search(
        r"(?i)<(script|img|link|style|iframe|form|object)|url\(|\bon\w+=|src=", html
    )
    ours = ("https://login.acme.example/sso/", "https://help.acme.example/")
    linked = re.findall(r'href="([^"]*)"', html) + re.findall(r"https?://[^\s<\"]+", plain + html)
    assert all(link.startswith(ours) for link in linked)


@pytest.mark.parametrize("kind", MailKind)
def test_headers_say_that_a_program_wrote_it(kind):
    message = messages.build(leased(kind), SERVER)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == f"<{'0' * 32}@login.acme.example>"
    assert message["Date"] == "Fri, 27 Nov 2026 16:15:00 +0000"
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("kind", [MailKind.NEW_DEVICE, MailKind.CONNECTED_TO_APP])
def test_foreign_texts_come_out_harmless(kind, evil):
    data = FACTS | {"app": evil, "device": evil, "country": evil, "provider": evil}
    message = messages.build(leased(kind, data), SERVER)
    assert set(message.keys()) == set(messages.build(leased(kind), SERVER).keys())
    subject, plain, html = parts(kind, data)
    for part in (plain, words_of(html)):
        known = part.replace("https://login.acme.example/sso/not-me/abc_123-x", "")
        known = known.replace("https://help.acme.example/", "").replace("login.acme.example", "")
        assert not LOOKS_LIKE_A_LINK.search(known)
        assert not set(part) & set("\u202e\u200b\x00\r")
        assert "a" * 61 not in part
    assert not re.search(r"<(b|script|img)\b", html)
    assert "\n" not in subject
    assert len(subject) < 200


def test_a_fact_does_not_take_the_place_of_our_name_or_host():
    _subject, plain, _html = parts(
        MailKind.WEBHOOK_OFF, FACTS | {"product": "Evil", "site": "evil"}
    )
    assert "you operate login.acme.example." in plain
    assert "Evil" not in plain
    assert "Receiver: hooks." in plain


def test_a_mail_says_whether_answers_are_read():
    assert text.NO_ANSWERS in parts(MailKind.APPROVED)[1]
    server = replace(SERVER, reply_to="help@acme.example")
    assert messages.build(leased(MailKind.APPROVED), server)["Reply-To"] == "help@acme.example"
    assert text.NO_ANSWERS not in messages.write(MailKind.APPROVED, FACTS, server).footer


def test_times_are_in_words_and_in_utc():
    _subject, plain, _html = parts(MailKind.NEW_DEVICE, FACTS | {"at": "2026-11-27T17:15:00+01:00"})
    assert "When: 27 November 2026, 16:15 UTC" in plain
    assert parts(MailKind.DELETION_PLANNED)[0].endswith("deleted on 4 December 2026")


def test_a_fact_that_is_missing_is_left_out():
    _subject, plain, html = parts(MailKind.NEW_DEVICE, {"at": FACTS["at"]})
    assert "Device" not in plain + html
    assert text.NOT_ME not in plain + html


@pytest.mark.parametrize("path", ["https://evil.example", "//evil.example", "not-me", "/x y", "/é"])
def test_a_link_is_a_path_of_ours(path):
    with pytest.raises(ValueError, match="below PUBLIC_URL"):
        parts(MailKind.NEW_DEVICE, FACTS | {"path": path})


@pytest.mark.parametrize(
    "address", ["", "nobody", "x@", "a@b.c\r\nBcc: d@e.f", "a@b.c, d@e.f", "ä@b.example"]
)
def test_what_is_no_address_is_undeliverable(address):
    with pytest.raises(AddressRefused):
        messages.build(leased(MailKind.APPROVED, FACTS, address), SERVER)


def test_a_domain_beyond_ascii_is_written_in_ascii():
    message = messages.build(leased(MailKind.APPROVED, FACTS, "ada@bücher.example"), SERVER)
    assert message["To"] == "ada@xn--bcher-kva.example"


def test_the_mail_that_the_docs_show_is_the_one_that_is_sent():
    shown = (ROOT / "docs" / "operate" / "mail.md").read_text().partition("Subject: ")[2]
    subject, _, body = shown.partition("```")[0].partition("\n\n")
    data = {name: FACTS[name] for name in ("at", "device")}
    found, plain, _html = parts(MailKind.NEW_DEVICE, data)
    assert found == subject
    assert plain.replace("\r\n", "\n").startswith(body)
