"""The mails that a site has planned, opened as its job opens them."""

from dataclasses import dataclass

from notices import mails, messages
from notices.mails import Content, MailKind
from notices.messages import Letter
from notices.models import Mail
from notices.server import MailServer
from storage import db
from tests.site import Site

FROM = "Acme <no-reply@acme.example>"


@dataclass(frozen=True)
class Planned:
    """A mail that waits."""

    kind: str
    to: str
    data: dict[str, str]
    letter: Letter


def with_mail(make_site, database: str = "sqlite", **settings: str) -> Site:
    """A site with mail that sends nothing: what it planned is read here."""
    made: Site = make_site(database, MAIL_URL="smtp://127.0.0.1:9", MAIL_FROM=FROM, **settings)
    made.app.extensions["jobs"].stop()
    return made


def planned(site: Site, kind: MailKind | None = None) -> list[Planned]:
    """What waits, oldest first; of one kind, or all."""

    def read() -> list[Planned]:
        server = mails.server()
        assert server
        rows = db.session.query(Mail).order_by(Mail.created_at, Mail.id)
        held = [(MailKind(row.kind), mails.content_of(row)) for row in rows if row.sealed]
        return [
            Planned(
                each, content.to, dict(content.data), messages.write(each, content.data, server)
            )
            for each, content in held
            if kind in (None, each)
        ]

    return list(site.inside(read))


def _planned(kind: MailKind, content: Content, server: MailServer) -> Planned:
    letter = messages.write(kind, content.data, server)
    return Planned(kind, content.to, dict(content.data), letter)


def kinds(site: Site) -> list[str]:
    return [each.kind for each in planned(site)]


def receivers(site: Site, kind: MailKind) -> set[str]:
    return {each.to for each in planned(site, kind)}


def forget(site: Site) -> None:
    site.execute("DELETE FROM mails")
