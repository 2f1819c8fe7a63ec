"""Names of what the account pages list: no two of a list may be called the same."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from models import Identity
from web.text.words import moment, number_repeats


def handles_of(identities: Iterable[Identity]) -> dict[str, str]:
    """Return the handle of each identity, by its id; repeated ones of a provider are numbered."""
    by_provider: defaultdict[str, list[Identity]] = defaultdict(list)
    for identity in identities:
        by_provider[identity.provider].append(identity)
    return {
        row.id: handle
        for rows in by_provider.values()
        for row, handle in zip(rows, number_repeats(row.handle for row in rows), strict=True)
    }


def name_sessions(rows: list[dict[str, Any]]) -> None:
    """Give each session a name; what makes it the only one is added where it is needed."""
    devices = Counter(row["device"] for row in rows)
    names = [
        f"{row['device']}, {row['label']}, first seen {moment(row['session'].created_at)}"
        if devices[row["device"]] > 1
        else row["device"]
        for row in rows
    ]
    for row, name in zip(rows, number_repeats(names), strict=True):
        row["name"] = name
