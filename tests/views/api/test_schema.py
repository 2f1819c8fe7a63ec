"""The API matches its OpenAPI document for any request."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from web import limits

ROOT = Path(__file__).parents[3]
SECONDS = 100


@pytest.fixture
def ada(make_site, monkeypatch):
    """Ada, signed in, with a high enough limit of changes."""
    monkeypatch.setattr(limits, "ACTIONS_PER_MINUTE", 100000)
    browser = make_site(REFUSALS_PER_MINUTE="100000").browser()
    browser.sign_in("google", "ada")
    browser.link("github", "ada")
    return browser


def caller(browser) -> str:
    """The variables for tests/api_hooks.py."""
    (current,) = browser.fetch("/api/v1/sessions").response.json()["items"]
    token = browser.fetch("/api/v1/me").headers["X-CSRF-Token"]
    cookies = {cookie.name: cookie.value for cookie in browser.http.cookies}
    headers = {"X-CSRF-Token": token}
    return json.dumps({"cookies": cookies, "headers": headers, "session_id": current["id"]})


def run_schemathesis(browser, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run all its checks: examples, the boundaries of every schema, and generated values from a
    fixed seed."""
    variables = {"PYTHONPATH": str(ROOT), "SCHEMATHESIS_HOOKS": "tests.api_hooks"}
    return subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{browser.site.url}/openapi.json"),
            *("--phases", "examples,coverage,fuzzing", "--checks", "all"),
            # These end the session of the test; they have tests of their own.
            *("--exclude-operation-id", "delete_me"),
            *("--exclude-operation-id", "remove_current_session"),
            *("--max-examples", "30", "--generation-deterministic", "--no-color"),
        ],
        cwd=folder,
        env={**os.environ, **variables, "API_CALLER": caller(browser)},
        timeout=SECONDS,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_api_response_matches_the_openapi_document(ada, tmp_path):
    report = run_schemathesis(ada, tmp_path)
    assert report.returncode == 0, report.stdout + report.stderr
    assert ada.me()
