"""Applications that sign people in here: the list, and one with its settings and its users."""

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from accounts import directory
from issuer import admin_acts, clients, grants
from web.administration import admin_caller, protect_admin
from web.context import site
from web.text.messages import message

applications = Blueprint("admin_applications", __name__, url_prefix="/admin/applications")
protect_admin(applications)

SHOWN_GRANTS = 25


@applications.get("")
def show_all() -> str:
    """Show all applications, the oldest first."""
    return render_template("admin/applications.html", apps=clients.every())


@applications.get("/<client_id>")
def show(client_id: str) -> str:
    """Show one application: how it is registered, and who used it last."""
    client = clients.get(client_id)
    listed = grants.of_client(client.id, SHOWN_GRANTS)
    names = directory.names({each.user_id for each in listed})
    return render_template(
        "admin/application.html",
        client=client,
        people=grants.count_people(client.id),
        grants=[{"grant": each, "name": names.get(each.user_id)} for each in listed],
        is_open_to_all=site().settings.apps_default == "open",
    )


@applications.post("/<client_id>/disable")
def disable(client_id: str) -> Response:
    client = admin_acts.disable_client(client_id, admin_caller())
    return _back(client.id, "client_disabled", client.shown_name)


@applications.post("/<client_id>/enable")
def enable(client_id: str) -> Response:
    client = admin_acts.enable_client(client_id, admin_caller())
    return _back(client.id, "client_enabled", client.shown_name)


def _back(client_id: str, code: str, app: str) -> Response:
    flash(message(code, app=app), "ok")
    return redirect(url_for("admin_applications.show", client_id=client_id), 303)
