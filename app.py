"""Wiring: settings, extensions, connectors, blueprints. No routes and no rules here."""

import socket
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import structlog
from flask import Flask
from pydantic import SecretStr
from sqlalchemy import URL, make_url
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.serving import WSGIRequestHandler, make_server

import commands
import config
import simulator
from accounts import cleanup
from accounts.rules import Policy
from accounts.sessions import LIFETIME_DAYS
from commands import migrations
from config import processes
from config.settings import ROOT, Settings
from errors import SettingsError
from jobs import registry
from keys.sealing import Sealer
from providers import PROVIDERS
from providers.http.breaker import MAX_WAITING
from providers.http.transport import Transport
from providers.protocols.connector import Connector
from providers.protocols.connectors import build_connectors, build_firebase
from providers.protocols.firebase import NAME, Firebase
from providers.protocols.login_blueprints import build_login_blueprints
from providers.protocols.native import IdTokens, native_tokens, one_taps
from storage import engine
from telemetry import logs
from vault import revocations
from vault.tokens import IdentityTokens
from views.account.identities import identities
from views.account.overview import account
from views.account.personal import personal
from views.api.docs import docs
from views.api.routes import api
from views.api.session_check import SessionCheck
from views.operator import health
from views.operator import metrics as counted
from views.sign_in.confirm import confirm
from views.sign_in.id_tokens import mobile
from views.sign_in.login import Gate, login
from web import cors, error_handlers, guards, pages
from web.application import Application
from web.context import Site
from web.limits import Limits

log = structlog.get_logger()

BODY_MAX_BYTES = 64 * 1024


