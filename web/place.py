"""Where this server answers: under one name, and while it trusts anybody, to this machine only."""

from urllib.parse import urlsplit

import structlog
from flask import redirect, request
from werkzeug.wrappers import Response

from config.validators import is_loopback
from web.context import Site, site
from web.cookies import cookie_name, set_cookie
from web.paths import path_of
from web.problem_details import problem_json, wants_json
from web.request_info import address_of, came_through_proxy
from web.text.messages import message

log = structlog.get_logger()

# Machines ask these, by whatever name or address they know this one.
FOR_MACHINES = ("health", "metrics", "forward_auth")
# The blueprints whose pages people open; besides those of the providers.
PAGES = (
    *("login", "confirm", "account", "identities", "personal", "apps"),
    *("authorize", "device", "end_session", "gate"),
)
# The cookie of a browser that was just led to PUBLIC_URL.
MOVED, MOVED_SECONDS = "moved", 10


def lets_anybody_in(here: Site) -> bool:
    """Tell whether this server signs anybody in as anybody: in demo mode, or with Firebase's
    emulator."""
    return here.demo_url is not None or here.trusts_anybody


def refuse_other_machines() -> Response | None:
    if request.blueprint in FOR_MACHINES or is_on_this_machine(asked_name()):
        return None
    text = message("demo_elsewhere" if site().demo_url else "emulator_elsewhere")
    if wants_json():
        return problem_json(403, "this_machine_only", "Forbidden", text)
    return Response(f"{text}\n", 403, mimetype="text/plain")


def redirect_to_own_name() -> Response | None:
    """Lead people who came by another name to PUBLIC_URL.

    www.example.org and example.org, or localhost and 127.0.0.1, are two sites to a browser; the
    callback comes to the configured one, where the cookies of the other are missing.
    """
    settings, asked = site().settings, request.host.lower()
    if asked == settings.host.lower() or request.method not in ("GET", "HEAD"):
        return None
    if not (_is_another_local_name(asked) if settings.is_local else _is_another_name(asked)):
        return None
    if not settings.is_local:
        set_cookie(cookie_name(MOVED), "1", MOVED_SECONDS)
    return redirect(settings.public_url + path_of(request), 307)


def _is_another_local_name(asked: str) -> bool:
    same_port = asked.rpartition(":")[2] == site().settings.host.rpartition(":")[2]
    return same_port and is_loopback(asked_name()) and request.blueprint not in FOR_MACHINES


def _is_another_name(asked: str) -> bool:
    """Tell whether a page of a public server was asked by another name. Programs may use any, and
    this machine's own names. A proxy that hides the name must not send people in circles, so a
    browser that has just been redirected is served."""
    is_page = request.blueprint in PAGES or request.blueprint in site().connectors
    if not is_page or not asked or is_loopback(asked_name()):
        return False
    default_port = ":443" if site().settings.is_https else ":80"
    if asked.removesuffix(default_port) == site().settings.host.lower():
        return False
    if cookie_name(MOVED) in request.cookies:
        log.warning("host_is_not_public_url", host=asked[:256], public_url=site().settings.host)
        return False
    return True


def asked_name() -> str | None:
    """Return the name that this server was asked by, without the port."""
    return urlsplit(f"//{request.host}").hostname


def is_on_this_machine(host: str | None) -> bool:
    """Tell whether a request began here: behind a proxy, all the world's come from loopback."""
    if came_through_proxy(request):
        return False
    return is_loopback(host) and is_loopback(address_of(request))
