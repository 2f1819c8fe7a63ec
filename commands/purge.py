"""``purge``: what is over is deleted now."""

import click
from flask.cli import with_appcontext

import activity
import flows
import sessions
from commands.console import json_option, needs_database, tell

PURGES = {"flows": flows.purge, "sessions": sessions.purge, "activity": activity.purge}


@click.command("purge")
@json_option
@with_appcontext
@needs_database
def purge(*, as_json: bool) -> None:
    """Delete what is over.

    That is unfinished sign-ins, sessions and old activity. Safe at any time and as often as you
    like.
    """
    for verb in PURGES.values():
        verb()
    tell({"purged": list(PURGES)}, [f"Purged: {', '.join(PURGES)}."], as_json=as_json)
