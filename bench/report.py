"""The table of a run, as plain text and in the format of docs/understand/performance.md."""

import re
from collections.abc import Callable

from bench.results import Results

# The stock app has one thread per worker: with eight, most of its sign-ins are of another person.
CAREFUL = "stock, no threads"
HEADINGS = (
    "figure",
    "goal",
    "ours",
    "stock Flask-Dance",
    "empty Flask view",
    "ours × stock",
    "ours × empty",
)
MISSING = "–"
# The words, the goal, the figure, its unit, and which stock app if not the usual one.
FIGURES = (
    ("CPU of a sign-in, known person", "≤ 0.08 × stock", "sign_in_known_ms", "ms"),
    ("CPU of a sign-in, new person", "≤ 0.08 × stock", "sign_in_new_ms", "ms"),
    ("CPU of a visit, one visitor", "≤ 0.10 × stock", "visit_1_ms", "ms"),
    ("CPU of a visit, 16 together", "≤ 0.10 × stock", "visit_16_ms", "ms", CAREFUL),
    ("CPU of a session check", "≤ 0.8 × empty", "session_check_ms", "ms"),
    ("CPU of a browser's first check", "as the next", "first_check_ms", "ms"),
    ("CPU of the account page", "≤ 2 × empty + statements", "page_ms", "ms"),
    ("CPU of authorize and token, RS256", "≤ 5.5 × empty", "authorize_token_rs256_ms", "ms"),
    ("CPU of authorize and token, ES256", "", "authorize_token_es256_ms", "ms"),
    ("CPU of a refresh, RS256", "≤ 3.3 × empty", "refresh_rs256_ms", "ms"),
    ("CPU of a refresh, ES256", "≤ 2.5 × empty", "refresh_es256_ms", "ms"),
    ("CPU of an introspection", "≤ 1.3 × empty", "introspect_ms", "ms"),
    ("CPU of userinfo", "≤ 1.3 × empty", "userinfo_ms", "ms"),
    ("CPU of the discovery document", "≤ 0.7 × empty", "discovery_ms", "ms"),
    ("CPU of the public keys", "≤ 0.7 × empty", "jwks_ms", "ms"),
    ("CPU of a gate check", "≤ 1.0 × empty", "gate_ms", "ms"),
    ("CPU of a session check, next to it", "", "gate_session_ms", "ms"),
    ("requests to the provider, OpenID Connect", "1", "requests", ""),
    ("new connections to it, warm", "0", "connections", ""),
    ("callback, OpenID Connect, in round trips", "≤ 1.15", "callback_google", ""),
    ("callback, GitHub", "≤ 2.2", "callback_github", ""),
    ("callback, Facebook", "≤ 2.15", "callback_facebook", ""),
    ("callback after idling, OpenID Connect", "≤ 1.15", "callback_google_idle", ""),
    ("callback after idling, GitHub", "≤ 2.2", "callback_github_idle", ""),
    ("callback after idling, Facebook", "≤ 2.15", "callback_facebook_idle", ""),
    ("sign-ins a second, 16 browsers", "≥ 25 × stock", "sign_ins_per_second", "", CAREFUL),
    ("memory, idle, RSS of all processes", "", "idle_rss_mib", "MiB"),
    ("memory, idle, PSS of all processes", "≤ 150 MiB", "idle_pss_mib", "MiB"),
    ("growth of a worker over the sign-ins", "≤ 11 MiB", "growth_per_worker_mib", "MiB"),
    ("start to first 200, CPU", "≤ 0.5 s", "start_cpu_s", "s"),
    ("start to first 200, wall", "≤ 1.5 s", "start_wall_s", "s"),
    ("with 1,000 people: CPU of a sign-in", "", "people_1000_sign_in_ms", "ms"),
    ("with 1,000 people: CPU of a session check", "", "people_1000_session_ms", "ms"),
    ("with 1,000 people: search or list at /admin, median", "", "admin_1000_median_ms", "ms"),
    ("with 1,000 people: search or list at /admin, 95th percentile", "", "admin_1000_p95_ms", "ms"),
)


def number(value: float | None, unit: str = "") -> str:
    if value is None:
        return MISSING
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}{f' {unit}' if unit else ''}"


def rows(results: Results, server: str) -> list[tuple[str, ...]]:
    """Return one row per measured figure. ``server`` is which of ours."""

    def row(words: str, goal: str, figure: str, unit: str, stock: str = "stock") -> tuple[str, ...]:
        measured = [results.median(figure, name) for name in (server, stock, "empty")]
        ratios = [results.ratio(figure, server, name) for name in (stock, "empty")]
        values = [number(value, unit) for value in measured]
        return (words, goal, *values, *map(number, ratios))

    found = [*(row(*each) for each in FIGURES), *_grown(results, row)]
    found = [each for each in found if set(each[2:5]) != {MISSING}]
    return [*found, *_faults(results, server)]


def _grown(
    results: Results, row: Callable[[str, str, str, str], tuple[str, ...]]
) -> list[tuple[str, ...]]:
    """Return the ratio of a larger database to the small one."""
    measured = (
        ("people", "sign_in", "CPU of a sign-in", "the same"),
        ("people", "session", "CPU of a session check", "the same"),
        ("admin", "median", "search or list at /admin, median", ""),
        ("admin", "p95", "search or list at /admin, 95th percentile", "≤ 100 ms"),
    )
    return [
        row(f"with {size:,} people: {what}", goal, f"{part}_{size}_{key}_ms", "ms")
        for size in _sizes(results)
        if size != 1000
        for part, key, what, goal in measured
    ]


def _sizes(results: Results) -> list[int]:
    """Return the sizes of databases that were measured."""
    measured = (re.match(r"(?:people|admin)_(\d+)_", figure) for figure in results.values)
    return sorted({int(each[1]) for each in measured if each})


def _faults(results: Results, server: str) -> list[tuple[str, ...]]:
    def of(counted: int, name: str) -> str:
        total = results.sign_ins[name]
        return f"{counted} of {total}" if total else MISSING

    both = (server, "stock")
    wrong = [of(results.wrong[name], name) for name in both]
    errors = [of(results.errors[name].total(), name) for name in both]
    return [
        ("taken for somebody else", "0", *wrong, *[MISSING] * 3),
        ("errors", "0", *errors, *[MISSING] * 3),
    ]


def text(table: list[tuple[str, ...]]) -> str:
    whole = [HEADINGS, *table]
    widths = [max(len(row[column]) for row in whole) for column in range(len(HEADINGS))]
    lines = []
    for row in whole:
        cells = [
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells))
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join(lines)


def markdown(table: list[tuple[str, ...]]) -> str:
    lines = [HEADINGS, ("---",) * len(HEADINGS), *table]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)
