"""Answers to authorization requests: back to the client, or on a page where there is none.

Each answer that goes to a client says who we are (``iss``, RFC 9207) and repeats its state.
"""

import structlog
from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from issuer.authorization import FORM_POST, Asked, Refusal
from issuer.faults import FAULTS
from issuer.redirects import host_of, with_parameters
from telemetry import metrics
from views.oidc.place import issuer
from web.cookies import forget_cookies
from web.onward import show_way
from web.request_state import request_state
from web.text.app_faults import fault_page

log = structlog.get_logger()

# Where an application itself sends the browser.
DIRECT = "authorize.ask"


def refuse(refusal: Refusal) -> Response | tuple[str, int]:
    """Answer a faulty request."""
    if refusal.asked is None:
        return show_fault(refusal.name)
    return send_fault(refusal.asked, refusal.name)


def show_fault(name: str, detail: str = "") -> tuple[str, int]:
    """Show a fault of an application to its person: never a redirect (RFC 6749 4.1.2.1)."""
    fault = FAULTS[name]
    log.info("app_request_refused", reason=name, detail=detail)
    metrics.count_app("authorize", name)
    page = fault_page(name)
    description = fault.description if page.is_for_makers else ""
    html = render_template(
        "oidc/fault.html", title=page.title, body=page.body, description=description
    )
    return html, fault.status


def send_fault(asked: Asked, name: str) -> Response:
    """Send a fault back to the client."""
    fault = FAULTS[name]
    log.info("app_request_refused", reason=name, client=asked.client.id)
    metrics.count_app("authorize", name)
    return send(asked, {"error": fault.error, "error_description": fault.description})


def send_unavailable(asked: Asked) -> Response:
    """Say that the database was away when the grant was to begin; nothing of it is stored."""
    forget_cookies()
    return send_fault(asked, "unavailable")


def send_code(asked: Asked, code: str) -> Response:
    metrics.count_app("authorize", "issued")
    return send(asked, {"code": code})


def send(asked: Asked, answer: dict[str, str]) -> Response:
    """Send an answer to the client's registered address, as it asked."""
    if asked.state is not None:
        answer["state"] = asked.state
    answer["iss"] = issuer()
    if asked.mode == FORM_POST:
        # Chromium applies form-action to the redirects of the application too, whatever its hosts.
        request_state().form_targets = (f"{asked.redirect_uri.partition(':')[0]}:", "https:")
        page = render_template(
            "oidc/form_post.html",
            name=asked.client.shown_name,
            host=host_of(asked.redirect_uri),
            action=asked.redirect_uri,
            fields=answer,
        )
        return Response(page, mimetype="text/html")
    return leave(with_parameters(asked.redirect_uri, answer), asked.client.shown_name)


def outline(response: Response) -> Response:
    """Answer HEAD where GET would make something: the address with it does not exist (RFC 9110
    9.3.2)."""
    response.headers.pop("Location", None)
    return response


def leave(url: str, name: str) -> Response:
    """Send a browser on to an application.

    A form may have led here, ours or a provider's, and Chromium applies its form-action to every
    redirect that follows, also those of the application. So a page of ours goes on instead, except
    to an app on the device, which browsers open from a redirect only.
    """
    is_on_the_web = url.startswith(("https://", "http://"))
    may_follow_a_form = request.endpoint != DIRECT and "Sec-Fetch-Mode" in request.headers
    if is_on_the_web and may_follow_a_form:
        return show_way(url, name)
    return redirect(url, 303 if request.method == "POST" else 302)