def create_app(settings: Settings | None = None) -> Flask:
    """Create an application for these settings, or for those of the environment.

    Faults in the environment are printed, all together, and end the process.
    """
    if settings is None:
        settings = load_settings()
    logs.configure(settings.log_level, settings.log_format)
    app = Application(__name__, instance_path=str(ROOT / "instance"))
    demo_url = None
    if settings.demo:
        demo_url = simulator.serve_in_background(settings.port + 1, settings.public_url).url
        settings = with_look_alikes(settings, demo_url)
    configure(app, settings, demo_url)
    engine.init_app(app)
    transport = Transport(max(MAX_WAITING, processes.Threads.count * 3 // 4))
    connectors = build_connectors(
        settings.registrations, settings.providers, settings.public_url, transport
    )
    firebase = build_firebase(settings, connectors, transport)
    natives = native_tokens(connectors)
    site = app.extensions["quickstep"] = Site(
        settings=settings,
        connectors=connectors,
        policy=policy(settings, connectors, firebase),
        limits=Limits(
            settings.refusals_per_minute,
            reveal(settings.redis_url) if settings.redis_url else None,
        ),
        id_tokens=IdTokens([*natives, *([firebase] if firebase else [])]),
        one_taps=one_taps(connectors),
        firebase=firebase,
        demo_url=demo_url,
    )
    if site.trusts_anybody:
        log.warning("firebase_emulator", trusts="unsigned tokens, from anybody on this machine")
    counted.init_app(app)
    pages.init_app(app)
    health.init_app(app, site.limits if settings.redis_url else None)
    error_handlers.init_app(app)
    cors.init_app(app)
    commands.init_app(app)
    guards.login_manager.init_app(app)
    guards.csrf.init_app(app)
    own = [login, mobile, confirm, account, identities, personal, api, docs]
    for blueprint in own:
        app.register_blueprint(blueprint)
    tokens = IdentityTokens(guards.current_user_id)
    for login_blueprint in build_login_blueprints(connectors.values(), Gate(), tokens):
        app.register_blueprint(login_blueprint)
        # Its one POST, a provider's own callback, changes nothing (form_post.py).
        guards.csrf.exempt(login_blueprint)
    if demo_url is None and not site.trusts_anybody:  # those first check where a request comes from
        host = settings.host if settings.is_local else None
        check = SessionCheck(app, engine.engine_of(app), settings.session_cookie_name, host)
        app.wsgi_app = check  # type: ignore[method-assign]
    jobs = registry.init_app(app)
    revocations.register(jobs, connectors)
    cleanup.register(jobs)
    return app


def load_settings() -> Settings:
    try:
        return config.load(PROVIDERS.values())
    except SettingsError as error:
        sys.exit("Quickstep cannot start with these settings:\n  " + "\n  ".join(error.faults))


def with_look_alikes(settings: Settings, demo_url: str) -> Settings:
    """Return these settings with fake providers in place of every provider."""
    theirs = config.load(PROVIDERS.values(), simulator.environment(demo_url), None)
    replaced = ("registrations", "firebase_project_id", "firebase_jwks_url")
    return settings.model_copy(update={name: getattr(theirs, name) for name in replaced})


def configure(app: Flask, settings: Settings, demo_url: str | None) -> None:
    """Configure Flask and the keys."""
    key = settings.secret_key or config.embedded_secret_key(app.instance_path)
    keys = [key, *settings.secret_key_fallbacks]
    uri = database_uri(app, settings, demo_url)
    app.config.update(
        SECRET_KEY=reveal(key),
        SECRET_KEY_FALLBACKS=[reveal(fallback) for fallback in settings.secret_key_fallbacks],
        SQLALCHEMY_DATABASE_URI=uri,
        SQLALCHEMY_ENGINE_OPTIONS=engine.engine_options(make_url(uri), settings.database_pool_size),
        # Flask's own cookie; web/cookies.py sets the session cookie.
        SESSION_COOKIE_NAME="__Host-quickstep" if settings.is_https else "quickstep",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # For a signed-in browser it lasts as long as the session can, and is sent when it changes.
        PERMANENT_SESSION_LIFETIME=timedelta(days=LIFETIME_DAYS),
        SESSION_REFRESH_EACH_REQUEST=False,
        SEND_FILE_MAX_AGE_DEFAULT=pages.STATIC_SECONDS,
        MAX_CONTENT_LENGTH=BODY_MAX_BYTES,
        # For forms that were opened under an earlier key; the last of these signs (itsdangerous).
        WTF_CSRF_SECRET_KEY=[reveal(one) for one in (*settings.secret_key_fallbacks[::-1], key)],
        # A sign-in page that stayed open overnight must still work.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    app.extensions["sealer"] = Sealer(
        [reveal(one) for one in (*settings.token_encryption_keys, *keys)]
    )
    if proxies := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, proxies, proxies, proxies)  # type: ignore[method-assign]


def reveal(secret: SecretStr) -> str:
    return secret.get_secret_value()


def database_uri(app: Flask, settings: Settings, demo_url: str | None) -> str | URL:
    """Return DATABASE_URL, or the embedded SQLite file. Invented people have a file of their own
    per port of the fake providers, because their identities belong to that address."""
    if settings.database_url:
        return reveal(settings.database_url)
    Path(app.instance_path).mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"demo-{demo_url.rpartition(':')[2]}.sqlite" if demo_url else "quickstep.sqlite"
    return URL.create("sqlite", database=str(Path(app.instance_path) / name))


def policy(
    settings: Settings, connectors: Mapping[str, Connector], firebase: Firebase | None
) -> Policy:
    on_the_web = frozenset(
        (name, connector.identity_issuer) for name, connector in connectors.items()
    )
    in_apps = frozenset([(NAME, firebase.issuer)] if firebase else [])
    return Policy(
        settings.account_linking,
        settings.signups == "open",
        settings.allowed_email_domains,
        usable=on_the_web | in_apps,
        apps_only=in_apps,
    )


# python app.py


class QuietHandler(WSGIRequestHandler):
    """No access log: its lines would contain the codes of callbacks."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def main() -> None:
    """Serve on this machine: upgrade the embedded database and, if no provider is configured, start
    the fake providers (demo mode)."""
    settings = load_settings()
    is_bare = not settings.registrations and settings.firebase_project_id is None
    if settings.demo is None and is_bare and settings.is_local:
        settings = settings.model_copy(update={"demo": True})
    try:
        # Check the port first, so that a taken port is reported before anything is started or
        # written.
        socket.create_server(("127.0.0.1", settings.port)).close()
    except OSError:
        sys.exit(
            f"Port {settings.port} is in use. Stop what uses it, or choose another: "
            f"PORT={settings.port + 10} make run"
        )
    app = create_app(settings)
    if settings.database_url is None:
        with app.app_context():
            migrations.upgrade()
    server = make_server(
        "127.0.0.1", settings.port, app, threaded=True, request_handler=QuietHandler
    )
    mode = " (demo mode: made-up people, nothing real)" if settings.demo else ""
    here = f"http://localhost:{settings.port}"
    place = here if settings.is_local else f"{settings.public_url}, served from {here}"
    print(f"Quickstep is at {place}{mode}. Stop it with Ctrl+C.", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
