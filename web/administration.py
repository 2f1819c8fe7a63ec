"""Guards of the operator's pages: who sees them, and when a change is let through.

Everybody else gets the page of an address that does not exist.
"""

import ipaddress

from flask import Blueprint, redirect, request, url_for
from sqlalchemy import true
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from accounts import admins
from accounts.activity import Caller
from config.settings import Settings
from models import Session
from web.authentication import current_session, current_user, this_session, this_user
from web.context import site
from web.guards import EVERYWHERE, GUARDS, Guard, protect
from web.reauthentication import has_fresh_auth, reauth_url
from web.request_info import SAFE_METHODS, address_of, caller
from web.return_to import local_path
from web.text.words import AN_ADMINISTRATOR


def is_admin_here() -> bool:
    """Tell whether the person of this request may see the operator's pages from where they are."""
    settings, session = site().settings, current_session()
    if settings.admin == "off" or session is None or not is_near(settings):
        return False
    if settings.admin_providers and session.provider not in settings.admin_providers:
        return False
    user = current_user()
    return user is not None and admins.is_admin(user, site().policy)


def is_near(settings: Settings) -> bool:
    """Tell whether ADMIN_NETWORKS lets the sender of this request in."""
    if not settings.admin_networks:
        return True
    address = address_of(request)
    return bool(address) and any(
        ipaddress.ip_address(address) in network for network in settings.admin_networks
    )


def require_network() -> None:
    """Raises NotFound outside ADMIN_NETWORKS."""
    if not is_near(site().settings):
        raise NotFound


def hide_from_others() -> None:
    """Raises NotFound, before a form's token is checked, for everybody who is no administrator."""
    if request.blueprint in HIDDEN and not is_admin_here():
        raise NotFound


def require_fresh_admin() -> Response | None:
    """Before a change, ask to sign in again if that was over 15 minutes ago, or with a provider
    that ADMIN_PROVIDERS does not name; then lead back to the page that the form stood on."""
    if request.method in SAFE_METHODS or is_fresh_admin():
        return None
    back = local_path(request.form.get("back"), url_for("admin.people"))
    return redirect(reauth_url(back, always=True), 303)


def is_fresh_admin() -> bool:
    """Tell whether the administrator of this request may change something now."""
    session, allowed = this_session(), site().settings.admin_providers
    latest = session.reauthenticated_with if isinstance(session, Session) else None
    return has_fresh_auth(session) and (not allowed or (latest or session.provider) in allowed)


def limit_admin_acts() -> None:
    """Limit how often one administrator may change something. Raises TooManyAttempts."""
    if request.method not in SAFE_METHODS:
        site().limits.count_admin_act(this_user().id)


ADMIN_NETWORK = Guard("admin_network", require_network)
# It has no say about other requests, such as those that are answered before Flask.
ADMIN_ONLY = Guard("admin_only", hide_from_others, true(), lets_programs_pass=True)
ADMIN_FRESH = Guard("admin_fresh", require_fresh_admin)
ADMIN_LIMITED = Guard("admin_limited", limit_admin_acts)


# The names of the blueprints that only administrators see.
HIDDEN: set[str] = set()
GUARDS[EVERYWHERE].append(ADMIN_ONLY)


def protect_admin(blueprint: Blueprint) -> None:
    """Put the guards of the operator's pages before every request of a blueprint."""
    HIDDEN.add(blueprint.name)
    protect(blueprint, ADMIN_FRESH, ADMIN_LIMITED)


def admin_caller() -> Caller:
    """Return the administrator of this request as the one who acts."""
    user, here = this_user(), caller()
    return Caller(
        here.address,
        here.user_agent,
        here.reference,
        is_operator=True,
        admin_id=user.id,
        admin_name=user.name or AN_ADMINISTRATOR,
    )
