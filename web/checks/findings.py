"""Findings of checks, one line each; and checks that run concurrently, each with a time limit."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from flask import current_app

T = TypeVar("T")

Level = Literal["ok", "warn", "fail"]
# The result of one check of a provider: level, message, details for machines.
Said = tuple[Level, str, Mapping[str, Any]]
MARKS: Mapping[Level, str] = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}
# Longer than any two requests to a provider (providers/http/transport.py), which a check consists
# of.
CHECK_SECONDS = 30.0


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    ``message`` says what was found and, unless all is well, what to do. ``about`` is a provider's
    name, or ``server``; ``label`` begins the line. ``details`` is for machines.
    """

    about: str
    label: str
    check: str
    level: Level
    message: str
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """The text for people."""
        return f"{MARKS[self.level]}  {self.label}: {self.message}"

    @property
    def document(self) -> dict[str, Any]:
        """The object for --json."""
        said = {"about": self.about, "check": self.check, "level": self.level}
        return {**said, "message": self.message, **self.details}


def server_finding(
    check: str, label: str, level: Level, message: str, **details: object
) -> Finding:
    """Return a finding about this server."""
    return Finding("server", label, check, level, message, details)


def worst_level(findings: Iterable[Finding]) -> Level:
    """Return the most severe level."""
    levels = {finding.level for finding in findings}
    return "fail" if "fail" in levels else "warn" if "warn" in levels else "ok"


def run_checks(
    checks: Sequence[Callable[[], T]], late: Callable[[int], T], seconds: float | None = None
) -> list[T]:
    """Return the results of all checks, in their order, with ``late(number)`` for each that does
    not end within ``seconds`` (default CHECK_SECONDS). Such a check is abandoned: an unresolvable
    name can block it for minutes, and must not block the others."""
    app = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 (Flask's way)
    results: dict[int, T] = {}
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            with app.app_context():
                results[number] = checks[number]()
        except BaseException as error:  # noqa: BLE001 (raised again by the caller)
            failures.append(error)

    threads = [
        threading.Thread(target=run, args=(number,), daemon=True) for number in range(len(checks))
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + (seconds or CHECK_SECONDS)
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    if failures:
        raise failures[0]
    return [results[n] if n in results else late(n) for n in range(len(checks))]
