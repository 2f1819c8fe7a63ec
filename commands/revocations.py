"""``revocations run``: revokes the tokens of removed identities now."""

import sys
from collections import Counter

from flask.cli import AppGroup

from commands.console import json_option, needs_database, print_result, site
from vault import revocations

outbox = AppGroup("revocations", help="Revoke tokens of removed identities at their providers.")


@outbox.command("run")
@json_option
@needs_database
def send_revocations(*, as_json: bool) -> None:
    """Send the revocations that are due.

    Exits with 1 if any must be tried again later.
    """
    ends = Counter(revocations.work_off(site().connectors))
    waiting = revocations.waiting().count
    lines = [f"{end}: {count}" for end, count in ends.items()]
    document = {"ended": dict(ends), "waiting": waiting}
    print_result(document, [*lines, f"waiting: {waiting}"], as_json=as_json)
    sys.exit(1 if ends["postponed"] else 0)
