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
import signal
import socket
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
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
# Connections that a worker keeps at most. Each costs a file, and gunicorn ends a worker that has
# none left. WEB_CONCURRENCY's processes have a limit each.
worker_connections = processes.connection_limit(processes.raise_file_limit())
# A worker whose main loop is silent for so long is replaced; its requests do not hold it up.
timeout = 30
# What runs when a stop is asked for may end: a callback makes two calls of a provider, or a few.
graceful_timeout = math.ceil(2 * TOTAL_SECONDS) + 6
# The side that may send the next request must close an idle connection first, or a request is lost
# now and then. So this is longer than the default of any proxy (nginx and AWS 60 s, Traefik 90,
# Caddy 120). A stopping worker keeps idle connections for 2 seconds (gunicorn's constant), and the
# proxy files in deploy/ for 1.
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
    """Run in the master before it starts workers."""
    gc.collect()
    gc.freeze()  # what it imported stays where it is, in memory that is shared
    gc.enable()
    # gunicorn has no hook that can refuse a reload, so its handler of HUP is wrapped. Without
    # handle_hup nothing breaks but this: a HUP with faulty settings would end the server.
    reload = server.handle_hup

    def reload_if_valid() -> None:
        try:
            load(PROVIDERS.values())
        except SettingsError as error:
            log.error("reload_refused", faults=error.faults)  # noqa: TRY400 (the faults say it all)
        else:
            reload()

    server.handle_hup = reload_if_valid


def post_fork(_server: Any, worker: Any) -> None:
    """Run in a worker before it builds its application: --threads is known here."""
    processes.Threads.count = worker.cfg.threads


def post_worker_init(worker: Any) -> None:
    """Run in a worker once its application is built."""
    gc.freeze()  # the application stays too
    # A sign-in makes some thousands of objects and no cycle that lasts: collect less often.
    gc.set_threshold(10_000)
    is_stopping = threading.Event()
    if extensions := getattr(worker.wsgi, "extensions", None):
        extensions["health"].is_stopping = is_stopping.is_set
    stop = signal.getsignal(signal.SIGTERM)
    assert callable(stop)

    def stop_accepting(number: int, frame: FrameType | None) -> None:
        is_stopping.set()
        _leave(worker.sockets)
        stop(number, frame)

    signal.signal(signal.SIGTERM, stop_accepting)


def _leave(listeners: list[Any]) -> None:
    """Give up the worker's share of the listening sockets, which the kernel closes with the last.

    gunicorn keeps it until the worker ends. While a stopping server answers its last requests, the
    kernel would take new connections for it that nobody ever answers. Now they are refused, and a
    proxy asks the next instance. After a HUP the sockets belong to the new workers.
    """
    with suppress(OSError):  # no files left, or no abstract sockets (macOS): gunicorn's way stands
        nowhere = socket.socket(socket.AF_UNIX)
        nowhere.setblocking(False)
        nowhere.bind("")
        nowhere.listen()
        for listener in listeners:  # not close(): gunicorn may be about to call accept()
            os.dup2(nowhere.fileno(), listener.fileno(), inheritable=False)


def worker_exit(_server: Any, worker: Any) -> None:
    """After the last request of a worker: the threads beside the requests may end theirs."""
    if extensions := getattr(worker.wsgi, "extensions", None):
        for name in ("revocations", "housekeeping"):
            extensions[name].stop(TOTAL_SECONDS)


def child_exit(_server: Any, worker: Any) -> None:
    metrics.forget_process(worker.pid)


def on_exit(_server: Any) -> None:
    _remove_counts(os.getpid())
