"""Log lines: one event each, as text or JSON, with the request's reference and no secret."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# Names of values that must not be logged whatever they hold.
SECRET_NAMES = re.compile(
    r"(secret|token|password|cookie|verifier|nonce|state|code|authorization|key)$", re.IGNORECASE
)
# Not secrets, though their names end like one.
PLAIN_NAMES = frozenset({"reason_code", "status_code"})
# At DEBUG these write tokens, client secrets and verifiers.
TALKATIVE = ("alembic", "flask_dance", "requests_oauthlib", "oauthlib", "urllib3", "werkzeug")


def configure(level: str, form: str) -> None:
    """Set up logging for the process. ``form``: ``text`` or ``json``."""
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


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank what a name says is secret, and line breaks that could forge a second line."""
    for name, value in event.items():
        if SECRET_NAMES.search(name) and name not in PLAIN_NAMES:
            event[name] = "[removed]"
        elif isinstance(value, str) and name != "exception":
            event[name] = value.replace("\r", "\\r").replace("\n", "\\n")
    return event
