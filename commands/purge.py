"""``purge``: deletes expired rows now."""

import click
from flask.cli import with_appcontext

from accounts import cleanup
from commands.console import json_option, needs_database, print_result
from commands.progress import show_progress
from gates import housekeeping as of_gates
from issuer import housekeeping as of_issuer
from jobs import periodic


@click.command("purge")
@json_option
@with_appcontext
@needs_database
def purge(*, as_json: bool) -> None:
    """Delete expired rows.

    These are unfinished flows, sessions and old activity; servers delete them regularly by
    themselves. Safe at any time, and as often as you like.
    """
    with show_progress() as progress:
        deleted = cleanup.run_now(progress.report)
        for room in (of_issuer, of_gates):
            deleted |= periodic.run_now(room.jobs(progress.report))
    lines = [f"{name}: {count} deleted" for name, count in deleted.items()]
    print_result({"deleted": deleted}, lines, as_json=as_json)
