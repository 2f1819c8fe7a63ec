"""Outboxes: what still has to be told to providers, applications and people, and to try it now."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from accounts import admin_acts
from accounts.activity import Caller
from issuer import admin_acts as issuer_acts
from issuer import logouts
from notices import mails, sending
from vault import revocations
from web.administration import admin_caller, protect_admin
from web.context import site
from web.text.mails import mail_label
from web.text.messages import message

outboxes = Blueprint("admin_outboxes", __name__, url_prefix="/admin/outboxes")
protect_admin(outboxes)

RETRIES: Mapping[str, Callable[[Caller], int]] = {
    "revocations": admin_acts.retry_revocations,
    "logouts": issuer_acts.retry_logouts,
    "mails": admin_acts.retry_mails,
}


@outboxes.get("")
def show() -> str:
    """Show how many rows wait in each outbox, since when, and for whom."""
    return render_template("admin/outboxes.html", boxes=_boxes())


def _boxes() -> list[dict[str, Any]]:
    boxes = [_revocations(), _logouts()]
    return [*boxes, _mails()] if mails.is_on() else boxes


def _revocations() -> dict[str, Any]:
    parts = [{"label": site().label(each.name), "part": each} for each in revocations.by_provider()]
    return {"name": "revocations", "waiting": revocations.waiting(), "parts": parts}


def _logouts() -> dict[str, Any]:
    parts = [{"label": each.name, "part": each} for each in logouts.by_client()]
    return {"name": "logouts", "waiting": logouts.waiting(), "parts": parts}


def _mails() -> dict[str, Any]:
    parts = [{"label": mail_label(each.name), "part": each} for each in sending.by_kind()]
    return {"name": "mails", "waiting": mails.waiting(), "parts": parts}


@outboxes.post("/<name>/retry")
def retry(name: str) -> Response:
    """Have everything tried again now that waits for its next attempt."""
    if name not in RETRIES:
        raise NotFound
    count = RETRIES[name](admin_caller())
    flash(message("outbox_retried", number=str(count)), "ok")
    return redirect(url_for("admin_outboxes.show"), 303)
