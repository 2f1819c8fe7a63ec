"""How gunicorn serves Quickstep. It finds this file by itself; its own flags and GUNICORN_CMD_ARGS
win over what stands here.

The master imports the modules, so that the workers share their memory; each worker builds an
application of its own (TLS contexts, pools), so that ``kill -HUP`` reads the settings anew.
"""

import atexit
import fcntl
import gc
import math
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (a file system that is memory, not a temporary file)
JUST_MADE_SECONDS = 60
_shared = str(SHARED_MEMORY) if os.access(SHARED_MEMORY, os.W_OK) else None


def _folder_of_counts() -> str:
    """Where the workers keep their counts for /metrics: new for each master, kept by a reload.

    Held by a lock that ends with the last process, so that what a killed server left can be told
    from what another one uses, in another container perhaps.
    """
    prefix = f"quickstep-{os.getpid()}-"
    known = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
    if Path(known).name.startswith(prefix) and Path(known).is_dir():
        return known
    for left in Path(_shared or tempfile.gettempdir()).glob("quickstep-*-*"):
        _remove_left(left)
    folder = tempfile.mkdtemp(prefix=prefix, dir=_shared)
    fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_SH)
    return folder


def _remove_left(folder: Path) -> None:
    with suppress(OSError):  # somebody else's, in use, or gone meanwhile
        if time.time() - folder.stat().st_mtime < JUST_MADE_SECONDS:
            return
        # A pipe of that name would be waited for.
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        finally:
            os.close(held)


def _remove_counts(master: int) -> None:
    if os.getpid() == master:  # workers end by the same road
        shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


atexit.register(_remove_counts, os.getpid())
# What is imported stays: looking through it again and again is a fifth of the start.
gc.disable()
# Must be known before prometheus_client is imported, which the application does.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _folder_of_counts()

import structlog  # noqa: E402

import app as quickstep  # noqa: E402
from config import processes  # noqa: E402
from config.settings import load  # noqa: E402 (a name that is a setting of gunicorn's would be taken for it)
from errors import SettingsError  # noqa: E402
from providers import PROVIDERS  # noqa: E402
from providers.http.connections import TOTAL_SECONDS  # noqa: E402
from telemetry import logs, metrics  # noqa: E402

log = structlog.get_logger()

_settings = quickstep.load_settings()  # faults are told here, once, and end the master
logs.configure(_settings.log_level, _settings.log_format)


worker_class = "gthread"
workers = _settings.web_concurrency or processes.worker_count()
threads = processes.THREADS
# A worker whose main loop is silent for so long is replaced; its requests do not hold it up.
timeout = 30
# What runs when a stop is asked for may end: a callback makes two calls of a provider, or a few.
graceful_timeout = math.ceil(2 * TOTAL_SECONDS) + 6
# Longer than proxies keep theirs (nginx and AWS 60 s, Traefik 90, Caddy 120): the side that may
# send the next request must be the one that closes, or it is lost now and then.
keepalive = 125
backlog = 1024
# Callbacks hold codes and states of some kilobytes; bearer tokens stand in a header.
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190
# Heartbeats are written to a file: on a slow disk they would stop the worker.
worker_tmp_dir = _shared
# From peers in forwarded_allow_ips (by default this machine's, which every local proxy is) and
# from any Unix socket, gunicorn believes X-Forwarded-Proto, -Ssl and -Protocol, answers 400 where
# two of them differ, and takes SCRIPT_NAME from a header. All of that is left to ProxyFix, which
# counts TRUSTED_PROXIES: for gunicorn no peer is a proxy and no header says anything.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
# No access log: the addresses of callbacks hold codes. See LOG_LEVEL in docs/operation.md.
accesslog = None
loglevel = _settings.log_level.lower()
# Its socket would have one place for all servers of a user; signals do what is needed.
control_socket_disable = True


class _OurLog(Logger):
    """gunicorn's own lines, in our format."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        if cfg.errorlog == "-":
            self.error_log.handlers = []
            self.error_log.propagate = True


logger_class = _OurLog


def when_ready(server: Any) -> None:
    """The master is about to start workers."""
    gc.collect()
    gc.freeze()  # what it imported stays where it is, in memory that is shared
    gc.enable()
    reload = server.handle_hup

    def reload_if_good() -> None:
        """A fault in the new settings must not end a server that runs with the old ones."""
        try:
            load(PROVIDERS.values())
        except SettingsError as error:
            log.error("reload_refused", faults=error.faults)  # noqa: TRY400 (they say it all)
        else:
            reload()

    server.handle_hup = reload_if_good


def post_fork(_server: Any, worker: Any) -> None:
    """Before a worker builds its application: what --threads says is known here."""
    processes.Threads.count = worker.cfg.threads


def post_worker_init(worker: Any) -> None:
    """Whether a stop was asked for is the worker's to know, and /readyz tells it."""
    gc.freeze()  # the application stays too
    # A sign-in makes some thousands of objects and no cycle that lasts: look for those less often.
    gc.set_threshold(10_000)
    if extensions := getattr(worker.wsgi, "extensions", None):
        extensions["health"].is_stopping = lambda: not worker.alive


def worker_exit(_server: Any, worker: Any) -> None:
    """After the last request of a worker: the threads beside the requests may end theirs."""
    if extensions := getattr(worker.wsgi, "extensions", None):
        for name in ("revocations", "housekeeping"):
            extensions[name].stop(TOTAL_SECONDS)


def child_exit(_server: Any, worker: Any) -> None:
    metrics.forget_process(worker.pid)


def on_exit(_server: Any) -> None:
    _remove_counts(os.getpid())
