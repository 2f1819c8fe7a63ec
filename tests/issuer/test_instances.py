"""Two instances on one database: what one has spent or ended, the other refuses in its next
answer."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

import app as quickstep
import config
from providers import PROVIDERS
from storage import db
from tests.browser import Browser
from tests.eavesdropper import EAR
from tests.issuer.relying_party import App
from tests.site import Site


@pytest.fixture
def second(both: Site) -> Iterator[Flask]:
    """Another instance of the same site."""
    application = quickstep.create_app(config.load(PROVIDERS.values(), both._variables, None))
    yield application
    application.extensions["jobs"].stop()
    with application.app_context():
        db.engine.dispose()


@pytest.fixture
def app(both: Site) -> App:
    return App(both)


@pytest.fixture
def grace(both: Site) -> Browser:
    browser = both.browser()
    browser.sign_in("google", "grace")
    return browser


def post(second: Flask, app: App, endpoint: str, **form: str) -> dict[str, Any]:
    """Ask the second instance."""
    with second.test_client() as client:
        answer = client.post(
            f"/oauth2/{endpoint}", data=form, auth=(app.client_id, app.secret or "")
        )
    document = dict(answer.get_json())
    EAR.learn(*(str(document.get(name, "")) for name in ("access_token", "refresh_token")))
    return document


def at_once(*verbs: Callable[[], Any]) -> list[Any]:
    barrier = threading.Barrier(len(verbs))

    def run(verb: Callable[[], Any]) -> Any:
        barrier.wait(60)
        return verb()

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(run, verbs))


def test_one_code_gives_tokens_once_on_two_instances(app, grace, second):
    form = {
        "grant_type": "authorization_code",
        "code": app.sign_in(grace)["code"],
        "redirect_uri": app.redirect_uri,
        "code_verifier": app.verifier,
    }
    here = [lambda: app.token(**form).document] * 25
    there = [lambda: post(second, app, "token", **form)] * 25
    answers = at_once(*here, *there)
    assert sorted(each.get("error", "") for each in answers) == [""] + ["invalid_grant"] * 49


def test_one_refresh_token_has_one_successor_on_two_instances(app, grace, second):
    form = {"grant_type": "refresh_token", "refresh_token": app.tokens(grace).refresh}
    here = [lambda: app.token(**form).document] * 25
    there = [lambda: post(second, app, "token", **form)] * 25
    answers = at_once(*here, *there)
    (heir,) = {each["refresh_token"] for each in answers}
    assert "access_token" in post(
        second, app, "token", grant_type="refresh_token", refresh_token=heir
    )


def test_an_end_counts_on_the_other_instance_in_its_next_answer(app, grace, second):
    tokens = app.tokens(grace)
    assert post(second, app, "introspect", token=tokens.access)["active"]
    grace.sign_out()
    assert post(second, app, "introspect", token=tokens.access) == {"active": False}
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh}
    assert post(second, app, "token", **form)["error"] == "invalid_grant"
