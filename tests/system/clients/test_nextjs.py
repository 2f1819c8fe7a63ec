"""The files of docs/integrate/nextjs.md sign people in, by Auth.js without Next.js around it: next
and its compiler are a third of a gigabyte, and start in half a minute."""

import shutil
from pathlib import Path

import requests

from tests.browser import Browser
from tests.issuer.relying_party import App
from tests.processes import free_port
from tests.site import Site
from tests.system.clients import pages
from tests.system.clients.programs import Serve
from tests.system.clients.test_libraries import follow

AROUND = Path(__file__).with_name("next_auth.mjs")
ROUTE = "./app/api/auth/[...nextauth]/route.js"
PROGRAM = (
    f'import * as route from "{ROUTE}"; import {{ serve }} from "./next_auth.mjs"; serve(route);'
)


def test_auth_js_signs_people_in_by_the_files_of_the_page(
    site: Site, grace: Browser, serve: Serve, tmp_path: Path
) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    callback = f"{url}/api/auth/callback/quickstep"
    app = App(site, "Notes", "--claims-in-id-token", "--redirect-uri", callback)
    pages.write_files("nextjs", tmp_path)
    shutil.copy(AROUND, tmp_path)
    auth = tmp_path / "auth.js"
    auth.write_text(auth.read_text().replace('from "next-auth"', 'from "./next_auth.mjs"'))
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "notes.mjs").write_text(PROGRAM)
    secrets = {
        "CLIENT_ID": app.client_id,
        "CLIENT_SECRET": app.secret or "",
        "AUTH_SECRET": "s" * 40,
    }
    serve("express", "notes", port, ISSUER=site.url, APP_URL=url, **secrets)
    token = grace.fetch(f"{url}/api/auth/csrf").response.json()["csrfToken"]
    form = {"csrfToken": token, "callbackUrl": f"{url}/api/auth/session"}
    sent_on = grace.fetch(f"{url}/api/auth/signin/quickstep", "POST", data=form)
    assert sent_on.location.startswith(f"{site.url}/oauth2/authorize?")
    user = follow(grace, sent_on.location).response.json()["user"]
    assert (user["id"], user["name"]) == (grace.user_id, "Grace Hopper")
    assert requests.get(f"{url}/api/auth/session", timeout=30).json() is None
