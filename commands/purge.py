"""``purge``: what is over is deleted now."""

import click
from flask.cli import with_appcontext

from accounts import cleanup
from commands.console import json_option, needs_database, tell


@click.command("purge")
@json_option
@with_appcontext
@needs_database
def purge(*, as_json: bool) -> None:
    """Delete what is over.

    That is unfinished sign-ins, sessions and old activity; servers do it by themselves now and
    then. Safe at any time and as often as you like.
    """
    deleted = cleanup.run_now()
    lines = [f"{name}: {count} deleted" for name, count in deleted.items()]
    tell({"deleted": deleted}, lines, as_json=as_json)
