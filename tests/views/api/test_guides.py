"""The lines of docs/integrate run as they are written there."""

import re
import shutil
import subprocess
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import requests

import errors
from tests.browser import Browser
from tests.missing import lack

DOCS = Path(__file__).parents[3] / "docs" / "integrate"
API = (DOCS / "api.md").read_text(encoding="utf-8")
MOBILE = (DOCS / "mobile.md").read_text(encoding="utf-8")
EXAMPLE_SESSION = "5f0c1d8f4c0b4a6e9a7d2b3c4d5e6f70"


def block(text: str, language: str) -> str:
    """The first block of code in this language."""
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found
    return found[1]


def run_shell(lines: str, folder: Path) -> str:
    if not all(map(shutil.which, ("bash", "curl", "sed"))):
        lack("bash, curl and sed")
    command = ["bash", "-euo", "pipefail", "-c", lines]
    done = subprocess.run(
        command, cwd=folder, timeout=60, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def write_jar(browser: Browser, path: Path) -> None:
    """Write a browser's cookies as curl reads them."""
    lines = (f"localhost\tFALSE\t/\tFALSE\t0\t{c.name}\t{c.value}\n" for c in browser.http.cookies)
    path.write_text("# Netscape HTTP Cookie File\n" + "".join(lines))


def test_the_shell_lines_of_the_api_guide_work(site, browser, other, tmp_path):
    for each in (browser, other):
        each.sign_in("google", "grace")
    (theirs,) = [
        row["id"]
        for row in browser.fetch("/api/v1/sessions").response.json()["items"]
        if not row["current"]
    ]
    write_jar(browser, tmp_path / "jar")
    lines = block(API, "sh").replace("https://login.example.org", site.url)
    assert EXAMPLE_SESSION in lines
    run_shell(lines.replace(EXAMPLE_SESSION, theirs), tmp_path)
    assert browser.me()["name"] == "Ada Lovelace"
    assert other.me() is None


def test_the_shell_lines_of_the_mobile_guide_sign_in(site, tmp_path):
    lines = block(MOBILE, "sh").replace("http://127.0.0.1:5001", site.simulator.url)
    answer = run_shell(lines.replace("http://localhost:5000", site.url), tmp_path)
    assert "200 OK" in answer
    assert "Set-Cookie: session=" in answer


def all_subclasses(kind: type[Any]) -> set[type[Any]]:
    found = {kind}
    for each in kind.__subclasses__():
        found |= all_subclasses(each)
    return found


def test_every_error_code_of_the_guides_exists():
    """Problems of Werkzeug are named by their status."""
    kinds = all_subclasses(errors.Problem) | all_subclasses(errors.RequestFault)
    codes = {kind.code for kind in kinds}
    codes |= {HTTPStatus(status).phrase.lower().replace(" ", "_") for status in (401, 404, 405)}
    codes |= {"request_entity_too_large", "unavailable", "this_machine_only", "needs_proof"}
    named: set[str] = set()
    for row in re.findall(r"^\| \d{3}(?:, \d{3})* \| (.*?) \|", API + MOBILE, re.MULTILINE):
        named.update(re.findall(r"`(\w+)`", row))
    assert len(named) > 20
    assert named - codes == set()


CALL = re.compile(
    r"http\.(\w+)\(\s*Uri\.parse\('\$server(/[\w/-]+)'\),\s*headers: \{(.*?)\},", re.DOTALL
)
HEADER = re.compile(r"'([\w-]+)': (?:'([^']*)'|(\w+))")


def dart_calls() -> list[tuple[str, str, dict[str, str]]]:
    """The requests of the first Dart snippet: method, path, and headers with {variables}."""
    return [
        (
            method,
            path,
            {
                name: text.replace("${session.value}", "{session}") or f"{{{variable}}}"
                for name, text, variable in HEADER.findall(headers)
            },
        )
        for method, path, headers in CALL.findall(block(MOBILE, "dart"))
    ]


@pytest.fixture
def requests_of_the_snippet(site):
    """Sends one of the snippet's requests, with exactly its headers."""
    calls = dart_calls()

    def send(number: int, body: Any = None, **variables: str) -> requests.Response:
        method, path, headers = calls[number]
        filled = {name: text.format(**variables) for name, text in headers.items()}
        return requests.request(method, site.url + path, headers=filled, data=body, timeout=10)

    assert [call[:2] for call in calls] == [
        *(("post", "/auth/sign-in"), ("get", "/api/v1/me"), ("patch", "/api/v1/me")),
    ]
    return send


def test_the_requests_of_the_flutter_snippet_sign_in_read_and_change(site, requests_of_the_snippet):
    """No Dart here, but its requests: one cookie is kept, and nothing else."""
    answer = requests_of_the_snippet(0, site.simulator.firebase.mint("grace"))
    assert answer.status_code == 200
    name = re.search(r"cookie\.name == '(\w+)'", block(MOBILE, "dart"))
    assert name
    session = answer.cookies[name[1]]
    me = requests_of_the_snippet(1, session=session)
    assert me.json()["name"] == "Grace Hopper"
    csrf = re.search(r"headers\['([\w-]+)'\]!", block(MOBILE, "dart").partition("rename")[2])
    assert csrf
    changed = requests_of_the_snippet(
        2, '{"name": "Amazing Grace"}', session=session, csrf=me.headers[csrf[1]]
    )
    assert (changed.status_code, changed.json()["name"]) == (200, "Amazing Grace")
