"""Before the tests: a Chromium for those that need one, where this machine lets us install it."""

import os
import shutil
import subprocess
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = ("chromium", "fonts-noto-core")


def chromium() -> str | None:
    """The path of this machine's Chromium, if it has one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def install() -> None:
    """From Debian's archive. A failure is told by the tests, which then lack their browser."""
    print("Installing Chromium for the browser tests …", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ("apt-get", "update"),
        ("apt-get", "install", "-y", "--no-install-recommends", *PACKAGES),
    ):
        subprocess.run(command, env=quiet, check=False, stdout=subprocess.DEVNULL)


def main() -> None:
    is_debian = Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None
    if chromium() is None and is_debian and os.geteuid() == 0:
        install()


if __name__ == "__main__":
    main()
