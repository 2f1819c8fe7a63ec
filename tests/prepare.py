"""Install browser, web servers, Redis and Prometheus for the tests, if this machine allows it."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

# Debian's package, and the programs in it that the tests look for.
PACKAGES = {
    "apache2": ("apache2", "httpd"),
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "nginx": ("nginx",),
    "prometheus": ("prometheus",),
    "redis-server": ("redis-server",),
}
BESIDE = {"apache2": ("libapache2-mod-auth-openidc",), "chromium": ("fonts-noto-core",)}
INSTALL_SECONDS = 600
# The virtual environment's programs first; Debian keeps servers where not every PATH leads.
PATH = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


def find(package: str) -> str | None:
    """Return the path of this machine's program of a package, if it has one."""
    names = PACKAGES.get(package, (package,))
    return next((path for name in names if (path := shutil.which(name, path=PATH))), None)


def chromium() -> str | None:
    return find("chromium")


def install(packages: list[str]) -> None:
    """Install from Debian's archive without starting services. If it fails, the tests report what
    they lack."""
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
