"""The test kit for other projects: a separate process, and the pytest plugin, with applications of
other libraries."""

import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Flask, jsonify, redirect, session, url_for
from flask_dance.consumer import OAuth2ConsumerBlueprint
from flask_dance.contrib.github import make_github_blueprint

import simulator
from simulator.catalogue import LOOK_ALIKES
from simulator.misbehaviour import ANSWERS
from simulator.people import PEOPLE
from tests.browser import query_of
from tests.processes import ended

ROOT = Path(__file__).parents[2]
CALLBACK = "http://localhost:8000/accounts/github/login/callback/"
ADA_AT_GITHUB = PEOPLE["ada"].subject("github", 8)


# A separate process.


IGNORING_SIGNALS = ["sh", "-c", 'trap "" INT TERM; exec "$@"', "sh"]


@contextmanager
def running(
    *arguments: str,
    folder: Path = ROOT,
    started_by: Sequence[str] = (),
    ended_by: signal.Signals = signal.SIGINT,
) -> Iterator[dict[str, Any]]:
    """``python -m simulator --json``, which a signal then ends."""
    command = [*started_by, sys.executable, "-m", "simulator", "--json", *arguments]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with ended(process):
        assert process.stdout
        line = process.stdout.readline()
        yield json.loads(line)
        process.send_signal(ended_by)
        _, complaints = process.communicate(timeout=10)
        assert (process.returncode, complaints.strip()) == (0, "Ended.")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    command = [sys.executable, "-m", "simulator", *arguments]
    return subprocess.run(
        command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=20
    )


def sign_in_by_hand(github: dict[str, Any], redirect_uri: str) -> dict[str, Any]:
    """Make the three requests of a sign-in; return the user's profile."""
    asked = {"client_id": github["client_id"], "redirect_uri": redirect_uri, "state": "s"}
    url = requests.Request("GET", github["authorization"], params=asked | {"response_type": "code"})
    callback = simulator.choose(str(url.prepare().url), "ada")
    assert callback.startswith(redirect_uri)
    answer = query_of(callback)
    assert answer["state"] == "s"
    form = {"grant_type": "authorization_code", "code": answer["code"]}
    form |= {"redirect_uri": redirect_uri, "client_id": github["client_id"]}
    form["client_secret"] = github["client_secret"]
    accept = {"Accept": "application/json"}
    token = requests.post(github["token"], data=form, headers=accept, timeout=5).json()
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    return dict(requests.get(f"{github['api']}user", headers=bearer, timeout=5).json())


def test_a_separate_simulator_process_signs_somebody_in():
    with running("--port", "0", "--provider", "github", "--redirect-uri", CALLBACK) as told:
        assert list(told["providers"]) == ["github"]
        assert urlsplit(told["url"]).hostname == "127.0.0.1"
        github = told["providers"]["github"]
        assert str(sign_in_by_hand(github, CALLBACK)["id"]) == ADA_AT_GITHUB
        with pytest.raises(simulator.Refused, match="redirect URI is not registered"):
            sign_in_by_hand(github, CALLBACK.rstrip("/"))


def test_a_copy_of_the_simulator_folder_runs_alone(tmp_path):
    shutil.copytree(ROOT / "simulator", tmp_path / "simulator")
    with running("--port", "0", "--provider", "google", folder=tmp_path) as told:
        google = told["providers"]["google"]
        metadata = requests.get(google["metadata"], timeout=5).json()
        assert metadata["issuer"] == google["issuer"]
        assert metadata["jwks_uri"] == google["jwks"]
        assert google["redirect_uris"] == ["http://localhost:5000/login/google/authorized"]


@pytest.mark.parametrize("started_by", [[], IGNORING_SIGNALS], ids=["plainly", "signals ignored"])
@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM])
def test_sigint_and_sigterm_end_the_simulator_even_if_it_inherited_ignored_signals(
    started_by, ended_by
):
    """A shell starts background jobs with SIGINT ignored, and so do some CI runners."""
    with running("--port", "0", started_by=started_by, ended_by=ended_by) as told:
        assert requests.get(told["url"], timeout=5).status_code == 200


