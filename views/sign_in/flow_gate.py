"""The flows of this browser: begun at a button, claimed at the callback."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from flask import request, url_for
from werkzeug.exceptions import BadRequest

from accounts import flows
from accounts.flows import Intent
from errors import StateMismatch, TokenUnreadable
from storage import db
from vault import tokens
from web.account_choice import is_choice_meant
from web.authentication import current_session
from web.context import site
from web.cookies import (
    FLOW_COOKIE,
    cookie_name,
    drop_flows,
    flow_cookies,
    is_in_flow,
    keep_flow,
    set_cookie,
)
from web.request_info import caller, is_navigation
from web.return_to import asked_return

# Flows that must end in the session that began them.
BOUND_TO_SESSION = (Intent.LINK, Intent.REAUTHENTICATE)
# How long a person may take to try again after a failed flow.
KEPT_SECONDS = 24 * 3600


class Gate:
    """Begins and claims the flows of login blueprints, with this browser's cookies."""

    def begin(self, provider: str) -> flows.Flow:
        """Handle GET /login/<provider>: begin a flow to sign in, and then to go to ``next``."""
        self._check_navigation()
        site().limits.check_refusals(caller().address)
        return_to = asked_return(request.args, url_for("account.show"))
        intent = Intent.SIGN_IN
        if return_to.startswith(f"{url_for('confirm.ask')}?"):
            intent = Intent.VERIFY_OWNERSHIP
        elif request.args.get("ask") == "email":
            intent = Intent.ASK_EMAIL
        return begin_flow(provider, intent, return_to=return_to)

    def claim(self, provider: str, state: str | None) -> flows.Flow:
        self._check_navigation()
        site().limits.check_refusals(caller().address, in_flow=is_in_flow())
        flow = claim_flow(provider, state)
        if flow.intent is Intent.ONE_TAP:
            raise StateMismatch("the state is a nonce of One Tap")
        return flow

    def pack(self, state: str, value: Mapping[str, object]) -> str:
        # Without padding, which a query would escape.
        return tokens.sealer().seal(dict(value), _bound(state)).rstrip("=")

    def unpack(self, provider: str, state: str, text: str) -> Mapping[str, object]:
        try:
            said = cast(dict[str, object], tokens.sealer().open(f"{text}==", _bound(state)))
        except TokenUnreadable:
            return {}
        if said.get("name"):
            name = _kept_name(provider)
            held = {"said": said, "until": int(time.time()) + KEPT_SECONDS}
            set_cookie(name, tokens.sealer().seal(held, name), KEPT_SECONDS)
        return said

    def kept(self, provider: str) -> Mapping[str, object]:
        name = _kept_name(provider)
        try:
            held = cast(dict[str, Any], tokens.sealer().open(request.cookies.get(name, ""), name))
        except TokenUnreadable:
            return {}
        return cast(Mapping[str, object], held["said"]) if held["until"] > time.time() else {}

    def _check_navigation(self) -> None:
        """Refuse what other sites make their visitors' browsers load, without counting it."""
        if not is_navigation(request):
            raise BadRequest


def _kept_name(provider: str) -> str:
    return cookie_name(f"kept_{provider}")


def _bound(state: str) -> str:
    return f"callback:{state}"


def claim_flow(provider: str, state: str | None) -> flows.Flow:
    """Use up the flow of this browser that has this state. Raises as ``flows.claim`` does."""
    session = current_session()
    flow = flows.claim(
        provider,
        state,
        cookies=flow_cookies(),
        has_cookies=bool(request.cookies),
        user_id=session.user_id if session else None,
        session_id=session.id if session else None,
    )
    set_cookie(cookie_name(FLOW_COOKIE + flow.id), "", 0)
    return flow


def begin_flow(
    provider: str, intent: Intent, *, return_to: str, identity_id: str | None = None
) -> flows.Flow:
    """Begin a flow of this browser; one that changes an account is bound to its session."""
    session = current_session()
    drop_flows(flows.surplus(flow_cookies()))
    connector, request_token = site().connectors[provider], None
    if connector.needs_request_token:
        flows.check_open(caller().address)
        db.session.commit()  # releases the connection while the provider is asked
        request_token = connector.fetch_request_token()
    flow = flows.begin(
        provider,
        intent,
        return_to=return_to,
        caller=caller(),
        user_id=session.user_id if session else None,
        session_id=session.id if session and intent in BOUND_TO_SESSION else None,
        identity_id=identity_id,
        request_token=request_token,
    )
    keep_flow(flow.id, flow.cookie)
    return replace(flow, chooses_account=is_choice_meant(intent))
