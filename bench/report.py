"""The table of a run, as plain text and in the format of docs/performance.md."""

from collections.abc import Callable

from bench.results import Results

# The stock app has one thread per worker: with eight, most of its sign-ins are of another person.
CAREFUL = "stock, no threads"
HEADINGS = ("figure", "goal", "ours", "stock Flask-Dance", "ours × stock")


def number(value: float | None, unit: str = "") -> str:
    if value is None:
        return "–"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}{f' {unit}' if unit else ''}"


def rows(results: Results, server: str) -> list[tuple[str, ...]]:
    """Return one row per measured figure. ``server`` is which of ours."""

    def row(words: str, goal: str, figure: str, unit: str = "") -> tuple[str, ...]:
        ratio = number(results.ratio(figure, server, "stock"))
        mine, theirs = results.median(figure, server), results.median(figure, "stock")
        return (words, goal, number(mine, unit), number(theirs, unit), ratio)

    found = [
        row("CPU of a sign-in, known person", "≤ 0.08 × stock", "sign_in_known_ms", "ms"),
        row("CPU of a sign-in, new person", "≤ 0.08 × stock", "sign_in_new_ms", "ms"),
        row("requests to the provider, OpenID Connect", "1", "requests"),
        row("new connections to it, warm", "0", "connections"),
        row("callback, OpenID Connect, in round trips", "≤ 1.15", "callback_google"),
        row("callback, GitHub", "≤ 2.2", "callback_github"),
        row("callback, Facebook", "≤ 2.15", "callback_facebook"),
        row("callback after idling, OpenID Connect", "≤ 1.15", "callback_google_idle"),
        row("callback after idling, GitHub", "≤ 2.2", "callback_github_idle"),
        row("callback after idling, Facebook", "≤ 2.15", "callback_facebook_idle"),
        (
            "sign-ins a second, 16 browsers",
            "≥ 25 × stock",
            number(results.median("sign_ins_per_second", server)),
            number(results.median("sign_ins_per_second", CAREFUL)),
            number(results.ratio("sign_ins_per_second", server, CAREFUL)),
        ),
        row("CPU of a session check", "≤ 0.8 × empty", "session_check_ms", "ms"),
        (
            "the same, × an empty Flask view",
            "≤ 0.8",
            number(results.ratio("session_check_ms", server, "empty")),
            number(results.ratio("session_check_ms", "stock", "empty")),
            "–",
        ),
        row("memory, idle, RSS of all processes", "≤ 143 MiB", "idle_rss_mib", "MiB"),
        row("memory, idle, PSS of all processes", "≤ 143 MiB", "idle_pss_mib", "MiB"),
        row("growth of a worker over the sign-ins", "≤ 11 MiB", "growth_per_worker_mib", "MiB"),
        row("start to first 200, CPU", "≤ 0.5 s", "start_cpu_s", "s"),
        row("start to first 200, wall", "≤ 1.5 s", "start_wall_s", "s"),
        row("with 1,000 people: CPU of a sign-in", "", "people_1000_sign_in_ms", "ms"),
        row("with 1,000 people: CPU of a session check", "", "people_1000_session_ms", "ms"),
        *_grown(results, row),
    ]
    found = [each for each in found if each[2] != "–" or each[3] != "–"]
    return [*found, *_faults(results, server)]


def _grown(
    results: Results, row: Callable[[str, str, str, str], tuple[str, ...]]
) -> list[tuple[str, ...]]:
    """Return the ratio of a larger database to the small one."""
    sizes = sorted(
        int(figure.split("_")[1])
        for figure in results.values
        if figure.startswith("people_") and figure.endswith("_sign_in_ms")
    )
    return [
        row(f"with {size:,} people: CPU of a {what}", "the same", f"people_{size}_{key}_ms", "ms")
        for size in sizes
        if size != 1000
        for what, key in (("sign-in", "sign_in"), ("session check", "session"))
    ]


def _faults(results: Results, server: str) -> list[tuple[str, ...]]:
    def of(counted: int, name: str) -> str:
        total = results.sign_ins[name]
        return f"{counted} of {total}" if total else "–"

    both = (server, "stock")
    wrong = [of(results.wrong[name], name) for name in both]
    errors = [of(results.errors[name].total(), name) for name in both]
    return [
        ("taken for somebody else", "0", *wrong, "–"),
        ("errors", "0", *errors, "–"),
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
