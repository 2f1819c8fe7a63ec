"""The profile that each provider shared about a person, and refreshing it."""

from typing import Any

import structlog
from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.exceptions import NotFound as PageNotFound
from werkzeug.wrappers import Response

import accounts
from accounts import identities as rows
from errors import ProviderError, WrongAccount
from models import Identity
from vault import tokens
from web.authentication import ended_meanwhile, this_session
from web.context import site
from web.guards import BOUND, LIMITED, SIGNED_IN, protect
from web.request_info import caller
from web.request_state import request_state
from web.text.messages import message, refresh_failure
from web.text.words import scope_words

log = structlog.get_logger()
identities = Blueprint("identities", __name__, url_prefix="/account/identities")
protect(identities, LIMITED, SIGNED_IN, BOUND)


@identities.get("/<identity_id>")
def show(identity_id: str) -> str:
    identity = _own(identity_id)
    return render_template("identity.html", **_facts(identity))


def _own(identity_id: str) -> Identity:
    return rows.own(this_session().user_id, identity_id)


def _facts(identity: Identity) -> dict[str, Any]:
    return {
        "identity": identity,
        "label": site().label(identity.provider),
        "is_usable": site().can_use(identity),
        "state": tokens.state(identity) if _is_refreshable(identity) else "none",
        "scopes": [scope_words(scope) for scope in identity.scopes.split()],
    }


def _is_refreshable(identity: Identity) -> bool:
    connector = site().connectors.get(identity.provider)
    return connector is not None and connector.provider.refreshable


@identities.post("/<identity_id>/refresh")
def refresh(identity_id: str) -> Response:
    """Refresh the profile, with the stored token."""
    identity = _own(identity_id)
    if not site().can_use(identity) or not _is_refreshable(identity):
        raise PageNotFound
    label = site().label(identity.provider)
    try:
        accounts.refresh_profile(
            identity, site().connectors[identity.provider], caller(), this_session().id
        )
    except (ProviderError, WrongAccount) as error:
        if ended := ended_meanwhile():
            raise ended from error
        _report_failure(error, label, identity)
    else:
        flash(message("refreshed", provider=label), "ok")
    return redirect(url_for("identities.show", identity_id=identity_id), 303)


def _report_failure(error: ProviderError | WrongAccount, label: str, identity: Identity) -> None:
    log.warning(
        "not_read_again",
        reason=error.code,
        provider=identity.provider,
        identity=identity.id,
        detail=error.detail,
    )
    words = refresh_failure(error.code, provider=label, ref=request_state().reference)
    flash(words, "problem")
