"""Public client libraries sign people in through the site, as their documentation says."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

import pytest
import requests
from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from flask import Flask, jsonify, redirect, request, session, url_for
from flask_dance.consumer import OAuth2ConsumerBlueprint
from requests_oauthlib import OAuth2Session
from werkzeug.serving import make_server

from simulator.server import Quiet
from tests.browser import Browser, Page
from tests.issuer.keyed import Keyed, make_key, write
from tests.issuer.relying_party import App, allow
from tests.site import Site
from tests.system.clients import pages

# Their warnings about http on loopback are not ours.
pytestmark = pytest.mark.filterwarnings("default")


class Served:
    """A Flask application of a client, served on loopback."""

    def __init__(self) -> None:
        self.app = Flask(__name__)
        self.app.secret_key = "a secret key for tests only and long enough"
        self.app.config["SESSION_COOKIE_NAME"] = "of_the_client"
        self._server = make_server("127.0.0.1", 0, self.app, threaded=True, request_handler=Quiet)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setitem(os.environ, "OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setitem(os.environ, "OAUTHLIB_RELAX_TOKEN_SCOPE", "1")
    client = Served()
    yield client
    client.stop()


def follow(browser: Browser, url: str) -> Page:
    """Load a page of a client; redirects are followed wherever they lead, and consent given."""
    page = browser.fetch(url)
    for _ in range(12):
        if page.status in (302, 303):
            page = browser.fetch(urljoin(page.url, page.location))
        elif "/oauth2/continue/" in page.url:
            page = allow(browser, page)
        else:
            return page
    raise AssertionError(page)


def test_authlib_in_flask_signs_people_in(site: Site, grace: Browser, served: Served) -> None:
    app = App(site, "Notes", "--redirect-uri", f"{served.url}/callback")
    oauth = OAuth(served.app)
    oauth.register(
        "quickstep",
        server_metadata_url=f"{site.url}/.well-known/openid-configuration",
        client_id=app.client_id,
        client_secret=app.secret,
        client_kwargs={"scope": "openid profile email", "code_challenge_method": "S256"},
    )

    @served.app.get("/login")
    def login() -> Any:
        return oauth.quickstep.authorize_redirect(url_for("callback", _external=True))

    @served.app.get("/callback")
    def callback() -> Any:
        token = oauth.quickstep.authorize_access_token()
        return jsonify(token["userinfo"])

    page = follow(grace, f"{served.url}/login")
    told = page.response.json()
    assert told["sub"] == grace.user_id
    assert told["nonce"]


def test_authlib_with_requests_refreshes_and_revokes(site: Site, grace: Browser) -> None:
    app = App(site, "Notes")
    client = AuthlibSession(
        app.client_id,
        app.secret,
        scope="openid email offline_access",
        redirect_uri=app.redirect_uri,
        code_challenge_method="S256",
    )
    client.trust_env = False
    url, state = client.create_authorization_url(
        f"{site.url}/oauth2/authorize", code_verifier=app.verifier
    )
    answer = allow(grace, grace.get(url)).location
    token = client.fetch_token(
        f"{site.url}/oauth2/token",
        authorization_response=answer,
        state=state,
        code_verifier=app.verifier,
    )
    assert client.get(f"{site.url}/oauth2/userinfo").json()["sub"] == grace.user_id
    again = client.refresh_token(f"{site.url}/oauth2/token", token["refresh_token"])
    assert again["refresh_token"] != token["refresh_token"]
    assert client.introspect_token(f"{site.url}/oauth2/introspect", again["access_token"]).json()[
        "active"
    ]
    client.revoke_token(f"{site.url}/oauth2/revoke", again["refresh_token"])
    assert not app.is_active(again["access_token"])


def test_authlib_authenticates_by_its_key_as_the_page_says(
    site: Site, grace: Browser, tmp_path: Path
) -> None:
    key = make_key()
    files = ("--jwks", write(tmp_path / "jwks.json", key))
    app = Keyed(site, key, *files, "--grant", "authorization_code", "--grant", "refresh_token")
    names: dict[str, Any] = {}
    exec(pages.files("apps")["key_jwt.py"], names)
    client = AuthlibSession(
        app.client_id,
        key,
        scope="openid offline_access",
        redirect_uri=app.redirect_uri,
        code_challenge_method="S256",
        token_endpoint_auth_method="private_key_jwt",
        revocation_endpoint_auth_method="private_key_jwt",
    )
    client.trust_env = False
    client.register_client_auth_method(names["KeyJWT"](site.url, alg="ES256"))
    token = client.fetch_token(
        f"{site.url}/oauth2/token",
        code=app.sign_in(grace, scope="openid offline_access")["code"],
        code_verifier=app.verifier,
    )
    again = client.refresh_token(f"{site.url}/oauth2/token", token["refresh_token"])
    assert app.is_active(again["access_token"])
    client.revoke_token(f"{site.url}/oauth2/revoke", again["refresh_token"])
    assert not app.is_active(again["access_token"])


def test_requests_oauthlib_signs_people_in(site: Site, grace: Browser, served: Served) -> None:
    app = App(site, "Notes")
    client = OAuth2Session(
        app.client_id,
        scope=["openid", "email"],
        redirect_uri=app.redirect_uri,
        pkce="S256",
    )
    client.trust_env = False
    url, _state = client.authorization_url(f"{site.url}/oauth2/authorize", nonce="n")
    answer = allow(grace, grace.get(url)).location
    token = client.fetch_token(
        f"{site.url}/oauth2/token", authorization_response=answer, client_secret=app.secret
    )
    assert app.claims(token["id_token"])["sub"] == grace.user_id
    assert client.get(f"{site.url}/oauth2/userinfo").json()["email"] == "grace@navy.example"
    again = client.refresh_token(f"{site.url}/oauth2/token", auth=(app.client_id, app.secret or ""))
    assert again["access_token"] != token["access_token"]


def test_flask_dance_signs_people_in(site: Site, grace: Browser, served: Served) -> None:
    callback = f"{served.url}/login/quickstep/authorized"
    app = App(site, "Notes", "--redirect-uri", callback)
    blueprint = OAuth2ConsumerBlueprint(
        "quickstep",
        __name__,
        client_id=app.client_id,
        client_secret=app.secret,
        base_url=f"{site.url}/oauth2/",
        token_url=f"{site.url}/oauth2/token",
        authorization_url=f"{site.url}/oauth2/authorize",
        scope=["openid", "email"],
        redirect_url="/me",
        use_pkce=True,
        code_challenge_method="S256",
    )
    blueprint.session.trust_env = False
    served.app.register_blueprint(blueprint, url_prefix="/login")

    @served.app.get("/me")
    def me() -> Any:
        return jsonify(blueprint.session.get("userinfo").json())

    page = follow(grace, f"{served.url}/login/quickstep")
    assert page.response.json()["sub"] == grace.user_id


def test_a_server_of_plain_requests_signs_people_in_by_the_metadata_alone(
    site: Site, grace: Browser, served: Served
) -> None:
    """What a developer without a library does."""
    about = requests.get(f"{site.url}/.well-known/oauth-authorization-server", timeout=60).json()
    app = App(site, "Notes", "--redirect-uri", f"{served.url}/callback")

    @served.app.get("/login")
    def login() -> Any:
        query = urlencode(app.authorization())
        return redirect(f"{about['authorization_endpoint']}?{query}")

    @served.app.get("/callback")
    def callback() -> Any:
        assert request.args["iss"] == about["issuer"]
        session["tokens"] = app.exchange(request.args["code"]).document
        answer = requests.get(
            about["userinfo_endpoint"],
            headers={"Authorization": f"Bearer {session['tokens']['access_token']}"},
            timeout=60,
        )
        return jsonify(answer.json())

    assert follow(grace, f"{served.url}/login").response.json()["sub"] == grace.user_id
