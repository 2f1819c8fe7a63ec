"""The pictures of README.md and of the operator's tour, from a running demo:
``python -m tests.system.browser.pictures``."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.prepare import chromium
from tests.processes import ended, free_port, until
from tests.system.browser.conftest import FLAGS

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "docs" / "pictures"
THEMES = ("light", "dark")
SIGN_IN_SIZE = {"width": 480, "height": 600}
ACCOUNT_SIZE = {"width": 800, "height": 900}
ADMIN_SIZE = {"width": 800, "height": 1180}
# The pages of the operator's tour, below /admin.
TOUR = ("people", "person", "invitations", "gate", "providers")
PEOPLE = (("Google", "grace"), ("GitHub", "linus"), ("Google", "noa"))
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


@dataclass(frozen=True)
class Demo:
    """A running demo: its address, and its command line."""

    url: str
    variables: dict[str, str]

    def run(self, *words: str) -> None:
        command = [sys.executable, "-m", "flask", "--app", "app", *words]
        subprocess.run(command, cwd=ROOT, env=self.variables, check=True, capture_output=True)


@contextmanager
def demo() -> Iterator[Demo]:
    """Run the server in demo mode with an empty database."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        variables = {
            **os.environ,
            "DEMO": "1",
            "PORT": str(port),
            "SECRET_KEY": "a key for pictures only that signs nothing else",
            "DATABASE_URL": f"sqlite:///{folder}/demo.sqlite",
        }
        running = Demo(f"http://localhost:{port}", variables)
        running.run("db", "upgrade")
        server = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=variables)
        with ended(server):
            until(lambda: is_open(port), "the demo did not start")
            yield running


def is_open(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def sign_in(page: Page, provider: str, person: str = "ada") -> None:
    page.goto("/login")
    page.get_by_role("link", name=f"Continue with {provider}").click()
    page.locator(f'button[name=person][value="{person}"]').click()


def connect(page: Page, provider: str) -> None:
    page.locator("summary").click()
    page.get_by_role("button", name=f"Connect {provider}").click()
    page.locator('button[name=person][value="ada"]').click()


def take_pictures(browser: Browser, running: Demo, folder: Path) -> list[Path]:
    """Take a picture of the sign-in page, of an account with two methods and two devices, and of
    the pages of the tour."""
    url = running.url
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
    taken += take_tour(browser, page, running, folder)
    context.close()
    return taken


def take_tour(browser: Browser, page: Page, running: Demo, folder: Path) -> list[Path]:
    """Make the person of a page an administrator among others, and take the pictures."""
    ids = []
    for provider, person in PEOPLE:
        context = browser.new_context(base_url=running.url, user_agent=PHONE)
        sign_in(context.new_page(), provider, person)
        ids.append(id_of(context))
        context.close()
    running.run("users", "admin", id_of(page.context))
    paths = {"person": f"people/{ids[0]}", "gate": "gates/wiki"}
    fill_in(page, paths["person"], "Add", {"Add to a group": "staff"})
    fill_in(page, "invitations", "Make an invitation", {"Accounts": "20", "Days": "30"})
    names = {"For whom": "katherine@orbit.example", "Their groups": "staff"}
    fill_in(page, "invitations", "Make an invitation", names)
    rules = {"Rules, one a line": "group=staff\ndomain=navy.example"}
    fill_in(page, paths["gate"], "Save", rules)
    same = browser.new_context(base_url=running.url, storage_state=page.context.storage_state())
    page, taken = same.new_page(), []
    page.set_viewport_size(ADMIN_SIZE)  # type: ignore[arg-type]
    for name in TOUR:
        page.goto(f"/admin/{paths.get(name, name)}")
        taken.append(folder / f"admin-{name}.png")
        page.screenshot(path=taken[-1])
    same.close()
    return taken


def id_of(context: BrowserContext) -> str:
    """Return the id of the account that is signed in."""
    return str(context.request.get("/api/v1/me").json()["id"])


def fill_in(page: Page, path: str, button: str, values: dict[str, str]) -> None:
    """Fill in a form of an administrator's page, and send it."""
    page.goto(f"/admin/{path}")
    for label, value in values.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name=button, exact=True).click()


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
    with demo() as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        for path in take_pictures(browser, running, FOLDER):
            sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1024} KiB\n")
        browser.close()


if __name__ == "__main__":
    main()
