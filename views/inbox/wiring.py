"""Wiring: what the inbox brings into an application."""

from collections.abc import Callable, Iterable

from flask import Flask

from accounts import probes
from inbox import housekeeping, receipts
from inbox.catalogue import build_dialects
from inbox.provider_keys import REFRESH_SECONDS, WithKeys
from inbox.taking import Inbox
from jobs import periodic
from jobs.registry import Jobs
from storage import db
from views.inbox.deletion import deletion
from views.inbox.receive import build_blueprint
from web.context import Site
from web.csrf import csrf


def install(app: Flask, site: Site, jobs: Jobs) -> None:
    """Add the routes of the providers that can prove what they send, the job that deletes old
    receipts, and the one that asks providers by itself."""
    inbox = Inbox(site.policy, app.config["SECRET_KEY"].encode())
    dialects = build_dialects(site.connectors, site.settings.base_url)
    blueprint = build_blueprint(dialects, inbox)
    app.register_blueprint(blueprint)
    app.register_blueprint(deletion)
    csrf.exempt(blueprint)  # what comes proves itself
    jobs.add("inbox_keys", refresher(dialects))
    jobs.add("inbox", lambda: periodic.run_due(housekeeping.jobs()))
    settings = site.settings
    ends_sessions = settings.probe_ends_sessions
    probes.register(jobs, site.connectors, settings.probe_hours, ends_sessions=ends_sessions)


def refresher(dialects: Iterable[object]) -> Callable[[], float]:
    """Return the work that fetches the keys of the providers that have ever reported something, in
    each process."""
    signed = [dialect for dialect in dialects if isinstance(dialect, WithKeys)]

    def refresh() -> float:
        heard = receipts.last_heard() if signed else {}
        db.session.remove()  # no connection is held while providers are asked
        due = (each.keys.refresh_if_due() for each in signed if each.provider in heard)
        return min(due, default=REFRESH_SECONDS)

    return refresh