def test_wrong_arguments_of_the_simulator_are_explained():
    unknown = run("--provider", "githu")
    assert unknown.returncode == 2
    assert "there is no fake provider 'githu'; there are google" in unknown.stderr
    crooked = run("--port", "0", "--redirect-uri", "/callback")
    assert crooked.returncode == 2
    assert "'/callback' is no redirect URI" in crooked.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = run("--port", port, "--provider", "github")
    assert refused.returncode == 1
    assert refused.stderr == f"Port {port} is not to be had: Address already in use.\n"


def test_the_simulator_lists_all_providers():
    listed = run("--list").stdout
    assert all(each.name in listed and each.label in listed for each in LOOK_ALIKES)


# The plugin, with applications of other libraries.


def app_of_flask_dance(blueprint: OAuth2ConsumerBlueprint) -> Flask:
    """An application as in Flask-Dance's quickstart, with its absolute path."""
    app = Flask(__name__)
    app.secret_key = "a secret key for tests only"
    app.register_blueprint(blueprint, url_prefix="/login")

    @app.get("/")
    def me() -> Any:
        return jsonify(blueprint.session.get("/user").json() if blueprint.session.token else None)

    return app


@pytest.fixture
def stock(look_alikes, plain_http) -> Flask:
    """An application with the blueprint that Flask-Dance makes for GitHub."""
    blueprint = make_github_blueprint(scope="read:user", redirect_url="/")
    look_alikes.register("github", "http://localhost/login/github/authorized")
    look_alikes.github.lead(blueprint)
    return app_of_flask_dance(blueprint)


def test_a_stock_flask_dance_app_signs_somebody_in(look_alikes, stock):
    visitor = stock.test_client()
    callback = look_alikes.github.choose(visitor.get("/login/github").location, "ada")
    assert visitor.get(callback).location == "/"
    assert visitor.get("/").get_json()["login"] == "ada"
    assert look_alikes.github.seen == ["token", "user"]


def test_a_stock_flask_dance_app_sees_that_the_user_cancelled(look_alikes, stock):
    visitor = stock.test_client()
    callback = look_alikes.github.cancel(visitor.get("/login/github").location)
    assert query_of(callback)["error"] == "access_denied"
    assert visitor.get(callback).status_code == 302
    assert visitor.get("/").json is None


def test_the_simulator_misbehaves_on_request(look_alikes, stock):
    visitor = stock.test_client()
    start = visitor.get("/login/github").location
    callback = look_alikes.github.choose(start, "ada", behave="token:refuses_client")
    assert visitor.get(callback).status_code == 500
    look_alikes.github.answer("profile", "status_503")
    callback = look_alikes.github.choose(visitor.get("/login/github").location, "ada")
    visitor.get(callback)
    assert visitor.get("/").json == {"message": "maintenance"}


def app_of_authlib(client: Callable[[OAuth], Any]) -> Flask:
    """An application as in Authlib's guide for Flask."""
    app = Flask(__name__)
    app.secret_key = "a secret key for tests only"
    remote = client(OAuth(app))

    @app.get("/login")
    def login() -> Any:
        return remote.authorize_redirect(url_for("back", _external=True))

    @app.get("/back")
    def back() -> Any:
        try:
            token = remote.authorize_access_token()
        except OAuthError as error:
            return jsonify(error=error.error), 400
        session["me"] = token.get("userinfo") or remote.get("user", token=token).json()
        return redirect("/")

    app.add_url_rule("/", view_func=lambda: jsonify(session.get("me")), endpoint="me")
    return app


@pytest.fixture
def at_google(look_alikes, plain_http) -> Flask:
    look_alikes.register("google", "http://localhost/back")
    scopes = {"scope": "openid email profile", "code_challenge_method": "S256"}
    return app_of_authlib(
        lambda oauth: oauth.register("google", **look_alikes.google.authlib(), client_kwargs=scopes)
    )


def test_an_authlib_app_signs_somebody_in_at_google(look_alikes, at_google):
    visitor = at_google.test_client()
    callback = look_alikes.google.choose(visitor.get("/login").location, "grace")
    assert visitor.get(callback).location == "/"
    me = visitor.get("/").get_json()
    assert (me["email"], me["hd"]) == ("grace@navy.example", "navy.example")


