"""``revocations run``: grants of removed identities go back to their providers now."""

import sys
from collections import Counter

from flask.cli import AppGroup

from commands.console import json_option, needs_database, site, tell
from vault import revocations

outbox = AppGroup("revocations", help="Grants that are given back to their providers.")


@outbox.command("run")
@json_option
@needs_database
def run(*, as_json: bool) -> None:
    """Try now what is due.

    Ends with 1 if something has to be tried again later.
    """
    ends = Counter(revocations.work_off(site().connectors))
    waiting = revocations.waiting()
    lines = [f"{end}: {count}" for end, count in ends.items()]
    document = {"ended": dict(ends), "waiting": waiting}
    tell(document, [*lines, f"waiting: {waiting}"], as_json=as_json)
    sys.exit(1 if ends["postponed"] else 0)
