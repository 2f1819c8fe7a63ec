"""Log lines: one event each, as text or JSON, with the request's reference and no secret."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# Names of values that must not be logged, whatever they hold.
SECRET_NAMES = re.compile(
    r"(secret|token|password|cookie|verifier|nonce|state|code|authorization|key)$", re.IGNORECASE
)
# Not secrets, although their names end like one.
PLAIN_NAMES = frozenset({"reason_code", "status_code"})
# At DEBUG these libraries log tokens, client secrets and verifiers.
TALKATIVE = ("alembic", "requests_oauthlib", "oauthlib", "urllib3", "werkzeug")
# Its warnings quote the callback's URL.
TOO_TALKATIVE = ("flask_dance",)
# Escape sequences and direction marks would act on the reader's terminal.
CONTROLS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
# gunicorn quotes bad requests in its messages: an address with its query, a header.
HELD = re.compile(r"""[?'"].*""", re.DOTALL)
MAX_CHARACTERS = 2000
MAX_TRACEBACK_CHARACTERS = 20_000


def configure(level: str, form: str) -> None:
    """Configure logging for the process. ``form``: ``text`` or ``json``."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), sort_keys=False)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in TOO_TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.ERROR, root.level))
    logging.getLogger("gunicorn.error").addFilter(without_what_was_held)


def without_what_was_held(record: logging.LogRecord) -> bool:
    """Cut a line before its first quotation, or before the query of an address."""
    record.msg, record.args = HELD.sub("…", record.getMessage()), None
    return True


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank the values whose name is secret; limit every value to one line and a maximum length."""
    for name, value in event.items():
        if SECRET_NAMES.search(name) and name not in PLAIN_NAMES:
            event[name] = "[removed]"
        elif name == "exception":
            event[name] = _last(str(value))
        elif isinstance(value, str):
            event[name] = _plain(value)
    return event


def _plain(text: str) -> str:
    """Return one line with control and direction characters escaped: \\x1b."""
    text = CONTROLS.sub(_written_out, text[: MAX_CHARACTERS + 1])
    return text if len(text) <= MAX_CHARACTERS else text[:MAX_CHARACTERS] + "…"


def _last(traceback: str) -> str:
    """Return the end of a traceback, which names the error; its lines stay separate."""
    lines = traceback[-MAX_TRACEBACK_CHARACTERS:].split("\n")
    return "\n".join(CONTROLS.sub(_written_out, line) for line in lines)


def _written_out(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
