"""Demo mode: the wiki of the simulator, behind a gate."""

from typing import Any, Protocol
from urllib.parse import urlsplit

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from gates import registry

log = structlog.get_logger()

NAME = "wiki"


class DemoWiki(Protocol):
    """The application of the simulator, with the proxy before it."""

    @property
    def origin(self) -> str: ...
    def connect(self, question: str, account: str) -> None: ...


class Demo(Protocol):
    """The simulator. ``wsgi``: its server, if that runs in this process."""

    wsgi: Any

    @property
    def wiki(self) -> DemoWiki: ...


def register(app: Flask, demo: Demo | None, base_url: str) -> None:
    """Give the wiki its gate; a second start finds it, or replaces one for another port. A host
    that is ours too has none."""
    if demo is None or not demo.wsgi:
        return
    wiki = demo.wiki
    if urlsplit(wiki.origin).hostname == urlsplit(base_url).hostname:
        return
    with app.app_context():
        try:
            gate = registry.find(NAME)
            if gate is not None and gate.origins != [wiki.origin]:
                registry.remove(NAME)
                gate = None
            if gate is None:
                registry.add(NAME, [wiki.origin], [])
        except (SQLAlchemyError, registry.Taken) as error:
            log.warning("demo_apps_off", error=type(error).__name__)
            return
    wiki.connect(f"{base_url}/forward-auth/{NAME}", f"{base_url}/account")
