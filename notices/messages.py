"""Messages of mails: plain text and HTML made of the same sentences, with one layout.

Texts from outside (devices, names of applications) are cleaned: no control characters, one
line, at most 60 characters, and nothing that a mail program turns into a link.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, getaddresses
from typing import Protocol

from markupsafe import Markup

from notices import text
from notices.mails import Content, MailKind
from notices.server import MailServer
from notices.smtp import AddressRefused
from notices.text import WORDS, Words

LONGEST = 60
# Invisible, and ends what mail programs take for an address of the web.
WORD_JOINER = "\u2060"
# Facts that are times, in ISO 8601.
TIMES = ("at",)
DAYS = ("date",)
LANGUAGE, DIRECTION = "en", "ltr"


class ToSend(Protocol):
    """The mail that a message is made of."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> MailKind: ...
    @property
    def content(self) -> Content | None: ...
    @property
    def created_at(self) -> datetime: ...


@dataclass(frozen=True)
class Letter:
    """The parts of a message, in the order in which they are read."""

    subject: str
    sentences: Sequence[str]
    facts: Sequence[tuple[str, str]]
    before_link: str
    link: tuple[str, str] | None
    footer: Sequence[str]


def build(mail: ToSend, server: MailServer) -> EmailMessage:
    """Build the message of a mail: the same at each attempt. Raises AddressRefused for what is no
    address, and for content that no key opens."""
    if mail.content is None:
        raise AddressRefused("unreadable")
    letter = write(mail.kind, mail.content.data, server)
    message = EmailMessage(policy=SMTP)
    message["Subject"] = letter.subject
    message["From"] = server.sender
    try:
        message["To"] = Address(addr_spec=_in_ascii(mail.content.to))
    except (ValueError, IndexError):
        raise AddressRefused("not an address") from None
    if server.reply_to:
        message["Reply-To"] = server.reply_to
    message["Date"] = format_datetime(mail.created_at.astimezone(UTC))
    message["Message-ID"] = f"<{mail.id}@{server.host}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 5
    message["X-Auto-Response-Suppress"] = "All"
    message["Content-Language"] = LANGUAGE
    message.set_content(in_plain_text(letter), cte="quoted-printable")
    message.add_alternative(in_html(letter), subtype="html", cte="quoted-printable")
    return message


def sender_address(server: MailServer) -> str:
    """Return the address of the sender, without a name."""
    return getaddresses([server.sender])[0][1]


def _in_ascii(address: str) -> str:
    """Return an address whose domain is written in ASCII."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{domain.encode('idna').decode()}"


def write(kind: MailKind, data: Mapping[str, str], server: MailServer) -> Letter:
    """Write the letter of a kind of mail."""
    words = WORDS[kind]
    values = _values(data, server)
    footer = [text.WHY_OPERATOR if words.is_for_operator else text.WHY, text.NEVER]
    if not server.reply_to:
        footer.append(text.NO_ANSWERS)
    if server.support_url and not words.is_for_operator:
        footer.append(text.CONTACT)
    known = [(text.FACTS[name], values[name]) for name in words.facts if data.get(name)]
    link = _link(words, data, server)
    return Letter(
        words.subject.format_map(values),
        [sentence.format_map(values) for sentence in words.sentences],
        known,
        words.before_action if link else "",
        link,
        [sentence.format_map(values) for sentence in footer],
    )


def _link(words: Words, data: Mapping[str, str], server: MailServer) -> tuple[str, str] | None:
    path = data.get("path", "")
    if not words.action or not path:
        return None
    if not path.startswith("/") or path.startswith("//") or not path.isascii() or " " in path:
        raise ValueError("the path of a mail's link must be one below PUBLIC_URL")
    return words.action, server.base_url + path


class _Values(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "?"


def _values(data: Mapping[str, str], server: MailServer) -> _Values:
    values = _Values({name: clean(value) for name, value in data.items()})
    values |= {name: _in_words(data[name]) for name in TIMES if name in data}
    values |= {name: _in_words(data[name]).split(",")[0] for name in DAYS if name in data}
    own = {"product": server.product, "site": server.host, "support": server.support_url or ""}
    return _Values({**values, **own})


def clean(foreign: str) -> str:
    """Return a text from outside as one short line that is no link."""
    said = "".join(
        " " if character.isspace() else character
        for character in foreign[: 10 * LONGEST]
        if character.isspace() or unicodedata.category(character)[0] != "C"
    )
    line = " ".join(said.split())
    if len(line) > LONGEST:
        line = f"{line[: LONGEST - 1]}…"
    for sign in (".", ":", "@", "/"):
        line = line.replace(sign, f"{sign}{WORD_JOINER}")
    return line.removesuffix(WORD_JOINER)


def _in_words(moment: str) -> str:
    """Return an ISO time or date in words: 27 November 2026, 16:15 UTC."""
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return clean(moment)
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return f"{at.day} {text.MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"


def in_plain_text(letter: Letter) -> str:
    """Return the plain part."""
    blocks = ["\n".join(letter.sentences[:1]), *letter.sentences[1:]]
    if letter.facts:
        blocks.insert(1, "\n".join(f"{name}: {value}" for name, value in letter.facts))
    if letter.link:
        before = [letter.before_link] if letter.before_link else []
        blocks += [*before, f"{letter.link[0]}:\n{letter.link[1]}"]
    blocks.append("-- \n" + "\n".join(letter.footer))
    return "\n\n".join(blocks) + "\n"


PARAGRAPH = Markup('<p style="margin:0 0 16px">{}</p>\n')
FACT = Markup('<tr><td style="padding:2px 16px 2px 0">{}</td><td>{}</td></tr>\n')
BUTTON = Markup(
    '<p style="margin:0 0 16px"><a href="{1}" style="display:inline-block;padding:12px 20px;'
    "border-radius:6px;background-color:#1f4fb8;color:#ffffff;text-decoration:none;"
    'font-weight:600">{0}</a></p>\n'
)
PAGE = Markup(
    '<!doctype html>\n<html lang="{language}" dir="{direction}">\n<head>\n'
    '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n'
    '<meta name="color-scheme" content="light dark">\n<title>{subject}</title>\n</head>\n'
    '<body style="margin:0;padding:24px">\n'
    '<div style="max-width:560px;margin:0 auto;font:16px/1.5 system-ui,sans-serif">\n'
    '{body}<hr style="border:0;border-top:1px solid #8c8c8c;margin:24px 0 16px">\n'
    '<div style="font-size:14px">\n{footer}</div>\n</div>\n</body>\n</html>\n'
)


def in_html(letter: Letter) -> str:
    """Return the HTML part: no image, no script, no style from elsewhere."""
    blocks = [PARAGRAPH.format(sentence) for sentence in letter.sentences]
    if letter.facts:
        rows = Markup("").join(FACT.format(*fact) for fact in letter.facts)
        style = Markup("margin:0 0 16px;border-collapse:collapse")
        table = Markup('<table role="presentation" style="{}">\n{}</table>\n')
        blocks.insert(1, table.format(style, rows))
    if letter.link:
        if letter.before_link:
            blocks.append(PARAGRAPH.format(letter.before_link))
        blocks.append(BUTTON.format(*letter.link))
    return str(
        PAGE.format(
            language=LANGUAGE,
            direction=DIRECTION,
            subject=letter.subject,
            body=Markup("").join(blocks),
            footer=Markup("").join(PARAGRAPH.format(each) for each in letter.footer),
        )
    )
