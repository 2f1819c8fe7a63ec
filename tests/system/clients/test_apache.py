"""A real Apache signs people in with mod_auth_openidc, by the lines of docs/integrate/apache.md."""

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import requests

from tests.browser import Browser
from tests.issuer.relying_party import App
from tests.missing import lack
from tests.prepare import find
from tests.processes import free_port, until
from tests.site import Site
from tests.system.clients import pages
from tests.system.clients.test_libraries import follow

MODULES = Path("/usr/lib/apache2/modules")
NAMES = ("mpm_event", "authz_core", "authz_user", "authn_core", "dir", "mime", "include")
AROUND = """
ServerRoot {folder}
DefaultRuntimeDir {folder}
PidFile {folder}/pid
ErrorLog {folder}/log
Listen 127.0.0.1:{port}
ServerName 127.0.0.1
User www-data
Group www-data
TypesConfig /etc/mime.types
DocumentRoot {folder}
DirectoryIndex index.shtml
AddOutputFilter INCLUDES .shtml
<Directory {folder}>
  Options +Includes
</Directory>
"""
PAGE = """<!--#echo var="REMOTE_USER" --> <!--#echo var="OIDC_CLAIM_name" -->"""
Wiki = Callable[[App, int], str]


@pytest.fixture
def serve_wiki() -> Iterator[Wiki]:
    """Starts Apache for a client, on a port; returns its address."""
    program = find("apache2")
    if program is None or not (MODULES / "mod_auth_openidc.so").exists():
        lack("Apache (apt-get install apache2 libapache2-mod-auth-openidc)")
    with ExitStack() as running:
        # Not pytest's folder, which Apache's own user may not read.
        folder = Path(running.enter_context(TemporaryDirectory()))

        def serve(app: App, port: int) -> str:
            configuration = write_files(folder, app.site.url, port)
            settings = {
                "CLIENT_ID": app.client_id,
                "CLIENT_SECRET": app.secret or "",
                "SECRET_KEY": "a secret key for tests only and long enough",
            }
            command = [program or "", "-f", str(configuration), "-DFOREGROUND"]
            with (folder / "start").open("w") as log:
                process = subprocess.Popen(command, env=settings, stderr=log)
            running.callback(process.wait, 30)
            running.callback(process.terminate)  # Apache then ends its children, too
            until(lambda: answers(port) or process.poll(), lambda: read_logs(folder))
            assert process.poll() is None, read_logs(folder)
            return f"http://127.0.0.1:{port}"

        yield serve


def write_files(folder: Path, issuer: str, port: int) -> Path:
    """Write the page of the wiki and Apache's configuration, and return the latter's path."""
    (lines,) = [text for language, text in pages.blocks("apache") if language == "apache"]
    lines = lines.replace("https://login.example.org", issuer)
    lines = lines.replace("https://wiki.example.org", f"http://127.0.0.1:{port}")
    modules = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in NAMES)
    modules += f"LoadModule auth_openidc_module {MODULES}/mod_auth_openidc.so\n"
    folder.chmod(0o755)
    (folder / "index.shtml").write_text(PAGE)
    configuration = folder / "apache.conf"
    configuration.write_text(modules + AROUND.format(folder=folder, port=port) + lines)
    return configuration


def read_logs(folder: Path) -> str:
    return "".join(path.read_text() for path in (folder / "start", folder / "log") if path.exists())


def answers(port: int) -> bool:
    try:
        requests.get(f"http://127.0.0.1:{port}/", timeout=10, allow_redirects=False)
    except requests.ConnectionError:
        return False
    return True


def register(site: Site, port: int) -> App:
    """Register the wiki with the command of the page."""
    (command,) = [text for language, text in pages.blocks("apache") if language == "console"]
    uris = re.findall(r"https://wiki\.example\.org[^\s\"]*", command)
    came, left, told = (
        uri.replace("https://wiki.example.org", f"http://127.0.0.1:{port}") for uri in uris
    )
    ways = ("--redirect-uri", came, "--post-logout-redirect-uri", left)
    return App(site, "Wiki", *ways, "--backchannel-logout-uri", told, "--claims-in-id-token")


def test_apache_signs_people_in_and_out(site: Site, grace: Browser, serve_wiki: Wiki) -> None:
    port = free_port()
    wiki = serve_wiki(register(site, port), port)
    assert follow(grace, wiki).html == f"{grace.user_id} Grace Hopper"
    page = grace.fetch(f"{wiki}/oidc-callback?logout={wiki}/")
    assert page.location.startswith(f"{site.url}/oauth2/logout?")
    page = grace.fetch(page.location)
    assert page.location == f"{wiki}/"
    assert grace.get("/account").url == f"{site.url}/login?next=/account"
    assert "/oauth2/authorize" in grace.fetch(wiki).location


def test_signing_out_at_the_site_ends_the_session_at_apache(
    site: Site, grace: Browser, serve_wiki: Wiki
) -> None:
    port = free_port()
    wiki = serve_wiki(register(site, port), port)
    follow(grace, wiki)
    assert grace.fetch(wiki).status == 200
    grace.sign_out()
    until(lambda: grace.fetch(wiki).status == 302, lambda: "the session goes on")
