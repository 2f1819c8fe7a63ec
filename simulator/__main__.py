"""``python -m simulator``: runs the fake providers in a process of their own, and prints how to
sign in.
"""

import argparse
import json
import os
import shlex
import signal
import sys
import threading
from collections.abc import Sequence

from simulator.catalogue import LOOK_ALIKES, NAMED_ISSUERS
from simulator.protocol import LookAlike
from simulator.server import Server, UnknownProvider, start

# Flask's default address.
USUAL_SITE = "http://localhost:5000"
NOTHING_ELSE = "Listening on this machine only; Ctrl+C ends it."


def main(arguments: Sequence[str] | None = None) -> int:
    parser = make_parser()
    options = parser.parse_args(arguments)
    if options.list:
        return say("\n".join(f"{each.name:15} {each.label}" for each in all_of_them()))
    try:
        server = serve(options)
    except OSError as error:
        words = os.strerror(error.errno) if error.errno else error
        parser.exit(1, f"Port {options.port} is not to be had: {words}.\n")
    except (UnknownProvider, ValueError, OverflowError) as error:
        parser.exit(2, f"{str(error).rstrip('.')}.\n")
    stop_on_signals()
    try:
        say((as_json if options.json else as_variables if options.env else as_text)(server))
        threading.Event().wait()
    except KeyboardInterrupt:
        server.stop()
        sys.stderr.write("\nEnded.\n")
    return 0


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m simulator", description=__doc__)
    add = parser.add_argument
    add("--port", type=int, default=5001, help="0: any that is free (default: %(default)s)")
    add("--redirect-uri", action="append", default=[], metavar="URI", help="may be repeated")
    add("--public-url", metavar="URL", help="registers URL/login/NAME/authorized, of Flask-Dance")
    add("--provider", action="append", default=[], metavar="NAME", help="only this; repeatable")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--list", action="store_true", help="say which there are, and end")
    shape.add_argument("--env", action="store_true", help="print variables for a shell")
    shape.add_argument("--json", action="store_true", help="print JSON, in one line")
    return parser


def all_of_them() -> tuple[type[LookAlike], ...]:
    return LOOK_ALIKES + NAMED_ISSUERS


def serve(options: argparse.Namespace) -> Server:
    site = options.public_url or ("" if options.redirect_uri else USUAL_SITE)
    server = start(options.port, site.rstrip("/"), options.provider)
    for name in server.look_alikes:
        server.register(name, *options.redirect_uri)
    return server


def about(look_alike: LookAlike) -> dict[str, str]:
    given = {"client_id": look_alike.client_id, "client_secret": look_alike.client_secret}
    return given | look_alike.endpoints.present()


def as_text(server: Server) -> str:
    parts = []
    for look_alike in server.look_alikes.values():
        pairs = [*about(look_alike).items()]
        pairs += [("redirect_uri", uri) for uri in look_alike.client.redirect_uris]
        lines = [f"  {name:14} {value}" for name, value in pairs]
        parts.append("\n".join([look_alike.name, *lines]))
    return "\n\n".join([*parts, f"{server.url}  {NOTHING_ELSE}"])


def as_json(server: Server) -> str:
    found = {
        name: {**about(each), "redirect_uris": each.client.redirect_uris}
        for name, each in server.look_alikes.items()
    }
    return json.dumps({"url": server.url, "providers": found})


def as_variables(server: Server) -> str:
    """Format as shell variables: GITHUB_CLIENT_ID=… and so on."""
    lines = []
    for name, each in server.look_alikes.items():
        values = {"client_id": each.client_id, "client_secret": each.client_secret}
        present = each.endpoints.present()
        values |= {n if n == "issuer" else f"{n}_url": url for n, url in present.items()}
        lines += [f"{name}_{n}".upper() + f"={shlex.quote(v)}" for n, v in values.items()]
    return "\n".join(lines)


def say(text: str) -> int:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
    return 0


def stop_on_signals() -> None:
    """SIGTERM ends the process as Ctrl+C does. A shell that starts it in the background has SIGINT
    ignored, and a child inherits that."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


if __name__ == "__main__":
    sys.exit(main())
