"""Wiring: what gates bring into an application."""

from flask import Flask

from gates import housekeeping
from jobs import periodic
from jobs.registry import Jobs
from views.gate import check
from views.gate.demo import register as register_demo_wiki
from views.gate.enter import destination_of, gate
from views.gate.forward_auth import forward_auth
from web.context import Site

__all__ = ["destination_of", "install", "register_demo_wiki"]


def install(app: Flask, site: Site, jobs: Jobs) -> None:
    """Add routes, the check before Flask, and the job that deletes expired flows; after the OpenID
    Provider, whose keys sign the assertions."""
    app.register_blueprint(forward_auth)
    app.register_blueprint(gate)
    check.install(app, site)
    jobs.add("gates", lambda: periodic.run_due(housekeeping.jobs()))
