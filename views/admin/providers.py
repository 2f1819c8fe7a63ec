"""Providers: whether each answers, when somebody signed in with it and when it reported something
last, and a check of it now."""

from typing import Any

from flask import Blueprint, render_template
from werkzeug.exceptions import NotFound

from accounts import activity
from accounts.activity import EventKind
from inbox import receipts
from providers.protocols import firebase
from providers.protocols.connector import Connector
from web.administration import protect_admin
from web.checks.findings import Finding
from web.checks.provider import check_all
from web.context import site

providers = Blueprint("admin_providers", __name__, url_prefix="/admin/providers")
protect_admin(providers)


@providers.get("")
def show_all() -> str:
    """Show all providers that are on."""
    return render_template("admin/providers.html", rows=provider_rows())


@providers.post("/<name>/check")
def check(name: str) -> str:
    """Check a provider as ``providers check`` does, and show what was found."""
    if not has_provider(name):
        raise NotFound
    return render_template("admin/check.html", label=site().label(name), findings=check_now(name))


def has_provider(name: str) -> bool:
    return name in site().connectors or (name == firebase.NAME and site().firebase is not None)


def check_now(name: str) -> list[Finding]:
    """Check a provider that is on. Raises TooManyAttempts."""
    site().limits.count_check(name)
    if name in site().connectors:
        return check_all([site().connectors[name]], None)
    return check_all([], site().firebase)


def provider_rows() -> list[dict[str, Any]]:
    """Return all providers that are on, with what this process knows of each."""
    heard = receipts.last_heard()
    rows = [
        _row(connector) | {"heard": heard.get(connector.name)}
        for connector in site().connectors.values()
    ]
    if site().firebase:
        rows.append(_signed_in(firebase.NAME) | {"label": firebase.LABEL, "origins": {}})
    return rows


def _row(connector: Connector) -> dict[str, Any]:
    origins = connector.http.breaker.state()
    return _signed_in(connector.name) | {
        "label": connector.label,
        "origins": origins,
        "is_away": not all(origins.values()),
        "client_id": connector.client_id,
    }


def _signed_in(name: str) -> dict[str, Any]:
    last = activity.across(kind=EventKind.SIGNED_IN, provider=name, before=None, limit=1)
    refused = activity.across(kind=EventKind.REFUSED, provider=name, before=None, limit=1)
    return {
        "name": name,
        "last": last[0].at if last else None,
        "refused": refused[0] if refused else None,
    }
