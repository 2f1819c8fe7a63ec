"""One loopback server with every look-alike on it, and the settings that lead to them."""

import json
import threading
from collections.abc import Iterable
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from flask import Flask, Response, jsonify, render_template
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from simulator import firebase
from simulator.catalogue import LOOK_ALIKES, NAMED_ISSUERS
from simulator.firebase import Firebase
from simulator.protocol import Client, LookAlike

PORTS_TRIED = 10


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class Server:
    """A running server. ``url`` is its origin; ``server.google`` and so on are its look-alikes,
    to be looked into, where they run in this process."""

    def __init__(self, url: str = "", look_alikes: Iterable[LookAlike] = ()) -> None:
        self.url = url
        self.look_alikes = {each.name: each for each in look_alikes}
        self.firebase = Firebase()
        self.wsgi: BaseWSGIServer | None = None

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["look_alikes"][name]
        except KeyError:
            raise AttributeError(name) from None

    def stop(self) -> None:
        if self.wsgi:
            self.wsgi.shutdown()
            self.wsgi.server_close()


def client_of(look_alike: type[LookAlike], public_url: str) -> Client:
    """How the site at ``public_url`` is registered at a look-alike."""
    name = look_alike.name
    return Client(
        f"look-alike-{name}-client",
        f"look-alike-{name}-secret",
        (f"{public_url}/login/{look_alike.site_name or name}/authorized",),
    )


def serve_in_background(port: int, public_url: str) -> Server:
    """Start the look-alikes for the site at ``public_url``, on a loopback port near ``port``
    (0: any). Where an equal server of another process listens already, use that one.

    Raises OSError when no port is free.
    """
    classes = LOOK_ALIKES + NAMED_ISSUERS
    server = Server(look_alikes=[each(client_of(each, public_url)) for each in classes])
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
        for name, look_alike in server.look_alikes.items():
            look_alike.url = f"{server.url}/{name}"
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
    for look_alike in server.look_alikes.values():
        app.register_blueprint(look_alike.routes())
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


def environment(url: str, *names: str) -> dict[str, str]:
    """The settings, by variable, that make a Quickstep use the look-alikes at ``url``: all of
    them that demo mode shows, or those of these names."""
    values: dict[str, str] = {}
    for look_alike in LOOK_ALIKES + (NAMED_ISSUERS if names else ()):
        name = look_alike.name
        if name not in names and (names or not look_alike.in_demo):
            continue
        given = {
            **look_alike.credentials(client_of(look_alike, "")),
            **look_alike.settings(f"{url}/{name}"),
        }
        for variable, value in given.items():
            lists = variable == "OIDC_PROVIDERS" and variable in values
            values[variable] = f"{values[variable]},{value}" if lists else value
    if not names or "firebase" in names:
        values |= firebase.settings(f"{url}/firebase")
    return values
