"""Demo mode: the two applications of the simulator, registered as our clients."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from config.branding import read_image
from issuer import clients, logos, scopes
from issuer.clients import CODE, REFRESH, Client

log = structlog.get_logger()


class DemoApp(Protocol):
    """An application of the simulator."""

    url: str

    @property
    def label(self) -> str: ...
    @property
    def logo(self) -> Path: ...
    @property
    def redirect_uri(self) -> str: ...
    def connect(self, issuer: str, client_id: str, client_secret: str) -> None: ...


class Demo(Protocol):
    """The simulator. ``wsgi``: its server, if that runs in this process."""

    wsgi: Any

    @property
    def apps(self) -> Mapping[str, DemoApp]: ...


def register(app: Flask, demo: Demo | None, issuer: str) -> None:
    """Give each application its registration; a second start finds it and renews its secret."""
    if demo is None or not demo.wsgi:
        return
    with app.app_context():
        try:
            known = {uri: each for each in clients.every() for uri in each.redirect_uris}
            for demo_app in demo.apps.values():
                client, secret = _register(demo_app, known.get(demo_app.redirect_uri))
                logos.keep(client.id, read_image(demo_app.logo))
                demo_app.connect(issuer, client.client_id, secret)
        except SQLAlchemyError as error:
            log.warning("demo_apps_off", error=type(error).__name__)


def _register(demo_app: DemoApp, known: Client | None) -> tuple[Client, str]:
    if known is not None:
        return known, clients.rotate_secret(known.id, timedelta(0))
    values = {
        "name": demo_app.label,
        "redirect_uris": [demo_app.redirect_uri],
        "post_logout_uris": [demo_app.url],
        "backchannel_uri": f"{demo_app.url}/backchannel",
        "scopes": list(scopes.USUAL),
        "grant_types": [CODE, REFRESH],
        "is_first_party": True,
    }
    client, secret = clients.add(values)
    assert secret is not None
    return client, secret
