"""``inbox NAME register|status|verify|stop``: has a provider report to this site, through its
API."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

import click
from flask.cli import AppGroup

from commands.console import json_option, needs_database, print_result, report_refusals, site
from inbox import receipts
from inbox.stream_catalogue import STREAMS, StreamKind
from inbox.streams import StreamFailed
from providers.protocols.connector import Connector
from storage import db

WAIT_SECONDS, LOOK_SECONDS, LOOKED_AT = 30.0, 0.5, 20
Command = Callable[..., None]
Decorator = Callable[[Command], Command]


def stream_groups() -> list[AppGroup]:
    """Return a group of commands for each provider with a stream."""
    return [_group(name, kind) for name, kind in STREAMS.items()]


def _group(name: str, kind: StreamKind) -> AppGroup:
    group = AppGroup(name, help="Set up what this provider reports, through its API.")
    for command in (_register, _status, _stop, *([_verify] if kind.verify else [])):
        command(group, name, _key_option if kind.needs_key else _without_key)
    return group


def _key_option(command: Command) -> Command:
    text = "The JSON key of the service account. It is read, and kept nowhere."
    return click.option("--key", "key_file", type=click.File(), required=True, help=text)(command)


def _without_key(command: Command) -> Command:
    return command


def _key_text(key_file: TextIO | None) -> str:
    return key_file.read() if key_file else ""


@contextmanager
def _connected(name: str) -> Iterator[Connector]:
    """Return the connector of a provider; a failure ends the command with one line."""
    connector = site().connectors.get(name)
    if connector is None:
        raise click.ClickException(f"{name} is not on.")
    with report_refusals():
        try:
            yield connector
        except StreamFailed as failure:
            raise click.ClickException(f"{failure}.") from None


def _url(name: str) -> str:
    return f"{site().settings.base_url}/inbox/{name}"


def _register(group: AppGroup, name: str, with_key: Decorator) -> None:
    @group.command("register")
    @with_key
    @json_option
    def register(key_file: TextIO | None = None, *, as_json: bool) -> None:
        """Have the provider report to this site; other addresses of the stream are replaced."""
        with _connected(name) as connector:
            stream = STREAMS[name].open(connector, _key_text(key_file))
            stream.register(_url(name))
            stream.start()
        print_result({"url": _url(name)}, [f"It reports to {_url(name)}"], as_json=as_json)


def _status(group: AppGroup, name: str, with_key: Decorator) -> None:
    @group.command("status")
    @with_key
    @json_option
    def status(key_file: TextIO | None = None, *, as_json: bool) -> None:
        """Show whether there is a stream, and where it reports to."""
        with _connected(name) as connector:
            stream = STREAMS[name].open(connector, _key_text(key_file))
            state = stream.status()
        lines = [f"status: {state.status}", *([f"url: {state.url}"] if state.url else [])]
        print_result({"status": state.status, "url": state.url or None}, lines, as_json=as_json)


def _verify(group: AppGroup, name: str, with_key: Decorator) -> None:
    @group.command("verify")
    @with_key
    @needs_database
    def verify(key_file: TextIO | None = None) -> None:
        """Have the provider send a verification, and wait 30 seconds for it."""
        verification = STREAMS[name].verify
        assert verification is not None
        with _connected(name) as connector:
            state = verification(connector, _key_text(key_file))
        if not _has_come(name, state):
            raise click.ClickException(f"No verification came to {_url(name)}.")
        print_result({}, ["The verification came."], as_json=False)


def _has_come(name: str, state: str) -> bool:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        if any(each.detail == state for each in receipts.recent(name, LOOKED_AT)):
            return True
        db.session.rollback()  # the next look must see what came
        time.sleep(LOOK_SECONDS)
    return False


def _stop(group: AppGroup, name: str, with_key: Decorator) -> None:
    @group.command("stop")
    @with_key
    def stop(key_file: TextIO | None = None) -> None:
        """Have the provider report no more."""
        with _connected(name) as connector:
            stream = STREAMS[name].open(connector, _key_text(key_file))
            stream.stop()
        print_result({}, ["It reports no more."], as_json=False)
