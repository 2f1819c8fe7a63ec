"""Applications whose server dies in the middle, or loses its database: nobody is signed out."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import requests

import app as quickstep
import config
from providers import PROVIDERS
from storage.postgresql import PING_AFTER_IDLE_SECONDS
from tests.browser import query_of
from tests.issuer.relying_party import App
from tests.site import SECRET_KEY, Site, migrate
from tests.system.faults.served import Served

# Nobody listens there, so what is told stays in the outbox.
NOBODY = "http://127.0.0.1:1/out"


def register(served: Served) -> App:
    """An application of a site of real processes; commands run in the process of the test."""
    variables = {"SECRET_KEY": SECRET_KEY, "DATABASE_URL": served.database_url}
    variables["PUBLIC_URL"] = served.url
    served.app = quickstep.create_app(config.load(PROVIDERS.values(), variables, None))
    return App(cast(Site, served), "Notes", "--backchannel-logout-uri", NOBODY)


class Mortal:
    """A site whose only worker dies when a test says so, and is replaced."""

    def __init__(self, served: Served, moment: Path) -> None:
        self.served, self._moment = served, moment

    def dies(self, when: str, path: str, call: Callable[[], Any]) -> None:
        """Have the worker die in this call, just before or after its commit."""
        self._moment.write_text(f"{when} {path}")
        with pytest.raises(requests.ConnectionError):
            call()
        self.served.gunicorn.wait()
        assert not self._moment.exists()


@pytest.fixture(params=["sqlite", "postgresql"])
def mortal(request: pytest.FixtureRequest, serve: Any, tmp_path: Path) -> Mortal:
    moment = tmp_path / "moment"
    served = serve(
        str(request.param),
        app="tests.system.faults.dying:application",
        flags=("-w", "1", "--threads", "8"),
        TEST_DEATH_FILE=str(moment),
    )
    return Mortal(served, moment)


def test_a_worker_that_is_killed_around_a_commit_signs_nobody_out_of_an_application(mortal):
    served = mortal.served
    app, browser = register(served), served.signed_in("google", "grace")
    tokens = app.tokens(browser)
    for when in ("before", "after"):
        lost = tokens
        mortal.dies(when, "/oauth2/token", lambda: app.refresh(lost.refresh))  # noqa: B023 (called at once)
        tokens = app.refresh(lost.refresh)
        assert tokens.status == 200, (when, tokens.document)
    assert app.refresh(tokens.refresh).status == 200

    # Before the commit a code is unused. After it, it is spent, and its person is not asked again.
    code = app.sign_in(browser)["code"]
    mortal.dies("before", "/oauth2/token", lambda: app.exchange(code))
    assert app.exchange(code).status == 200
    code = app.sign_in(browser)["code"]
    mortal.dies("after", "/oauth2/token", lambda: app.exchange(code))
    assert app.exchange(code).error == "invalid_grant"
    assert app.tokens(browser, prompt="none").status == 200

    # A sign-out and what applications are told of it: both or neither.
    told = served.count("logouts")
    form = browser.get("/logout")
    mortal.dies("before", "/logout", lambda: browser.post("/logout", form))
    assert browser.me()
    assert served.count("logouts") == told
    mortal.dies("after", "/logout", lambda: browser.post("/logout", form))
    assert browser.me() is None
    assert served.count("logouts") == told + 1
    assert app.refresh(tokens.refresh).error == "invalid_grant"
    served.assert_no_bug()


def assert_unavailable(status: int, document: dict[str, Any], headers: Any) -> None:
    assert (status, document["error"]) == (503, "temporarily_unavailable")
    assert int(headers["Retry-After"]) > 0


def test_a_database_that_is_away_costs_applications_nothing_but_time(serve, own_postgres):
    url = own_postgres.get_uri().replace("postgresql://", "postgresql+psycopg://")
    migrate(url)
    served = serve(url)
    app, browser = register(served), served.signed_in("google", "grace")
    tokens = app.tokens(browser)
    code = app.sign_in(browser)["code"]
    before = served.rows("SELECT * FROM grants ORDER BY id")
    own_postgres.stop()
    try:
        for answer in (app.exchange(code), app.refresh(tokens.refresh)):
            assert_unavailable(answer.status, answer.document, answer.headers)
        asked = [app.post(each, {"token": tokens.access}) for each in ("introspect", "revoke")]
        for got in (*asked, app.userinfo(tokens.access)):
            assert_unavailable(got.status_code, got.json(), got.headers)
        # Who asks is not known without the database, so nobody is sent anywhere.
        page = browser.fetch("/oauth2/authorize", params=app.authorization())
        assert (page.status, page.location) == (503, "")
        time.sleep(PING_AFTER_IDLE_SECONDS)
    finally:
        own_postgres.start()
    assert served.rows("SELECT * FROM grants ORDER BY id") == before
    assert app.exchange(code).status == 200
    assert app.refresh(tokens.refresh).status == 200
    assert "code" in query_of(app.ask(browser).location)
    served.assert_no_bug()
