"""Wiring: settings, extensions, connectors, blueprints. No routes and no rules here."""

from flask import Flask

import commands
import simulator
from access.loading import apply_rules
from accounts import cleanup, rechecks
from accounts.policy import build_policy
from commands import migrations
from commands.development import load_settings, run_development_server
from config import ROOT, Settings, load, processes
from config.branding import read_images
from jobs import registry
from providers import PROVIDERS
from providers.http.breaker import MAX_WAITING
from providers.http.transport import Transport
from providers.protocols.connectors import build_connectors, build_firebase
from providers.protocols.login_blueprints import build_login_blueprints
from providers.protocols.native import IdTokens, native_tokens, one_taps
from storage import engine
from telemetry import logs
from vault import revocations
from vault.tokens import IdentityTokens
from views.api import session_check
from views.blueprints import blueprints
from views.gate import wiring as gate
from views.oidc import wiring as oidc
from views.operator import health, metrics
from views.parts import PARTS
from views.sign_in import callback
from views.sign_in.flow_gate import Gate
from views.sign_in.setup import warn_about_settings
from web import cors, error_handlers, guards, headers, page_context, reference
from web.application import Application
from web.authentication import current_user_id, login_manager
from web.context import Site
from web.csrf import csrf
from web.flask_config import configure_flask
from web.limits import Limits
from web.paths import Paths


def create_app(settings: Settings | None = None) -> Flask:
    """Build an application for these settings or the environment's; faults end the process."""
    settings = settings or load_settings()
    logs.configure(settings.log_level, settings.log_format)
    app = Application(__name__, instance_path=str(ROOT / "instance"))
    demo = None
    if settings.demo:
        demo = simulator.serve_in_background(settings.port + 1, settings.base_url)
        variables = simulator.environment(demo.url) | simulator.mail_settings(demo)
        settings = settings.with_providers_of(load(PROVIDERS.values(), variables, None))
    configure_flask(app, settings, demo.url if demo else None)
    engine.init_app(app)
    site = app.extensions["quickstep"] = build_site(settings, demo.url if demo else None)
    add_handlers(app, site)
    add_blueprints(app, site)
    session_check.install(app, site)
    jobs = registry.init_app(app)
    revocations.register(jobs, site.connectors)
    rechecks.register(jobs, site.policy, site.connectors)
    for part in PARTS:
        part.install(app, site, jobs)
    app.wsgi_app = Paths(app.wsgi_app, settings.path_prefix)  # type: ignore[method-assign]
    cleanup.register(jobs)
    migrations.bring_up_embedded_database(app, settings)
    oidc.register_demo_apps(app, demo, settings.base_url)
    gate.register_demo_wiki(app, demo, settings.base_url)
    return app


def build_site(settings: Settings, demo_url: str | None) -> Site:
    """Build everything that the views share."""
    transport = Transport(max(MAX_WAITING, processes.Threads.count * 3 // 4))
    connectors = build_connectors(
        settings.registrations, settings.providers, settings.base_url, transport
    )
    firebase = build_firebase(settings, connectors, transport)
    redis_url = settings.redis_url.get_secret_value() if settings.redis_url else None
    return Site(
        settings=settings,
        connectors=connectors,
        policy=build_policy(settings, connectors, firebase, apply_rules(settings, connectors)),
        limits=Limits(settings.refusals_per_minute, redis_url),
        id_tokens=IdTokens([*native_tokens(connectors), *([firebase] if firebase else [])]),
        one_taps=one_taps(connectors),
        firebase=firebase,
        demo_url=demo_url,
        destination_of=lambda path: oidc.destination_of(path) or gate.destination_of(path),
        login_hint_of=oidc.login_hint_of,
        owner_of_token=oidc.owner_of_token,
        images=read_images(settings.brand_logo, settings.brand_icon, settings.brand_assets_dir),
    )


def add_handlers(app: Flask, site: Site) -> None:
    """Register what applies to every request, and the commands."""
    warn_about_settings(site)
    for each in (metrics, reference, headers, page_context, error_handlers, cors, commands):
        each.init_app(app)
    health.init_app(app, site.limits if site.settings.redis_url else None)
    login_manager.init_app(app, add_context_processor=False)
    guards.init_app(app)


def add_blueprints(app: Flask, site: Site) -> None:
    """Register our own routes and those of each provider."""
    for blueprint in blueprints(site.settings):
        app.register_blueprint(blueprint)
    callback.connect_receivers()
    tokens = IdentityTokens(current_user_id)
    for login_blueprint in build_login_blueprints(site.connectors.values(), Gate(), tokens):
        app.register_blueprint(login_blueprint)
        # Its one POST, a provider's own callback, changes nothing (form_post.py).
        csrf.exempt(login_blueprint)


if __name__ == "__main__":
    run_development_server(create_app)
