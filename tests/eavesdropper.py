"""Reads every log line of the tests, and knows every secret of the run. Secrets are learnt where
they are made: everything that ``secrets.token_urlsafe`` returned in this process (states,
verifiers, nonces, session tokens, flow cookies, the fake providers' codes and tokens), the
arguments of ``learn``, and anything that looks like a JWT."""

import logging
import re
import secrets
import threading
from collections.abc import Iterable
from typing import Any

import structlog

# Shorter ones, such as a word of a test, appear in logs by chance.
MIN_CHARACTERS = 16
RUNS = re.compile(rf"[A-Za-z0-9_.~+/=-]{{{MIN_CHARACTERS},}}")
JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.")


class Eavesdropper:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By their first characters: one lookup at each position of a line finds any.
        self._secrets: dict[str, set[str]] = {}
        # The few that contain other characters.
        self._odd: set[str] = set()
        self._unread: list[str] = []

    def install(self) -> None:
        make, form = secrets.token_urlsafe, structlog.stdlib.ProcessorFormatter.format

        def token_urlsafe(nbytes: int | None = None) -> str:
            made = make(nbytes)
            self.learn(made)
            return made

        def heard(formatter: Any, record: logging.LogRecord) -> str:
            line = form(formatter, record)
            self.hear(line)
            return line

        secrets.token_urlsafe = token_urlsafe
        structlog.stdlib.ProcessorFormatter.format = heard  # type: ignore[assignment,method-assign]

    def learn(self, *known: str) -> None:
        with self._lock:
            for secret in known:
                if RUNS.fullmatch(secret) is None:
                    self._odd |= {secret} if len(secret) >= MIN_CHARACTERS else set()
                else:
                    self._secrets.setdefault(secret[:MIN_CHARACTERS], set()).add(secret)

    def hear(self, line: str) -> None:
        with self._lock:
            self._unread.append(line)

    def leaks(self) -> list[str]:
        """The lines since the last look that hold a secret."""
        with self._lock:
            lines, self._unread = self._unread, []
        return [line for line in lines if self._is_leak(line)]

    def _is_leak(self, line: str) -> bool:
        if JWT.search(line) or any(secret in line for secret in self._odd):
            return True
        return any(
            line.startswith(secret, run.start() + at)
            for run in RUNS.finditer(line)
            for at in range(len(run[0]) - MIN_CHARACTERS + 1)
            for secret in self._beginning(run[0][at : at + MIN_CHARACTERS])
        )

    def _beginning(self, text: str) -> Iterable[str]:
        return self._secrets.get(text, ())


EAR = Eavesdropper()
