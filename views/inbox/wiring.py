"""Wiring: what the inbox brings into an application."""

from flask import Flask

from inbox import housekeeping
from inbox.catalogue import build_dialects
from inbox.taking import Inbox
from jobs import periodic
from jobs.registry import Jobs
from views.inbox.deletion import deletion
from views.inbox.receive import build_blueprint
from web.context import Site
from web.csrf import csrf


def install(app: Flask, site: Site, jobs: Jobs) -> None:
    """Add the routes of the providers that can prove what they send, and the job that deletes old
    receipts."""
    inbox = Inbox(site.policy, app.config["SECRET_KEY"].encode())
    dialects = build_dialects(site.connectors, site.settings.base_url)
    blueprint = build_blueprint(dialects, inbox)
    app.register_blueprint(blueprint)
    app.register_blueprint(deletion)
    csrf.exempt(blueprint)  # what comes proves itself
    jobs.add("inbox", lambda: periodic.run_due(housekeeping.jobs()))
