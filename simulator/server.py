"""One loopback server with every look-alike on it, and the settings that lead to them."""

import json
import threading
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from flask import Flask, Response, jsonify, render_template
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from simulator import facebook, firebase, github, google
from simulator.facebook import Facebook
from simulator.firebase import PROJECT_ID, Firebase
from simulator.github import GitHub
from simulator.google import Google
from simulator.protocol import Client

PORTS_TRIED = 10


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@dataclass
class Server:
    """A running server. ``url`` is its origin; the look-alikes are there to be looked into."""

    url: str
    google: Google | None = None
    facebook: Facebook | None = None
    github: GitHub | None = None
    firebase: Firebase | None = None
    wsgi: BaseWSGIServer | None = None

    def stop(self) -> None:
        if self.wsgi:
            self.wsgi.shutdown()
            self.wsgi.server_close()


def serve_in_background(port: int, public_url: str) -> Server:
    """Start the look-alikes for the site at ``public_url``, on a loopback port near ``port``
    (0: any). Where an equal server of another process listens already, use that one.

    Raises OSError when no port is free.
    """
    clients = {
        name: Client(
            f"look-alike-{name}-client",
            f"look-alike-{name}-secret",
            (f"{public_url}/login/{name}/authorized",),
        )
        for name in ("google", "facebook", "github")
    }
    server = Server(
        "",
        Google(clients["google"]),
        Facebook(clients["facebook"]),
        GitHub(clients["github"]),
        Firebase(),
    )
    app = create_app(server, public_url)
    for candidate in range(port, port + (PORTS_TRIED if port else 1)):
        if candidate and _serves(candidate, public_url):
            return Server(f"http://127.0.0.1:{candidate}")
        try:
            server.wsgi = make_server(
                "127.0.0.1", candidate, app, threaded=True, request_handler=Quiet
            )
        except (OSError, SystemExit):
            continue
        server.url = f"http://127.0.0.1:{server.wsgi.server_port}"
        assert server.google
        server.google.url = f"{server.url}/google"
        threading.Thread(target=server.wsgi.serve_forever, args=(0.05,), daemon=True).start()
        return server
    raise OSError(f"no free port between {port} and {port + PORTS_TRIED - 1}")


def _serves(port: int, public_url: str) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/look-alikes.json", timeout=1) as answer:
            return bool(json.load(answer).get("for") == public_url)
    except (URLError, OSError, ValueError, AttributeError):
        return False


def create_app(server: Server, public_url: str) -> Flask:
    app = Flask(__name__)
    assert server.google
    assert server.facebook
    assert server.github
    assert server.firebase
    app.register_blueprint(google.blueprint(server.google))
    app.register_blueprint(facebook.blueprint(server.facebook))
    app.register_blueprint(github.blueprint(server.github))
    app.register_blueprint(firebase.blueprint(server.firebase))

    @app.get("/")
    def home() -> str:
        return render_template("home.html", site=public_url)

    @app.get("/look-alikes.json")
    def about() -> Response:
        return jsonify({"for": public_url})

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
            f"form-action 'self' {public_url}; frame-ancestors 'none'"
        )
        return response

    return app


def environment(url: str) -> dict[str, Any]:
    """The settings, by variable, that make a Quickstep use the look-alikes at ``url``."""
    values = {"GOOGLE_ISSUER": f"{url}/google"}
    values |= {
        "FACEBOOK_AUTHORIZATION_URL": f"{url}/facebook/{{version}}/dialog/oauth",
        "FACEBOOK_TOKEN_URL": f"{url}/facebook/{{version}}/oauth/access_token",
        "FACEBOOK_API_URL": f"{url}/facebook/{{version}}/",
        "GITHUB_AUTHORIZATION_URL": f"{url}/github/login/oauth/authorize",
        "GITHUB_TOKEN_URL": f"{url}/github/login/oauth/access_token",
        "GITHUB_API_URL": f"{url}/github/api/",
    }
    for name in ("google", "facebook", "github"):
        values[f"{name.upper()}_CLIENT_ID"] = f"look-alike-{name}-client"
        values[f"{name.upper()}_CLIENT_SECRET"] = f"look-alike-{name}-secret"
    values["FIREBASE_PROJECT_ID"] = PROJECT_ID
    values["FIREBASE_JWKS_URL"] = f"{url}/firebase/jwk"
    return values
