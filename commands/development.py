"""The development server, ``python app.py``: one process on this machine's loopback address; and
the demo mode that it and the commands share."""

import socket
import sys
from collections.abc import Callable

import click
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from commands import migrations
from config import Settings, load_or_exit
from providers import PROVIDERS

LOOPBACK = "127.0.0.1"


class QuietHandler(WSGIRequestHandler):
    """Writes no access log: its lines would contain the codes of callbacks."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


def run_development_server(create_app: Callable[[Settings], Flask]) -> None:
    """Serve until Ctrl+C, with the embedded database upgraded first."""
    settings = choose_mode(load_or_exit(PROVIDERS.values()))
    exit_if_taken(settings.port)
    app = create_app(settings)
    if settings.database_url is None:
        with app.app_context():
            migrations.upgrade_database()
    server = make_server(LOOPBACK, settings.port, app, threaded=True, request_handler=QuietHandler)
    click.echo(describe_server(settings))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def load_settings() -> Settings:
    """Return the environment's settings, or end the process with their faults.

    Demo mode has a database of its own, so a command follows the mode of the development server:
    otherwise it would act on a database that no server reads.
    """
    settings = load_or_exit(PROVIDERS.values())
    is_command = click.get_current_context(silent=True) is not None
    return choose_mode(settings) if is_command and settings.database_url is None else settings


def choose_mode(settings: Settings) -> Settings:
    """Turn demo mode on where no provider is configured, unless DEMO decides."""
    is_bare = not settings.registrations and settings.firebase_project_id is None
    if settings.demo is None and is_bare and settings.is_local:
        return settings.model_copy(update={"demo": True})
    return settings


def exit_if_taken(port: int) -> None:
    """End with one line if another program listens there, before anything is started or written."""
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError:
        sys.exit(
            f"Port {port} is in use. Stop what uses it, or choose another: "
            f"PORT={port + 10} make run"
        )


def describe_server(settings: Settings) -> str:
    """Say where the server is, and whether it runs in demo mode."""
    mode = " (demo mode: sign-in uses simulated providers)" if settings.demo else ""
    here = f"http://localhost:{settings.port}"
    place = here if settings.is_local else f"{settings.public_url}, served from {here}"
    return f"Quickstep is at {place}{mode}. Stop it with Ctrl+C."
