"""One loopback server with every fake provider, and the settings that lead to them."""

import json
import socket
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from flask import Flask, Response, jsonify, render_template
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from simulator import apps, firebase, gated, mailbox
from simulator.catalogue import LOOK_ALIKES, NAMED_ISSUERS
from simulator.clients import Client
from simulator.firebase import Firebase
from simulator.protocol import LookAlike
from simulator.routes import Application
from simulator.visit import Callback

PORTS_TRIED = 10


class Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class UnknownProvider(LookupError):
    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"there is no fake provider {name!r}; there are {', '.join(known)}")


class Server:
    """A running server. ``url`` is its origin; ``server.google`` and so on are its providers, which
    tests may inspect if they run in this process."""

    def __init__(self, url: str = "", look_alikes: Iterable[LookAlike] = ()) -> None:
        self.url = url
        self.look_alikes = {each.name: each for each in look_alikes}
        self.firebase = Firebase()
        # Applications that sign people in at somebody who registers them (simulator/apps.py).
        self.apps = {name: apps.App(name) for name in apps.NAMES}
        # One that asks a gate about each request (simulator/gated.py).
        self.wiki = gated.Wiki()
        # A mail server of which all mail can be read (simulator/mailbox.py).
        self.mailbox = mailbox.Mailbox()
        self.wsgi: BaseWSGIServer | None = None

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["look_alikes"][name]
        except KeyError:
            raise AttributeError(name) from None

    def register(self, provider: str, *redirect_uris: str) -> None:
        """Register a redirect URI at a provider."""
        self._named(provider).register(*redirect_uris)

    def choose(
        self, authorization_url: str, person: str, behave: str = "", **form: str
    ) -> Callback:
        """Play a person at the provider of this URL; return where the browser is sent to."""
        name = urlsplit(authorization_url).path.split("/")[1:2]
        return self._named("".join(name)).choose(authorization_url, person, behave, **form)

    def _named(self, provider: str) -> LookAlike:
        if provider not in self.look_alikes:
            raise UnknownProvider(provider, self.look_alikes)
        return self.look_alikes[provider]

    @property
    def origins(self) -> str:
        """Return the origins that its pages may lead to, for the browser."""
        clients = [each.client for each in self.look_alikes.values()]
        uris = [urlsplit(uri) for client in clients for uri in client.redirect_uris]
        return " ".join(dict.fromkeys(f"{uri.scheme}://{uri.netloc}" for uri in uris))

    def stop(self) -> None:
        if self.wsgi:
            self.wsgi.shutdown()
            self.wsgi.server_close()
        self.mailbox.stop()


def client_of(look_alike: type[LookAlike], public_url: str) -> Client:
    """Return the registration of the site at ``public_url``, with Flask-Dance's callback path;
    without a site, one without redirect URIs."""
    name = look_alike.name
    uri = f"{public_url}/login/{look_alike.site_name or name}/authorized"
    return Client(
        f"look-alike-{name}-client", f"look-alike-{name}-secret", (uri,) if public_url else ()
    )


def start(port: int = 0, public_url: str = "", names: Iterable[str] = ()) -> Server:
    """Start the providers of these names (none: all) on this loopback port (0: any), for the site
    at ``public_url``, if there is one.

    Raises OSError if the port is taken, and UnknownProvider.
    """
    classes = {each.name: each for each in LOOK_ALIKES + NAMED_ISSUERS}
    names = tuple(names) or tuple(classes)
    for name in names:
        if name not in classes:
            raise UnknownProvider(name, classes)
    server = Server(look_alikes=[classes[n](client_of(classes[n], public_url)) for n in names])
    # Use our own socket: Werkzeug ends the process if the port is taken.
    with socket.create_server(("127.0.0.1", port)) as listener:
        server.url = "http://{}:{}".format(*listener.getsockname())
        server.wsgi = make_server(
            *("127.0.0.1", port, FromTheRoot(Parts(server, public_url), server)),
            threaded=True,
            request_handler=Quiet,
            fd=listener.fileno(),
        )
    for name, look_alike in server.look_alikes.items():
        look_alike.url = f"{server.url}/{name}"
    for name, demo_app in server.apps.items():
        demo_app.url = f"{server.url}/apps/{name}"
    server.wiki.url = f"{server.url}/wiki"
    threading.Thread(target=server.wsgi.serve_forever, args=(0.05,), daemon=True).start()
    return server


