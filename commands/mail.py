"""``mail test`` and ``mail queue``: whether mail goes out, and what waits."""

import sys

import click
from flask.cli import AppGroup

from accounts.export import iso_time
from commands.console import json_option, needs_database, print_result
from notices import mails, sending
from notices.smtp import Failed

mail = AppGroup("mail", help="Test the mail server, and list what waits to be sent.")
OFF = "Mail is off: set MAIL_URL and MAIL_FROM."


@mail.command("test")
@click.argument("address")
@json_option
def send_test(address: str, *, as_json: bool) -> None:
    """Send a test to ADDRESS now.

    Exits with 1, and says why, if the mail server does not take it.
    """
    server = mails.server()
    if server is None:
        raise click.ClickException(OFF)
    detail = ""
    try:
        sending.send_test(address, server)
    except Failed as error:
        detail = str(error)
    where = f"{server.url.host}:{server.url.port}"
    line = f"{where} does not take it: {detail}" if detail else f"{where} took it."
    document = {"server": where, "sent": not detail, "detail": detail}
    print_result(document, [line], as_json=as_json)
    sys.exit(1 if detail else 0)


@mail.command("queue")
@json_option
@needs_database
def show_queue(*, as_json: bool) -> None:
    """Count the mails that wait, by kind, and those that ended lately, by how."""
    parts, ended = sending.by_kind(), mails.ended()
    items = [
        {
            "kind": part.name,
            "waiting": part.count,
            "oldest": iso_time(part.oldest),
            "next_attempt": iso_time(part.next_at),
            "attempts": part.attempts,
        }
        for part in parts
    ]
    lines = [
        f"{part.name}: {part.count}, oldest {iso_time(part.oldest)}, next attempt "
        f"{iso_time(part.next_at)}, {part.attempts} attempts at most"
        for part in parts
    ]
    lines = lines or ["Nothing waits."]
    lines += [f"{state}: {count}" for state, count in ended.items()]
    document = {"is_on": mails.is_on(), "items": items, "ended": ended}
    print_result(document, lines if mails.is_on() else [OFF, *lines], as_json=as_json)
