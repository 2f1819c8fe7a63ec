"""What a newcomer does, for real: a fresh clone in a path with a space, ``make run``, sign in.

Run by .ci/run as ``python -m tests.system.fresh_clone``; it installs everything anew, so it is no
part of ``make test``.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

from tests.processes import free_port

ROOT = Path(__file__).parents[2]
START_SECONDS = 300


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "a path with a space"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        for attempt in ("first", "second"):
            try_once(clone, free_port())
            print(f"fresh clone: the {attempt} make run served and signed somebody in")


def try_once(clone: Path, port: int) -> None:
    settings = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
    server = subprocess.Popen(
        ["make", "run"], cwd=clone, env={**settings, "PORT": str(port)}, start_new_session=True
    )
    try:
        url = f"http://localhost:{port}"
        wait_for(f"{url}/login", server)
        http = requests.Session()
        begun = http.get(f"{url}/login/google", allow_redirects=False, timeout=10)
        ended = http.post(begun.headers["Location"], data={"person": "ada"}, timeout=10)
        if ended.url != f"{url}/account":
            sys.exit(f"the sign-in ended at {ended.url}")
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if server.poll() is not None:
            sys.exit("make run ended by itself")
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.3)
    sys.exit("make run did not serve in time")


if __name__ == "__main__":
    main()
