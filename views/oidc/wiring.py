"""Wiring: what the OpenID Provider brings into an application."""

from collections.abc import Mapping

from flask import Flask

from accounts import endings
from errors import ProviderError
from issuer import housekeeping, id_tokens, logouts, signing_keys
from issuer.ends import Ends
from issuer.logouts import Deliverer, SendFailed
from jobs import periodic
from jobs.registry import Jobs
from providers.http.breaker import mark_as_beside
from providers.http.transport import Transport
from views.oidc.authorize import app_name_of, authorize
from views.oidc.end_session import end
from views.oidc.metadata import metadata
from views.oidc.tokens import tokens
from views.oidc.userinfo import owner_of_token, userinfo
from web.context import Site

__all__ = ["app_name_of", "install", "owner_of_token"]

BLUEPRINTS = (metadata, authorize, end, tokens, userinfo)


def install(app: Flask, site: Site, jobs: Jobs) -> None:
    """Add routes, jobs and the listener of what ends."""
    signing_keys.init_app(app)
    endings.init_app(app).append(Ends())
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    deliverer = Deliverer(app, token_maker(site), sender(Transport()), mark_as_beside)
    jobs.add(logouts.JOB, deliverer.work)
    jobs.add("apps", lambda: periodic.run_due((*housekeeping.JOBS, housekeeping.KEYS)))


def token_maker(site: Site) -> logouts.MakeToken:
    """Return what makes the logout tokens of this site."""
    return lambda logout: id_tokens.make_logout_token(site.settings.public_url, logout)


def sender(transport: Transport) -> logouts.Sender:
    """Return what sends a form to an application: bounded in time and size, no redirects."""
    apps = transport.named("apps")

    def send(uri: str, form: Mapping[str, str]) -> int:
        try:
            return apps.ask("POST", uri, form=form).status_code
        except ProviderError as error:
            raise SendFailed(error.detail) from error

    return send
