"""Before the tests: a browser, proxies and a Redis for those that need them, where this machine
lets us install them."""

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

# Debian's package, and what it brings that the tests look for.
PACKAGES = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "nginx": ("nginx",),
    "redis-server": ("redis-server",),
    "caddy": ("caddy",),
}
BESIDE = {"chromium": ("fonts-noto-core",)}
INSTALL_SECONDS = 600
# Where Debian keeps servers, which is not on everybody's PATH.
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


def find(package: str) -> str | None:
    """The path of this machine's program of a package, if it has one."""
    names = PACKAGES[package]
    return next((path for name in names if (path := shutil.which(name, path=PATH))), None)


def chromium() -> str | None:
    return find("chromium")


def install(packages: list[str]) -> None:
    """From Debian's archive, started by nobody but the tests. A failure is told by the tests,
    which then lack what they need."""
    print(f"Installing {', '.join(packages)} for the tests …", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    extra = [name for package in packages for name in BESIDE.get(package, ())]
    for command in (
        ("apt-get", "update"),
        ("apt-get", "install", "-y", "--no-install-recommends", *packages, *extra),
    ):
        with suppress(subprocess.TimeoutExpired):
            subprocess.run(
                command, env=quiet, check=False, stdout=subprocess.DEVNULL, timeout=INSTALL_SECONDS
            )


def main() -> None:
    is_debian = Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None
    missing = [package for package in PACKAGES if find(package) is None]
    if missing and is_debian and os.geteuid() == 0:
        install(missing)


if __name__ == "__main__":
    main()