def serve_in_background(port: int, public_url: str) -> Server:
    """Start the providers for the site at ``public_url``, on a loopback port near ``port`` (0:
    any). If an equal server of another process already listens, use that one.

    Raises OSError if no port is free.
    """
    for candidate in range(port, port + (PORTS_TRIED if port else 1)):
        if candidate and (about := _about(candidate)) and about.get("for") == public_url:
            other = Server(f"http://127.0.0.1:{candidate}")
            other.mailbox.port = about.get("mail_port", 0)
            return other
        with suppress(OSError):
            server = start(candidate, public_url)
            server.mailbox.start()
            return server
    raise OSError(f"no free port between {port} and {port + PORTS_TRIED - 1}")


def _about(port: int) -> dict[str, Any]:
    """Return what an equal server on this port says about itself; empty if there is none."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/look-alikes.json", timeout=1) as answer:
            said = json.load(answer)
            return said if isinstance(said, dict) else {}
    except (URLError, OSError, ValueError):
        return {}


class Parts:
    """A WSGI application of one Flask application for each provider, made when it is first asked
    for: compiling all of their routes takes longer than most tests."""

    def __init__(self, server: Server, public_url: str) -> None:
        self._server, self._url = server, public_url
        self._made: dict[str, Flask] = {}
        self._lock = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        name = environ.get("PATH_INFO", "/").strip("/").split("/")[0]
        return self._part(name if name in self._names else "")(environ, start_response)

    @property
    def _names(self) -> tuple[str, ...]:
        return (*self._server.look_alikes, "firebase", "apps", mailbox.PATH, *gated.PATHS)

    def _part(self, name: str) -> Flask:
        with self._lock:
            if name not in self._made:
                self._made[name] = create_app(self._server, self._url, name)
            return self._made[name]


def create_app(server: Server, public_url: str, name: str) -> Flask:
    """Create the application of one provider, or of what all share (no name)."""
    app = Application(__name__)
    if name == "firebase":
        app.register_blueprint(firebase.blueprint(server.firebase))
    elif name == "apps":
        app.register_blueprint(apps.blueprint(server.apps, server.wiki))
    elif name == mailbox.PATH:
        app.register_blueprint(mailbox.blueprint(server.mailbox))
    elif name in gated.PATHS:
        app.register_blueprint(gated.blueprint(server.wiki))
    elif name:
        app.register_blueprint(server.look_alikes[name].routes())
    else:
        add_own_pages(app, public_url, server.mailbox)

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers.setdefault(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
            f"form-action 'self' {server.origins}; frame-ancestors 'none'",
        )
        return response

    return app


def add_own_pages(app: Flask, public_url: str, box: mailbox.Mailbox) -> None:
    @app.get("/")
    def home() -> str:
        return render_template("home.html", site=public_url)

    @app.get("/look-alikes.json")
    def about() -> Response:
        return jsonify({"for": public_url, "mail_port": box.port})


class FromTheRoot:
    """Finds the provider of an API request by its access token if the path begins at the root of
    the host: ``blueprint.session.get("/user")``, as in Flask-Dance's guides."""

    def __init__(self, inner: Any, server: Server) -> None:
        self.inner, self.server = inner, server

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        asked, path = environ, environ.get("PATH_INFO", "/")
        token = environ.get("HTTP_AUTHORIZATION", "").rpartition(" ")[2]
        if token and path.strip("/").split("/")[0] not in (*self.server.look_alikes, "firebase"):
            asked = {**environ, "PATH_INFO": self.base_of(token) + path}
        return self.inner(asked, start_response)

    def base_of(self, token: str) -> str:
        for look_alike in self.server.look_alikes.values():
            if token in look_alike.tokens:
                api = look_alike.endpoints.api or look_alike.url
                return urlsplit(api).path.rstrip("/")
        return ""


def environment(url: str, *names: str) -> dict[str, str]:
    """Return the settings, by variable, that make a Quickstep use the providers at ``url``: all
    that demo mode shows, or those of these names."""
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


def mail_settings(server: Server) -> dict[str, str]:
    """Return the settings, by variable, that make a Quickstep send its mail to a server's mailbox;
    none if that does not run."""
    if not server.mailbox.port:
        return {}
    url = f"smtp://127.0.0.1:{server.mailbox.port}"
    return {"MAIL_URL": url, "MAIL_FROM": "Quickstep <no-reply@quickstep.example>"}
