"""The pictures of README.md, from a running demo: ``python -m tests.system.browser.pictures``."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.prepare import chromium
from tests.processes import ended, free_port, until
from tests.system.browser.conftest import FLAGS

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs" / "pictures"
THEMES = ("light", "dark")
SIGN_IN_SIZE = {"width": 480, "height": 600}
ACCOUNT_SIZE = {"width": 800, "height": 900}
# Sharp on most screens, and small enough for a repository.
SCALE = 1.5
LAPTOP = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)


@contextmanager
def demo() -> Iterator[str]:
    """Run the server in demo mode with an empty database; yields its address."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        variables = {
            **os.environ,
            "DEMO": "1",
            "PORT": str(port),
            "SECRET_KEY": "a key for pictures only that signs nothing else",
            "DATABASE_URL": f"sqlite:///{folder}/demo.sqlite",
        }
        migrate = [sys.executable, "-m", "flask", "--app", "app", "db", "upgrade"]
        subprocess.run(migrate, cwd=ROOT, env=variables, check=True, capture_output=True)
        server = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=variables)
        with ended(server):
            until(lambda: is_open(port), "the demo did not start")
            yield f"http://localhost:{port}"


def is_open(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def sign_in(page: Page, provider: str) -> None:
    page.goto("/login")
    page.get_by_role("link", name=f"Continue with {provider}").click()
    page.locator('button[name=person][value="ada"]').click()


def connect(page: Page, provider: str) -> None:
    page.locator("summary").click()
    page.get_by_role("button", name=f"Connect {provider}").click()
    page.locator('button[name=person][value="ada"]').click()


def take_pictures(browser: Browser, url: str, folder: Path) -> list[Path]:
    """Take a picture of the sign-in page and of an account with two methods and two devices."""
    context = browser.new_context(base_url=url, user_agent=LAPTOP, device_scale_factor=SCALE)
    page = context.new_page()
    page.goto("/login")
    taken = _in_both_themes(page, folder, "sign-in", SIGN_IN_SIZE)
    sign_in(page, "Google")
    connect(page, "GitHub")
    phone = browser.new_context(base_url=url, user_agent=PHONE)
    sign_in(phone.new_page(), "GitHub")
    page.goto("/account")
    taken += _in_both_themes(page, folder, "account", ACCOUNT_SIZE)
    phone.close()
    context.close()
    return taken


def _in_both_themes(page: Page, folder: Path, name: str, size: dict[str, int]) -> list[Path]:
    page.set_viewport_size(size)  # type: ignore[arg-type]
    taken = []
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        taken.append(folder / f"{name}-{theme}.png")
        page.screenshot(path=taken[-1])
    return taken


def main() -> None:
    program = chromium()
    if program is None:
        sys.exit("There is no Chromium on this machine (apt-get install chromium).")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with demo() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for path in take_pictures(browser, url, FOLDER):
            sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KiB\n")
        browser.close()


if __name__ == "__main__":
    main()
