"""``inbox NAME register|status|verify|stop``: has a provider report to this site, through its
API."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import click
from flask.cli import AppGroup

from commands.console import json_option, needs_database, print_result, report_refusals, site
from inbox import receipts
from inbox.stream_catalogue import STREAMS, Stream
from inbox.streams import StreamFailed
from storage import db

WAIT_SECONDS, LOOK_SECONDS, LOOKED_AT = 30.0, 0.5, 20
key_option = click.option(
    "--key",
    "key_file",
    type=click.File(),
    required=True,
    help="The JSON key of the service account. It is read, and kept nowhere.",
)


def stream_groups() -> list[AppGroup]:
    """Return a group of commands for each provider with a stream."""
    return [_group(name) for name in STREAMS]


def _group(name: str) -> AppGroup:
    group = AppGroup(name, help="Set up what this provider reports, through its API.")
    for command in (_register, _status, _verify, _stop):
        command(group, name)
    return group


@contextmanager
def _opened(name: str, key_file: TextIO) -> Iterator[Stream]:
    """Open a stream; a failure ends the command with one line."""
    connector = site().connectors.get(name)
    if connector is None:
        raise click.ClickException(f"{name} is not on.")
    with report_refusals():
        try:
            yield STREAMS[name](connector, key_file.read())
        except StreamFailed as failure:
            raise click.ClickException(f"{failure}.") from None


def _url(name: str) -> str:
    return f"{site().settings.base_url}/inbox/{name}"


def _register(group: AppGroup, name: str) -> None:
    @group.command("register")
    @key_option
    @json_option
    def register(key_file: TextIO, *, as_json: bool) -> None:
        """Have the provider report to this site; other addresses of the stream are replaced."""
        with _opened(name, key_file) as stream:
            stream.register(_url(name))
            stream.start()
        print_result({"url": _url(name)}, [f"It reports to {_url(name)}"], as_json=as_json)


def _status(group: AppGroup, name: str) -> None:
    @group.command("status")
    @key_option
    @json_option
    def status(key_file: TextIO, *, as_json: bool) -> None:
        """Show whether there is a stream, and where it reports to."""
        with _opened(name, key_file) as stream:
            state = stream.status()
        lines = [f"status: {state.status}", *([f"url: {state.url}"] if state.url else [])]
        print_result({"status": state.status, "url": state.url or None}, lines, as_json=as_json)


def _verify(group: AppGroup, name: str) -> None:
    @group.command("verify")
    @key_option
    @needs_database
    def verify(key_file: TextIO) -> None:
        """Have the provider send a verification, and wait 30 seconds for it."""
        with _opened(name, key_file) as stream:
            state = stream.verify()
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


def _stop(group: AppGroup, name: str) -> None:
    @group.command("stop")
    @key_option
    def stop(key_file: TextIO) -> None:
        """Have the provider report no more."""
        with _opened(name, key_file) as stream:
            stream.stop()
        print_result({}, ["It reports no more."], as_json=False)
