"""docs/operate/admin-api.md: its lines run, and it names every operation; the OpenAPI document."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.commands.test_users import id_of, sign_in
from tests.views.api.admin.program import Program
from tests.views.api.test_guides import block, run_shell
from tests.views.api.test_schema import ROOT, SECONDS
from web import limits

GUIDE = (ROOT / "docs" / "operate" / "admin-api.md").read_text(encoding="utf-8")


def test_the_shell_lines_of_the_guide_work(site, program, tmp_path, monkeypatch):
    grace = sign_in(site, "grace")
    path = f"/users/{id_of(grace)}"
    monkeypatch.setenv("CLIENT_ID", program.client_id)
    monkeypatch.setenv("CLIENT_SECRET", program.secret or "")
    lines = block(GUIDE, "sh").replace("https://login.example.org", site.url)
    run_shell(lines.replace("grace@example.org", "grace@navy.example"), tmp_path)
    assert grace.me() is None
    user = program.read(path)
    assert (user["disabled_at"] is not None, user["groups"]) == (True, ["staff"])


def test_the_guide_and_the_openapi_document_have_every_operation(site):
    document = site.browser().fetch("/openapi.json").response.json()
    named = {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/api/v1/admin/")
    }
    assert len(named) > 20
    for name, operation in named.items():
        written = re.sub(r"{(?:[a-z]+_)?([a-z]+)}", r"<\1>", name)
        assert f"`{written}`" in GUIDE
        assert operation["security"] == [{"program": ["admin"]}]
    scheme = document["components"]["securitySchemes"]["program"]
    assert scheme["flows"]["clientCredentials"]["tokenUrl"] == f"{site.url}/oauth2/token"
    page = site.browser().get("/docs").text
    assert "an access token with the scope admin" in page
    assert all(operation["summary"] in page for operation in named.values())
    assert list(document["paths"])[-1].startswith("/api/v1/admin/")
    assert "(one of pending, disabled, " in page
    assert "(by default )" not in page


def run_schemathesis(program: Program, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run all its checks on the administrators' API, as tests/views/api/test_schema.py does."""
    headers = {"Authorization": f"Bearer {program.bearer}"}
    caller = json.dumps({"cookies": {}, "headers": headers, "session_id": ""})
    variables = {
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.api_hooks",
        "API_CALLER": caller,
    }
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{program.site.url}/openapi.json"),
            *("--phases", "examples,coverage,fuzzing", "--checks", "all"),
            *("--include-path-regex", "^/api/v1/admin/"),
            *("--max-examples", "5", "--generation-deterministic", "--no-color"),
        ],
        cwd=folder,
        env={**os.environ, **variables},
        timeout=SECONDS,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_response_matches_the_openapi_document(make_site, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "ADMIN_ACTS_PER_MINUTE", 100000)
    site = make_site(ADMIN_API="on", REFUSALS_PER_MINUTE="100000")
    sign_in(site, "grace")
    report = run_schemathesis(Program(site), tmp_path)
    assert report.returncode == 0, report.stdout + report.stderr
    assert site.user_count() == 1
