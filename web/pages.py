"""What every page has: the right host, a reference, security headers, template variables."""

import secrets
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, current_app, g, redirect, request, url_for
from flask_login import current_user
from markupsafe import Markup
from werkzeug.wrappers import Response

from config.validators import is_loopback
from web.context import site
from web.cookies import write_cookies
from web.request_info import address_of, came_through_proxy
from web.text.messages import message
from web.text.words import day, moment

# No vowels, so no words; no characters that are easily confused.
REFERENCE_LETTERS = b"23456789BCDFGHJKMNPQRSTVWXZ"
_LETTER_OF_BYTE = (REFERENCE_LETTERS * 10)[:256]
HSTS_SECONDS = 31536000
# Paths that machines request, under whatever host name or address.
FOR_MACHINES = ("health", "metrics")
STATIC_SECONDS = 86400


def init_app(app: Flask) -> None:
    app.before_request(begin_request)
    app.before_request(check_place)
    app.after_request(write_cookies)
    app.after_request(protect)
    app.context_processor(words)
    app.template_filter("moment")(moment)
    app.template_filter("day")(day)


def begin_request() -> None:
    """Give the request the reference that its log lines and its page share."""
    g.reference = new_reference()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(ref=g.reference)


def new_reference() -> str:
    letters = secrets.token_bytes(8).translate(_LETTER_OF_BYTE).decode()
    return f"{letters[:4]}-{letters[4:]}"


def check_place() -> Response | None:
    """Before each request: unsafe modes (demo mode, Firebase's emulator) serve this machine only,
    and a local server has one name.

    Browsers treat localhost and 127.0.0.1 as two sites. The callback comes to the configured one,
    where the cookies of the other are missing.
    """
    if request.blueprint in FOR_MACHINES:
        return None
    here, asked = site(), request.host
    settings = here.settings
    is_open = here.demo_url or here.trusts_anybody
    if asked == settings.host and not is_open:
        return None
    host = urlsplit(f"//{asked}").hostname
    if is_open and not is_on_this_machine(host):
        text = message("demo_elsewhere" if here.demo_url else "emulator_elsewhere")
        return Response(f"{text}\n", 403, mimetype="text/plain")
    other_name = settings.is_local and is_loopback(host) and asked != settings.host
    same_port = asked.rpartition(":")[2] == settings.host.rpartition(":")[2]
    if other_name and same_port and request.method == "GET":
        return redirect(settings.public_url + request.full_path.rstrip("?"), 307)
    return None


def is_on_this_machine(host: str | None) -> bool:
    """Whether a request began on this machine: behind a proxy, all requests come from loopback."""
    if came_through_proxy(request):
        return False
    return is_loopback(host) and is_loopback(address_of(request))


def protect(response: Response) -> Response:
    """Set headers that keep pages and their contents to this site."""
    here = site()
    # A form whose response redirects to a provider needs that provider's origin here: otherwise
    # Chromium blocks it silently.
    connectors = here.connectors.values() if g.get("form_redirects") else ()
    # The URL of a callback contains a code: send no referrer.
    is_callback = request.path.endswith("/authorized")
    response.headers.extend(
        _protection(
            tuple(origin for connector in connectors for origin in connector.form_origins),
            "no-referrer" if is_callback else "same-origin",
            here.settings.is_https,
        )
    )
    if request.endpoint != "static" or response.status_code >= 400:
        response.headers["Cache-Control"] = "no-store"
    return response


@lru_cache
def _protection(
    form_origins: tuple[str, ...], referrer_policy: str, is_https: bool
) -> list[tuple[str, str]]:
    targets = dict.fromkeys(["'self'", *form_origins])
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"form-action {' '.join(targets)}; base-uri 'none'; frame-ancestors 'none'"
    )
    headers = [
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Referrer-Policy", referrer_policy),
    ]
    if is_https:
        headers.append(("Strict-Transport-Security", f"max-age={HSTS_SECONDS}"))
    return headers


def words() -> dict[str, Any]:
    """Return the template variables."""
    settings = site().settings
    return {
        "product": settings.app_name,
        "settings": settings,
        "connectors": site().connectors,
        "label": site().label,
        "is_demo": site().demo_url is not None,
        "trusts_anybody": site().trusts_anybody,
        "provider_icon": provider_icon,
        "static_url": static_url,
        "user": current_user,
        "ref": g.get("reference", ""),
    }


def static_url(name: str) -> str:
    """Return the URL of a static file, which changes with its content."""
    return url_for("static", filename=name, v=_fingerprint(current_app.static_folder or "", name))


@lru_cache
def _fingerprint(folder: str, name: str) -> str:
    return sha256((Path(folder) / name).read_bytes()).hexdigest()[:10]


@lru_cache
def provider_icon(name: str) -> Markup:
    """Return a provider's mark as inline SVG, or a key if there is none. The label names the
    provider."""
    folder = Path(__file__).parent.parent / "static" / "idp"
    path = folder / f"{name}.svg"
    return Markup((path if path.exists() else folder / "key.svg").read_text(encoding="utf-8"))  # noqa: S704 (our own files)
