"""Flask's own configuration, the keys and the database address, from the settings."""

from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import URL, make_url
from werkzeug.middleware.proxy_fix import ProxyFix

from accounts.sessions import LIFETIME_DAYS
from config import Settings, embedded_secret_key
from keys.sealing import Sealer
from keys.signing import Macs
from storage import engine
from web.headers import STATIC_SECONDS

BODY_MAX_BYTES = 64 * 1024


def configure_flask(app: Flask, settings: Settings, demo_url: str | None) -> None:
    """Set Flask's configuration and the sealer, and trust the configured proxies."""
    secret = settings.secret_key or embedded_secret_key(app.instance_path)
    key = secret.get_secret_value()
    fallbacks = [each.get_secret_value() for each in settings.secret_key_fallbacks]
    uri = database_uri(app, settings, demo_url)
    app.config.update(
        SECRET_KEY=key,
        SECRET_KEY_FALLBACKS=fallbacks,
        SQLALCHEMY_DATABASE_URI=uri,
        SQLALCHEMY_ENGINE_OPTIONS=engine.engine_options(make_url(uri), settings.database_pool_size),
        # The cookie of Flask's session. web/cookies.py sets the session cookie.
        SESSION_COOKIE_NAME="__Host-quickstep" if settings.is_https else "quickstep",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # In a signed-in browser it lasts as long as the session can, and is sent when it changes.
        PERMANENT_SESSION_LIFETIME=timedelta(days=LIFETIME_DAYS),
        SESSION_REFRESH_EACH_REQUEST=False,
        SEND_FILE_MAX_AGE_DEFAULT=STATIC_SECONDS,
        MAX_CONTENT_LENGTH=BODY_MAX_BYTES,
        # Forms that were opened under an earlier key stay valid. itsdangerous signs with the last.
        WTF_CSRF_SECRET_KEY=[*fallbacks[::-1], key],
        # A sign-in page that was left open overnight must still work.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    sealing = [each.get_secret_value() for each in settings.token_encryption_keys]
    app.extensions["sealer"] = Sealer([*sealing, key, *fallbacks])
    app.extensions["macs"] = Macs([*sealing, key, *fallbacks])
    if proxies := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, proxies, proxies, proxies)  # type: ignore[method-assign]


def database_uri(app: Flask, settings: Settings, demo_url: str | None) -> str | URL:
    """Return DATABASE_URL, or the embedded SQLite file.

    Demo mode has one file for each port of the provider simulator: identities contain that address.
    """
    if settings.database_url:
        return settings.database_url.get_secret_value()
    Path(app.instance_path).mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"demo-{demo_url.rpartition(':')[2]}.sqlite" if demo_url else "quickstep.sqlite"
    return URL.create("sqlite", database=str(Path(app.instance_path) / name))
