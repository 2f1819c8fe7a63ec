"""The folder in which the workers of one server keep their metrics, so that each can add them up.

gunicorn.conf.py names it in PROMETHEUS_MULTIPROC_DIR before prometheus_client is imported, which
reads that variable once. Nothing here may import it.
"""

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 (a file system in memory, not a temporary file)
# A folder younger than this may not be locked yet.
JUST_MADE_SECONDS = 60


def memory_folder() -> str | None:
    """Return a folder whose files stay in memory; None where there is none."""
    return str(SHARED_MEMORY) if os.access(SHARED_MEMORY, os.W_OK) else None


def make_metrics_folder(known: str | None) -> str:
    """Return this master's folder: ``known`` after a reload, otherwise a new one.

    A lock that ends with the last process tells an abandoned folder from one that another server
    uses, perhaps in another container.
    """
    prefix = f"quickstep-{os.getpid()}-"
    if known and Path(known).name.startswith(prefix) and Path(known).is_dir():
        return known
    for folder in Path(memory_folder() or tempfile.gettempdir()).glob("quickstep-*-*"):
        _remove_abandoned(folder)
    made = tempfile.mkdtemp(prefix=prefix, dir=memory_folder())
    fcntl.flock(os.open(made, os.O_RDONLY), fcntl.LOCK_SH)
    return made


def remove_metrics_folder(folder: str, master: int) -> None:
    """Delete the folder when the master ends; its workers run the same exit handlers."""
    if os.getpid() == master:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(folder: Path) -> None:
    """Delete a folder whose processes have all ended."""
    with suppress(OSError):  # another user's, in use, or already removed
        if time.time() - folder.stat().st_mtime < JUST_MADE_SECONDS:
            return
        # Opening a pipe of that name would block.
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        finally:
            os.close(held)
