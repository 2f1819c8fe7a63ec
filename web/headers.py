"""The headers of every response: security headers, caching, and the cookies of the request."""

from functools import lru_cache

from flask import Flask, request
from werkzeug.wrappers import Response

from web.context import site
from web.cookies import write_cookies
from web.request_state import request_state

HSTS_SECONDS = 31536000
STATIC_SECONDS = 86400
FRAGMENT = "#_"  # static/app.js removes it
# Files whose address changes with their content.
CACHED = ("static", "brand.theme", "brand.image", "app_logos.show")
# Their address is a secret.
WITH_TOKENS = ("not_me",)
# A proxy passes their answers on from hosts that are not ours.
ON_OTHER_HOSTS = ("forward_auth",)
NO_STORE = ("Cache-Control", "no-store")


def init_app(app: Flask) -> None:
    app.after_request(write_cookies)
    app.after_request(protect_response)


def protect_response(response: Response) -> Response:
    """Keep pages, and what stands in them, to this site."""
    here = site()
    # The address of a callback holds a code. Neither must leave in a Referer.
    is_callback = request.path.endswith("/authorized")
    if is_callback:
        replace_fragment(response)
    response.headers.extend(
        security_headers(
            here.settings.is_https and request.blueprint not in ON_OTHER_HOSTS,
            form_origins=request_state().form_targets,
            referrer_policy="no-referrer"
            if is_callback or request.blueprint in WITH_TOKENS
            else "same-origin",
        )
    )
    seconds = request_state().public_seconds
    if seconds is not None and response.status_code == 200:
        response.headers["Cache-Control"] = public_for(seconds)
    elif request.endpoint not in CACHED or response.status_code >= 400:
        response.headers["Cache-Control"] = "no-store"
    return response


def public_for(seconds: int) -> str:
    """Return the Cache-Control of an answer that anybody may keep for so long."""
    return f"public, max-age={seconds}"


def replace_fragment(response: Response) -> None:
    """Give a redirect a fragment of our own where the provider adds one: browsers keep that one
    (Facebook's ``#_=_``) on every further page otherwise."""
    connector = site().connectors.get(request.blueprint or "")
    location = response.headers.get("Location", "")
    if connector and connector.provider.adds_fragment and location and "#" not in location:
        response.headers["Location"] = f"{location}{FRAGMENT}"


@lru_cache
def security_headers(
    is_https: bool,
    *,
    form_origins: tuple[str, ...] = (),
    referrer_policy: str = "same-origin",
) -> list[tuple[str, str]]:
    # Browsers apply form-action to each redirect after a form, so web/onward.py makes none that
    # leaves this site; a form that ends at an application names it.
    targets = " ".join(dict.fromkeys(["'self'", *form_origins]))
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
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
