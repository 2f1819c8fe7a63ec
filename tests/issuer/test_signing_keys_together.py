"""Signing keys on several instances: made once, rotated without a lost token, never replaced
silently."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from issuer import housekeeping, signing_keys
from issuer.signing_keys import KeyRing, KeyUnreadable
from tests.commands.console import answer
from tests.issuer.pair import second_instance, stop
from tests.issuer.relying_party import App
from tests.issuer.test_signing_keys import kids, reread, set_back_keys, states
from tests.processes import ended
from tests.site import SECRET_KEY, Site

ROOT = Path(__file__).parents[2]
AFTER = "https://notes.example/bye"
START = """
import app
application = app.create_app()
with application.app_context():
    application.extensions["signing_keys"].ring()
"""


@pytest.fixture
def second(both: Site) -> Iterator[Flask]:
    """Another instance of the same site."""
    application = second_instance(both)
    yield application
    stop(application)


def accepts_hint(second: Flask, hint: str) -> bool:
    """Whether the second instance sends who signed out on to where the hint's client says."""
    query = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER}
    with second.test_client() as client:
        got = client.get("/oauth2/logout", query_string=query)
    assert got.status_code in (303, 400), got
    return got.status_code == 303


def let_pass(second: Flask, seconds: float) -> None:
    """Let the second instance have read its keys so much earlier."""
    ring: KeyRing = second.extensions["signing_keys"]
    assert ring._ring
    ring._ring = replace(ring._ring, read_at=ring._ring.read_at - seconds)


def published(second: Flask) -> set[str]:
    with second.test_client() as client:
        document: Any = client.get("/oauth2/jwks").get_json()
    return {key["kid"] for key in document["keys"]}


def test_a_key_that_is_rotated_now_loses_no_token_on_another_instance(both, second):
    browser = both.browser()
    browser.sign_in("google", "grace")
    app = App(both, "Notes", "--first-party", "--post-logout-redirect-uri", AFTER)
    old = app.tokens(browser).document["id_token"]
    assert accepts_hint(second, old)
    answer(both, "signing-keys", "rotate", "--now")
    set_back_keys(both, 1 / 24)
    reread(both)
    new = app.tokens(browser).document["id_token"]
    assert app.header(new)["kid"] != app.header(old)["kid"]
    # The second instance has not read the keys since, and meets one that it does not know.
    let_pass(second, 2)
    assert accepts_hint(second, new)
    assert accepts_hint(second, old)
    assert published(second) == kids(both)


def test_a_withdrawn_key_is_refused_on_another_instance_once_it_reads_the_keys(both, second):
    browser = both.browser()
    browser.sign_in("google", "grace")
    app = App(both, "Notes", "--first-party", "--post-logout-redirect-uri", AFTER)
    old = app.tokens(browser).document["id_token"]
    assert accepts_hint(second, old)
    kid = app.header(old)["kid"]
    answer(both, "signing-keys", "withdraw", kid, "--yes")
    let_pass(second, signing_keys.REREAD_SECONDS)
    assert kid not in published(second)
    assert not accepts_hint(second, old)


def test_processes_that_start_together_make_one_key_of_each_kind(both):
    url = both._variables["DATABASE_URL"]
    settings = {"SECRET_KEY": SECRET_KEY, "DATABASE_URL": url, "PATH": os.environ["PATH"]}
    running = [
        subprocess.Popen([sys.executable, "-c", START], cwd=ROOT, env=settings) for _ in range(3)
    ]
    with ended(*running):
        assert [process.wait(90) for process in running] == [0, 0, 0]
    rows = both.rows("SELECT alg FROM signing_keys ORDER BY alg")
    assert [row[0] for row in rows] == ["ES256", "RS256"]


@pytest.fixture
def wrong(both: Site) -> Iterator[Flask]:
    """Another instance, whose keys do not open what the site's have sealed."""
    kids(both)
    right = both._variables["SECRET_KEY"]
    both._variables["SECRET_KEY"] = "another key that is long enough to sign with"
    application = second_instance(both)
    both._variables["SECRET_KEY"] = right
    yield application
    stop(application)


def test_an_instance_with_wrong_keys_makes_none_that_the_others_cannot_open(both, wrong):
    """Neither in its background job, when a next key is due, nor by command."""
    set_back_keys(both, 89.5)
    keep_up: Callable[[], int] = signing_keys.keep_up
    with wrong.app_context(), pytest.raises(KeyUnreadable, match="TOKEN_ENCRYPTION_KEYS"):
        keep_up()
    with wrong.app_context():
        assert housekeeping._keep_up(None) == 0  # type: ignore[arg-type]
    result = wrong.test_cli_runner().invoke(args=["signing-keys", "rotate"])
    assert result.exit_code == 1
    assert "TOKEN_ENCRYPTION_KEYS" in result.output
    assert states(both) == ["current"]
    assert both.inside(keep_up) == 2
    assert states(both) == ["next", "current"]
