"""The applications that a person uses: what each may do, and how to take its access away."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from errors import NotFound
from issuer import clients, consents, resources
from issuer.consents import App
from views.oidc.logos import logo_url, logo_urls
from web.authentication import this_session
from web.guards import BOUND, LIMITED, SIGNED_IN, protect
from web.request_info import caller
from web.text.messages import message
from web.text.words import app_scope_words

apps = Blueprint("apps", __name__, url_prefix="/account/apps")
protect(apps, LIMITED, SIGNED_IN, BOUND)


@apps.get("")
def show() -> str:
    found = consents.of_user(this_session().user_id)
    logos = logo_urls(app.client for app in found)
    rows = [
        {
            "app": app,
            "logo": logos.get(app.client.id),
            "words": app_scope_words(app.scopes, resources.shown(app.resources)),
        }
        for app in found
    ]
    return render_template("apps.html", rows=rows)


@apps.get("/<client_id>/remove")
def ask_remove(client_id: str) -> str:
    app = _own(client_id)
    return render_template("remove_app.html", app=app, logo=logo_url(app.client))


@apps.post("/<client_id>/remove")
def remove(client_id: str) -> Response:
    """Take the access of an application away."""
    app = _own(client_id)
    consents.take_away(this_session().user_id, app.client.id, caller())
    flash(message("app_removed", app=app.client.shown_name), "ok")
    return redirect(url_for("apps.show"), 303)


def _own(client_id: str) -> App:
    found = clients.find(client_id)
    for app in consents.of_user(this_session().user_id) if found else ():
        if found and app.client.id == found.id:
            return app
    raise NotFound("no such application of this account")
