"""How gunicorn serves Quickstep. It finds this file by itself; its own flags and GUNICORN_CMD_ARGS
win over the values here.

The master imports the modules, so that the workers share their memory. Each worker builds its own
application (TLS contexts, pools), so that ``kill -HUP`` reads the settings again.
"""

import atexit
import gc
import math
import os
from typing import Any

from telemetry.multiprocess import make_metrics_folder, memory_folder, remove_metrics_folder

# Imported modules stay in memory; collecting garbage among them takes a fifth of the start.
gc.disable()
# prometheus_client reads this once, when the application imports it.
_metrics_folder = make_metrics_folder(os.environ.get("PROMETHEUS_MULTIPROC_DIR"))
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _metrics_folder
atexit.register(remove_metrics_folder, _metrics_folder, os.getpid())

import structlog  # noqa: E402

import app as quickstep  # noqa: E402, F401 (imported here, so that the workers share its memory)
from access.loading import load_or_exit, load_with_rules  # noqa: E402
from config import processes, stopping  # noqa: E402
from errors import SettingsError  # noqa: E402
from providers import PROVIDERS  # noqa: E402
from providers.http.connections import TOTAL_SECONDS  # noqa: E402
from telemetry import logs, metrics  # noqa: E402

log = structlog.get_logger()

_settings = load_or_exit(PROVIDERS.values())  # prints the faults once and ends the master
logs.configure(_settings.log_level, _settings.log_format)

worker_class = "gthread"
workers = _settings.web_concurrency or processes.worker_count()
threads = processes.THREADS
# gunicorn ends a worker that has no file left for a connection.
worker_connections = processes.connection_limit(processes.raise_file_limit())
timeout = 30  # of a worker whose main loop is silent; a slow request does not count
# A running request may finish after a stop: a callback makes two or more calls to a provider.
graceful_timeout = math.ceil(2 * TOTAL_SECONDS) + 6
# Longer than in proxies (nginx and AWS 60 s, Traefik 90, Caddy 120): if the server closes an idle
# connection first, a request that the proxy has just sent on it is lost. A stopping worker closes
# them after 2 seconds, which gunicorn fixes; the proxy files in deploy/ do after 1.
keepalive = 125
backlog = 1024
# Callbacks carry codes and states of some kilobytes; bearer tokens are sent in a header.
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190
# Heartbeats are written to a file; a slow disk would stop the worker.
worker_tmp_dir = memory_folder()
# gunicorn would trust peers in forwarded_allow_ips (by default every local proxy) and any Unix
# socket: it reads X-Forwarded-Proto, -Ssl and -Protocol, answers 400 where two differ, and takes
# SCRIPT_NAME from a header. ProxyFix alone does this here, by TRUSTED_PROXIES.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
# No access log: callback URLs contain codes. See LOG_LEVEL in docs/operate/operation.md.
accesslog = None
loglevel = _settings.log_level.lower()
# All servers of one user would share its socket; signals are enough.
control_socket_disable = True
logger_class = "telemetry.gunicorn_log.GunicornLog"


def when_ready(server: Any) -> None:
    """Freeze what the master imported, and make its reload refuse faulty settings."""
    gc.collect()
    gc.freeze()  # unchanged objects stay in shared memory
    gc.enable()
    # gunicorn has no hook that can refuse a reload, so its handler of HUP is wrapped.
    reload = server.handle_hup

    def reload_if_good() -> None:
        """Reload unless the new settings have faults; the server goes on with the old ones."""
        try:
            load_with_rules(PROVIDERS.values())
        except SettingsError as error:
            log.error("reload_refused", faults=error.faults)  # noqa: TRY400 (the faults are enough)
        else:
            reload()

    server.handle_hup = reload_if_good
    stopping.refuse_connections_at_stop(server)


def post_fork(_server: Any, worker: Any) -> None:
    """Pass on --threads, which is known only now, before the worker builds its application."""
    processes.Threads.count = worker.cfg.threads


def post_worker_init(worker: Any) -> None:
    """Let /readyz report that the worker is stopping, and let a stop lose no connection."""
    gc.freeze()  # the application stays too
    # A sign-in makes thousands of objects and no lasting cycles: collect less often.
    gc.set_threshold(10_000)
    is_stopping = stopping.drain_at_stop(worker.sockets)
    if extensions := getattr(worker.wsgi, "extensions", None):
        extensions["health"].is_stopping = is_stopping.is_set


def worker_exit(_server: Any, worker: Any) -> None:
    """Stop the background workers after the last request."""
    if extensions := getattr(worker.wsgi, "extensions", None):
        extensions["jobs"].stop(TOTAL_SECONDS)


def child_exit(_server: Any, worker: Any) -> None:
    """Remove a dead worker's gauges."""
    metrics.forget_process(worker.pid)


def on_exit(_server: Any) -> None:
    """Delete the metrics folder when the master stops."""
    remove_metrics_folder(_metrics_folder, os.getpid())
