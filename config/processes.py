"""How much of a machine to use (processes, threads, files), and how a worker stops listening."""

import math
import os
import resource
import signal
import socket
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Protocol

# Python runs one thread of a process at a time, so processes follow the processors. Two at least:
# one goes on while the other starts anew. WEB_CONCURRENCY asks for more than the cap.
MIN_WORKERS, MAX_WORKERS = 2, 8
# Threads mostly wait for providers and the database.
THREADS = 16

# More connections than a server behind a proxy ever has, and what a worker opens beside them:
# database, providers, Redis, metrics, and a poller for each thread.
MAX_CONNECTIONS, OTHER_FILES = 10_000, 256

CGROUPS = Path("/sys/fs/cgroup")


class Threads:
    """How many requests this process answers at once; gunicorn.conf.py corrects it."""

    count = THREADS


def worker_count(cgroups: Path = CGROUPS, membership: Path = Path("/proc/self/cgroup")) -> int:
    """How many processes to start where nobody says: one for each whole processor we may use."""
    usable = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
    quota = cpu_quota(cgroups, membership)
    return min(max(MIN_WORKERS, math.ceil(min(usable, quota))), MAX_WORKERS)


def cpu_quota(cgroups: Path, membership: Path) -> float:
    """Processors that the container may use; infinity where it has no limit.

    Of our control group and those above it, the least: ``cpu.max`` (v2) says microseconds in a
    period, ``cpu.cfs_quota_us`` (v1) has a file for the period beside it.
    https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files
    """
    lines = membership.read_text().splitlines() if membership.exists() else []
    least = math.inf
    for line in lines or ["0::/"]:
        _number, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        for mount in [cgroups / controllers, cgroups / "cpu"] if controllers else [cgroups]:
            group = mount / path.lstrip("/")
            for folder in (group, *group.parents):
                least = min(least, _quota_of(folder))
                if folder == mount:
                    break
    return least


def _quota_of(folder: Path) -> float:
    with suppress(OSError, ValueError):  # "max" is no limit, and the uppermost group has no file
        quota, period = (folder / "cpu.max").read_text().split()
        return int(quota) / int(period)
    with suppress(OSError, ValueError):
        quota = (folder / "cpu.cfs_quota_us").read_text()
        if int(quota) > 0:  # -1 is no limit
            return int(quota) / int((folder / "cpu.cfs_period_us").read_text())
    return math.inf


def raise_file_limit() -> int:
    """Raise this process's limit of open files as far as it may; return the new one."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # macOS reports a limit that it does not accept
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def connection_limit(files: int) -> int:
    """Return how many connections a process with so many files may have open."""
    if files == resource.RLIM_INFINITY:
        return MAX_CONNECTIONS
    return max(THREADS + 1, min(MAX_CONNECTIONS, files - OTHER_FILES))


class Listener(Protocol):
    """A listening socket of gunicorn's."""

    def fileno(self) -> int: ...


def refuse_at_stop(listeners: Iterable[Listener]) -> threading.Event:
    """Have SIGTERM close this worker's listening sockets first; return what it sets then.

    gunicorn keeps them until a stopping worker has ended, and the kernel goes on to accept
    connections that nobody answers. Refused, a proxy asks the next instance.
    """
    is_stopping = threading.Event()
    stop = signal.getsignal(signal.SIGTERM)
    assert callable(stop)  # gunicorn's

    def refuse_and_stop(number: int, frame: FrameType | None) -> None:
        is_stopping.set()
        _give_up(listeners)
        stop(number, frame)

    signal.signal(signal.SIGTERM, refuse_and_stop)
    return is_stopping


def _give_up(listeners: Iterable[Listener]) -> None:
    """Replace this process's share of each socket; the kernel closes it with the last process's.

    After a reload the master and the new workers still have theirs.
    """
    with suppress(OSError):  # no file left, or no abstract sockets (macOS): nothing changes
        nowhere = socket.socket(socket.AF_UNIX)
        nowhere.setblocking(False)
        nowhere.bind("")
        nowhere.listen()
        for listener in listeners:  # not close(): gunicorn may be about to call accept()
            os.dup2(nowhere.fileno(), listener.fileno(), inheritable=False)
