"""Wiring: what the OpenID Provider brings into an application."""

from collections.abc import Callable, Mapping

import structlog
from flask import Flask, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from accounts import endings
from errors import ProviderError
from issuer import (
    client_keys,
    document_urls,
    housekeeping,
    id_tokens,
    key_health,
    logouts,
    signing_keys,
)
from issuer.documents import DocumentAway, Page
from issuer.ends import Ends
from issuer.logouts import SendFailed
from issuer.signing_keys import KeyUnreadable
from jobs import periodic
from jobs.parallel import Deliverer
from jobs.registry import Jobs
from providers.http.breaker import mark_as_beside
from providers.http.public import ask_public
from providers.http.responses import Answer, fresh_seconds
from providers.http.transport import Transport
from views.oidc import before_flask, described, failures
from views.oidc.authorize import authorize, destination_of, login_hint_of
from views.oidc.demo import register as register_demo_apps
from views.oidc.device import device
from views.oidc.end_session import end
from views.oidc.json_answers import refuse_name
from views.oidc.logos import app_logos
from views.oidc.metadata import metadata
from views.oidc.pushed import pushed
from views.oidc.tokens import tokens
from views.oidc.userinfo import owner_of_token, userinfo
from views.operator.health import Check, Health, NotReady
from web.context import Site
from web.error_handlers import error_page

log = structlog.get_logger()

__all__ = ["destination_of", "install", "login_hint_of", "owner_of_token", "register_demo_apps"]

BLUEPRINTS = (metadata, authorize, end, device, pushed, tokens, userinfo, app_logos)


def install(app: Flask, site: Site, jobs: Jobs) -> None:
    """Add routes, what answers before Flask, jobs, and the listener of what ends; after the general
    error handlers."""
    signing_keys.init_app(app)
    endings.init_app(app).append(Ends())
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    failures.init_app(app)
    document_urls.init_app(app, site.settings.client_document_hosts)
    transport = Transport()
    described.init_app(app, read_document, keys_reader(transport))
    app.register_error_handler(KeyUnreadable, on_unreadable_key)
    before_flask.install(app, site)
    # Not needed: a server whose sealing keys were replaced still signs people in to itself.
    state: Health = app.extensions["health"]
    state.checks.append(Check("signing_key", check_signing_key, is_needed=False))
    outbox = logouts.outbox(token_maker(site), sender(transport))
    deliverer = Deliverer(app, outbox, mark_as_beside)
    jobs.add(logouts.JOB, deliverer.work)
    jobs.add("apps", lambda: periodic.run_due((*housekeeping.jobs(), housekeeping.KEYS)))


def on_unreadable_key(error: KeyUnreadable) -> Response | tuple[str, int]:
    """Name the fault in the log. No new key takes its place: the operator has the old one."""
    log.error("signing_key_unreadable", detail=str(error))
    is_page = request.blueprint in (authorize.name, end.name)
    return (error_page(503, 503), 503) if is_page else refuse_name("unavailable")


def check_signing_key(app: Flask) -> None:
    """Raises NotReady if no key can sign."""
    with app.app_context():
        try:
            fault = key_health.fault()
        except SQLAlchemyError:
            raise NotReady("cannot be read") from None
    if fault:
        raise NotReady(fault)


def token_maker(site: Site) -> logouts.MakeToken:
    """Return what makes the logout tokens of this site."""
    return lambda logout: id_tokens.make_logout_token(site.settings.base_url, logout)


def sender(transport: Transport) -> logouts.Sender:
    """Return what sends a form to an application: bounded in time and size, no redirects."""
    apps = transport.named("apps")

    def send(uri: str, form: Mapping[str, str]) -> int:
        try:
            return apps.ask("POST", uri, form=form).status_code
        except ProviderError as error:
            raise SendFailed(error.detail) from error

    return send


def read_document(url: str) -> Page:
    """Read a client's document. Anybody may name its URL, so only public addresses are asked."""
    return _page(lambda: ask_public(url))


def keys_reader(transport: Transport) -> client_keys.Reader:
    """Return what reads the keys of clients. Those whose address the operator wrote may be in a
    private network."""
    apps = transport.named("apps")

    def read(url: str, is_of_stranger: bool) -> Page:
        return _page(lambda: ask_public(url) if is_of_stranger else apps.ask("GET", url))

    return read


def _page(ask: Callable[[], Answer]) -> Page:
    try:
        found = ask()
    except ProviderError as error:
        raise DocumentAway(error.detail) from error
    return Page(found.status_code, found.content, fresh_seconds(found.headers))
