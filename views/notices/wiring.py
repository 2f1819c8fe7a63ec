"""Wiring: the mail server of an application, what mails name, and the job that sends."""

from urllib.parse import urlsplit

from flask import Flask

from accounts import dead_addresses, telling
from accounts.telling import Teller
from config import Settings
from config.mail_url import read_mail_url
from jobs.registry import Jobs
from notices import mails
from notices.sending import Postman
from notices.server import MailServer
from web.context import Site


def install(app: Flask, site: Site, jobs: Jobs) -> None:
    """Add the mail server, and the job that sends what waits."""
    settings = site.settings
    has_pages = settings.admin == "on"
    app.extensions[telling.EXTENSION] = Teller(site.label, settings.operator_email, has_pages)
    server = mail_server(site.settings)
    if server is None:
        return
    app.extensions[mails.EXTENSION] = server
    jobs.add(mails.JOB, Postman(server, dead_addresses.mark).work)


def mail_server(settings: Settings) -> MailServer | None:
    """Return the mail server of these settings; None without MAIL_URL."""
    if settings.mail_url is None:
        return None
    return MailServer(
        url=read_mail_url(settings.mail_url.get_secret_value()),
        sender=settings.mail_from or "",
        reply_to=settings.mail_reply_to or "",
        ca_file=settings.mail_ca_file,
        seconds=float(settings.mail_timeout),
        base_url=settings.base_url,
        host=urlsplit(settings.public_url).hostname or "localhost",
        product=settings.brand_name,
        support_url=settings.support_url,
    )
