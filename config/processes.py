"""How much of a machine to use: processes, threads, files."""

import math
import os
import resource
from contextlib import suppress
from pathlib import Path

# Python runs one thread of a process at a time, so processes follow the processors. At least two:
# one serves while the other restarts. WEB_CONCURRENCY may exceed the maximum.
MIN_WORKERS, MAX_WORKERS = 2, 8
# Threads mostly wait for providers and the database.
THREADS = 16

# More connections than a server behind a proxy ever has, and the files that a worker opens besides:
# database, providers, Redis, metrics, and a poller per thread.
MAX_CONNECTIONS, OTHER_FILES = 10_000, 256

CGROUPS = Path("/sys/fs/cgroup")


class Threads:
    """The number of concurrent requests of this process; gunicorn.conf.py sets it."""

    count = THREADS


def worker_count(cgroups: Path = CGROUPS, membership: Path = Path("/proc/self/cgroup")) -> int:
    """Return the default number of processes: one per whole processor that we may use."""
    usable = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1)
    quota = cpu_quota(cgroups, membership)
    return min(max(MIN_WORKERS, math.ceil(min(usable, quota))), MAX_WORKERS)


def cpu_quota(cgroups: Path, membership: Path) -> float:
    """Return the processors that the container may use; infinity if there is no limit.

    It is the minimum of our control group and its parents: ``cpu.max`` (v2) has microseconds per
    period, ``cpu.cfs_quota_us`` (v1) has a separate file for the period.
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
    with suppress(OSError, ValueError):  # "max" means no limit, and the root group has no file
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
