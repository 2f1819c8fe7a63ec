"""How a run ends: what this machine lacks is listed once, and no thread holds up the end."""

import faulthandler

import pytest

from tests.missing import LACKS

EXIT_SECONDS = 60.0


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List each missing part once. Reports reach this process from all workers."""
    reasons = {str(report.longrepr[2]) for report in terminalreporter.getreports("skipped")}
    missing = {reason.partition(LACKS)[2] for reason in reasons if LACKS in reason}
    if missing:
        terminalreporter.section("left out, because this machine lacks")
        for what in sorted(missing):
            terminalreporter.line(what)


def pytest_unconfigure() -> None:
    """Limit the end of the run, which waits for every thread that a test left behind."""
    faulthandler.dump_traceback_later(EXIT_SECONDS, exit=True)
