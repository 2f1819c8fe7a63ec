"""``gates check``: attacks a gate as a stranger could, through its public hosts."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from flask.cli import with_appcontext

from commands.check_gate import (
    Front,
    answered_plainly,
    check_beside,
    check_claims,
    check_cookie,
    check_forwarded,
    check_host,
    check_scripts,
    check_strangers,
)
from commands.check_gate_inside import check_received
from commands.console import json_option, needs_database, print_result
from commands.gate_listener import Listener, listening
from errors import ProviderError
from gates import registry
from providers.http.transport import Transport
from web.checks.findings import Finding, worst_level

LISTEN = "127.0.0.1:8099"
CHECKS: tuple[Callable[[Front], Finding], ...] = (
    check_scripts,
    check_cookie,
    check_claims,
    check_forwarded,
    check_host,
)


@click.command("check")
@click.argument("name")
@click.option("--listen", default=LISTEN, show_default=True, help="Where the probe's path leads.")
@click.option("--app", "apps", multiple=True, help="The application's own address: must be closed.")
@json_option
@with_appcontext
@needs_database
def check(name: str, listen: str, apps: tuple[str, ...], *, as_json: bool) -> None:
    """Attack a gate as a stranger could.

    Opens the gate's public hosts without a sign-in, with headers that claim to be somebody and
    with those that proxies tell each other. Then opens the path /.quickstep/probe, which the
    proxy sends to this command in place of the application (the files in deploy/ do), and tells
    what an application receives.

    Each line is ok, warn or FAIL and says what to do. Exits with 1 if any is FAIL.
    """
    gate = registry.get(name)
    host, port = read_address(listen)
    with listener_at(host, port) as listener:
        found = [each for origin in gate.origins for each in check_origin(name, origin, listener)]
    found += [check_beside(name, address) for address in apps]
    level = worst_level(found)
    document = {"level": level, "items": [finding.document for finding in found]}
    print_result(document, [finding.line for finding in found], as_json=as_json)
    sys.exit(1 if level == "fail" else 0)


def read_address(text: str) -> tuple[str, int]:
    """Read HOST:PORT. Raises BadParameter."""
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or not 0 < int(port[:6]) < 65536:
        raise click.BadParameter("must be an address such as 127.0.0.1:8099", param_hint="--listen")
    return host, int(port)


@contextmanager
def listener_at(host: str, port: int) -> Iterator[Listener]:
    """Listen there while the block runs; ends the command if another program does."""
    try:
        with listening(host, port) as listener:
            yield listener
    except OSError as error:
        message = f"cannot listen at {host}:{port} ({error.strerror}); choose another --listen"
        raise click.ClickException(message) from None


def check_origin(name: str, origin: str, listener: Listener) -> list[Finding]:
    """Run all checks of one origin; if it does not lead strangers to sign-in, only that one."""
    front = Front(name, origin, Transport())
    first = check_strangers(front)
    if first.level == "fail":
        return [first]
    found = [first, *(finish(front, each) for each in CHECKS), *answered_plainly(front)]
    return [*found, check_received(front, listener)]


def finish(front: Front, run_check: Callable[[Front], Finding]) -> Finding:
    """Run a check; a proxy that does not answer fails it."""
    try:
        return run_check(front)
    except ProviderError as error:
        return front.finding("reach", "fail", error.detail or "no answer")