def test_an_authlib_app_signs_somebody_in_at_github(look_alikes, plain_http):
    look_alikes.register("github", "http://localhost/back")
    words = look_alikes.github.authlib()
    visitor = app_of_authlib(lambda oauth: oauth.register("github", **words)).test_client()
    callback = look_alikes.github.choose(visitor.get("/login").location, "ada")
    assert visitor.get(callback).location == "/"
    assert visitor.get("/").get_json()["login"] == "ada"


def test_an_authlib_app_sees_that_the_user_cancelled(look_alikes, at_google):
    visitor = at_google.test_client()
    answer = visitor.get(look_alikes.google.cancel(visitor.get("/login").location))
    assert (answer.status_code, answer.json) == (400, {"error": "access_denied"})


@pytest.mark.parametrize("flaw", ["other_key_same_kid", "other_audience", "expired"])
def test_an_authlib_app_refuses_a_flawed_id_token(look_alikes, at_google, flaw):
    visitor = at_google.test_client()
    start = visitor.get("/login").location
    callback = look_alikes.google.choose(start, "ada", behave=f"id_token:{flaw}")
    assert visitor.get(callback).status_code == 500
    assert visitor.get("/").json is None


# The kit's own rules.


def test_a_misspelt_instruction_to_the_simulator_is_an_error(look_alikes):
    url = look_alikes.github.endpoints.authorization
    with pytest.raises(ValueError, match="no misbehaviour 'token:statu_500'"):
        look_alikes.github.choose(url, "ada", behave="token:statu_500")
    with pytest.raises(ValueError, match="nobody is called 'adda'"):
        look_alikes.github.choose(url, "adda")
    with pytest.raises(ValueError, match="no answer 'status_499'"):
        look_alikes.github.answer("token", "status_499")
    with pytest.raises(simulator.Refused, match="is not an address of the fake google"):
        look_alikes.google.choose(url, "ada")
    with pytest.raises(simulator.UnknownProvider, match="githu"):
        look_alikes.register("githu", CALLBACK)


@pytest.mark.parametrize("uri", ["/callback", "http://host/path#fragment", "ftp://host/x", ""])
def test_an_invalid_redirect_uri_is_refused(look_alikes, uri):
    with pytest.raises(ValueError, match="is no redirect URI"):
        look_alikes.register("github", uri)


def test_every_fake_provider_publishes_its_endpoints(look_alikes):
    for look_alike in look_alikes.look_alikes.values():
        at = look_alike.endpoints.present()
        assert {"authorization", "token"} <= set(at), look_alike.name
        assert all(url.startswith(f"{look_alike.url}/") for n, url in at.items() if n != "issuer")
        assert not any(set(url) & set("{}<>") for url in at.values())
        if "metadata" in at:
            assert requests.get(at["metadata"], timeout=5).json()["jwks_uri"] == at["jwks"]


def test_a_form_post_callback_carries_its_form(look_alikes):
    look_alikes.register("apple", CALLBACK)
    apple = look_alikes.apple
    asked = {"client_id": apple.client_id, "redirect_uri": CALLBACK, "response_type": "code"}
    asked |= {"response_mode": "form_post", "state": "s", "scope": "openid"}
    url = requests.Request("GET", apple.endpoints.authorization, params=asked).prepare().url
    callback = apple.choose(str(url), "ada")
    assert callback == CALLBACK
    form = {"grant_type": "authorization_code", "client_id": apple.client_id}
    form |= {"code": callback.form["code"], "client_secret": apple.client_secret}
    token = requests.post(apple.endpoints.token, form | {"redirect_uri": CALLBACK}, timeout=5)
    assert "id_token" in token.json()


def test_the_testing_guide_names_every_person_and_misbehaviour(look_alikes):
    guide = (ROOT / "docs" / "integrate" / "testing.md").read_text(encoding="utf-8")
    names = {*ANSWERS, *PEOPLE, *look_alikes.google.flaws}
    own = {fault for each in look_alikes.look_alikes.values() for fault in each.own_faults}
    assert [name for name in sorted(names | own) if f"`{name}`" not in guide] == []


def test_one_fake_server_can_serve_a_whole_test_run(session_look_alikes):
    assert requests.get(session_look_alikes.url, timeout=5).status_code == 200
