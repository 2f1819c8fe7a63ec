"""Where this server answers: under one name, and while it trusts anybody, to this machine only."""

from urllib.parse import urlsplit

from flask import redirect, request
from werkzeug.wrappers import Response

from config.validators import is_loopback
from web.context import Site, site
from web.problem_details import problem_json, wants_json
from web.request_info import address_of, came_through_proxy
from web.text.messages import message

# Machines ask these, by whatever name or address they know this one.
FOR_MACHINES = ("health", "metrics")


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
    """Give a local server one name.

    localhost and 127.0.0.1 are two sites to a browser; the callback comes to the configured
    one, where the cookies of the other are missing.
    """
    settings, asked = site().settings, request.host
    if asked == settings.host or not settings.is_local or request.blueprint in FOR_MACHINES:
        return None
    same_port = asked.rpartition(":")[2] == settings.host.rpartition(":")[2]
    if same_port and is_loopback(asked_name()) and request.method == "GET":
        return redirect(settings.public_url + request.full_path.rstrip("?"), 307)
    return None


def asked_name() -> str | None:
    """Return the name that this server was asked by, without the port."""
    return urlsplit(f"//{request.host}").hostname


def is_on_this_machine(host: str | None) -> bool:
    """Tell whether a request began here: behind a proxy, all the world's come from loopback."""
    if came_through_proxy(request):
        return False
    return is_loopback(host) and is_loopback(address_of(request))
