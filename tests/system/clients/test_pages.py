"""The pages of docs/integrate keep their word: their programs sign people in."""

import ast
import configparser
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.browser import Browser
from tests.commands.console import run
from tests.issuer.relying_party import App
from tests.processes import free_port
from tests.site import Site
from tests.system.clients import pages
from tests.system.clients.node import Node
from tests.system.clients.programs import Serve
from tests.system.clients.test_libraries import follow

SIGN_IN = {"flask": "callback", "fastapi": "callback", "express": "callback"}
PAGES = (
    *("flask", "fastapi", "django", "express", "nextjs", "single-page-app", "apache"),
    *("ready-software", "protect-an-api", "in-front", "gate-nginx", "gate-caddy", "gate-traefik"),
    *("gate-envoy", "gate-assertion"),
)
# Loopback is without TLS, which openid-client wants to be told.
STRICT = "client.discovery(new URL(ISSUER), CLIENT_ID, CLIENT_SECRET)"
ON_LOOPBACK = STRICT[:-1] + ", undefined, { execute: [client.allowInsecureRequests] })"
DJANGO_PROJECT = """
SECRET_KEY = "a secret key for tests only and long enough"
ROOT_URLCONF = "notes.urls"
ALLOWED_HOSTS = ["*"]
SESSION_COOKIE_NAME = "notes"
INSTALLED_APPS = [f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions")]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "notes.sqlite"}}
"""
MANAGE = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "notes.settings"
from django.core.management import execute_from_command_line
if "runserver" in sys.argv:
    execute_from_command_line(["manage.py", "migrate", "-v0"])
execute_from_command_line(sys.argv)
"""


def settings_of(app: App, port: int) -> dict[str, str]:
    return {
        "ISSUER": app.site.url,
        "CLIENT_ID": app.client_id,
        "CLIENT_SECRET": app.secret or "",
        "SECRET_KEY": "a secret key for tests only and long enough",
        "APP_URL": f"http://127.0.0.1:{port}",
    }


@pytest.mark.parametrize("kind", SIGN_IN)
def test_the_program_of_a_page_signs_people_in(
    kind: str, site: Site, grace: Browser, serve: Serve, tmp_path: Path
) -> None:
    port = free_port()
    app = App(site, "Notes", "--redirect-uri", f"http://127.0.0.1:{port}/callback")
    pages.write_files(kind, tmp_path)
    if kind == "express":
        program = tmp_path / "notes.mjs"
        assert STRICT in program.read_text()
        program.write_text(program.read_text().replace(STRICT, ON_LOOPBACK))
    serve(kind, "notes", port, **settings_of(app, port))
    page = follow(grace, f"http://127.0.0.1:{port}/")
    assert page.html == "Hello Grace Hopper"


def test_the_settings_of_the_page_for_django_sign_people_in(
    site: Site, grace: Browser, serve: Serve, tmp_path: Path
) -> None:
    port = free_port()
    app = App(site, "Notes", "--redirect-uri", f"http://127.0.0.1:{port}/oidc/callback/")
    pages.write_files("django", tmp_path)
    settings = tmp_path / "notes" / "settings.py"
    settings.write_text(DJANGO_PROJECT + settings.read_text())
    (tmp_path / "manage.py").write_text(MANAGE)
    serve("django", "notes", port, **settings_of(app, port))
    assert follow(grace, f"http://127.0.0.1:{port}/").html == "Hello Grace Hopper"


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_are_ours(page: str, site: Site) -> None:
    """Each is run as it stands there, in its order."""
    found = [text for language, text in pages.blocks(page) if language == "console"]
    lines = "".join(found).replace("\\\n", " ").splitlines()
    client_id = ""
    for words in (shlex.split(line.removeprefix("$ ")) for line in lines):
        if words[:3] != ["flask", "--app", "app"]:
            continue
        ended = run(site, *(client_id if word == "CLIENT_ID" else word for word in words[3:]))
        assert ended.exit_code == 0, ended.output
        printed = re.search(r"client_id: (\S+)", ended.output)
        client_id = printed[1] if printed else client_id
    assert lines


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_can_be_read_by_its_language(
    page: str, node: Node, tmp_path: Path
) -> None:
    for language, text in pages.blocks(page):
        if language == "python":
            ast.parse(text)
        elif language == "js":
            check_javascript(node, text, tmp_path)
        elif language == "ini":
            parser = configparser.ConfigParser(interpolation=None)
            parser.read_string(text)
            assert parser.sections()
        elif language == "apache":
            check_apache(text)
        else:
            assert language in {"console", "sh", "jsx"}, language


def check_javascript(node: Node, text: str, folder: Path) -> None:
    (folder / "block.mjs").write_text(text)
    command = [node.path, "--check", str(folder / "block.mjs")]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def check_apache(text: str) -> None:
    """Each line is a directive with a value; what is opened is closed."""
    opened: list[str] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        if line.startswith("</"):
            assert opened.pop() == line[2:-1]
        elif line.startswith("<"):
            opened.append(line[1:-1].split()[0])
        else:
            assert re.fullmatch(r"(OIDC\w+|AuthType|Require) \S.*", line), line
    assert opened == []
