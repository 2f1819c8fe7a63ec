"""The logger class that gunicorn is given: its own lines take our format."""

from typing import Any

from gunicorn.glogging import Logger


class GunicornLog(Logger):
    """Hands gunicorn's lines to the root logger, which telemetry/logs.py has set up."""

    def setup(self, cfg: Any) -> None:
        """Set up as gunicorn does, then drop its handler unless a log file was asked for."""
        super().setup(cfg)
        if cfg.errorlog == "-":
            self.error_log.handlers = []
            self.error_log.propagate = True
