"""Two instances of one site: a server, and a second application on the same database."""

from typing import Any

from flask import Flask

import app as quickstep
import config
from providers import PROVIDERS
from storage import db
from tests.eavesdropper import EAR
from tests.issuer.relying_party import App
from tests.site import Site

TABLES = ("users", "clients", "resources", "flows", "ended_sessions")


def second_instance(site: Site) -> Flask:
    """Another application with the settings of a site as they are now."""
    return quickstep.create_app(config.load(PROVIDERS.values(), site._variables, None))


def stop(application: Flask) -> None:
    application.extensions["jobs"].stop()
    with application.app_context():
        db.engine.dispose()


class Pair:
    """``site`` is the first instance; questions here go to the second. Neither has background
    jobs."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.second = second_instance(site)
        for each in (site.app, self.second):
            each.extensions["jobs"].stop()

    def empty(self) -> None:
        """Leave nobody, and no application."""
        for table in TABLES:
            self.site.execute(f"DELETE FROM {table}")

    def post(self, app: App, endpoint: str, **form: str) -> dict[str, Any]:
        """Have an application ask the second instance."""
        return post(self.second, app, endpoint, **form)

    def is_active(self, app: App, token: str) -> bool:
        return bool(self.post(app, "introspect", token=token)["active"])

    def refresh(self, app: App, token: str) -> dict[str, Any]:
        return self.post(app, "token", grant_type="refresh_token", refresh_token=token)

    def exchange(self, app: App, code: str) -> dict[str, Any]:
        return self.post(app, "token", **code_form(app, code))


def code_form(app: App, code: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": app.redirect_uri,
        "code_verifier": app.verifier,
    }


def post(second: Flask, app: App, endpoint: str, **form: str) -> dict[str, Any]:
    with second.test_client() as client:
        answer = client.post(
            f"/oauth2/{endpoint}", data=form, auth=(app.client_id, app.secret or "")
        )
    document = dict(answer.get_json(silent=True) or {})
    EAR.learn(*(str(document.get(name, "")) for name in ("access_token", "refresh_token")))
    return document
