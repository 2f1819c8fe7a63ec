"""Shared by the views of the OpenID Provider: our name, whom the site admits, who is there."""

from flask import request
from werkzeug.datastructures import MultiDict

from accounts.admission import Admission, admission_of
from accounts.sids import sid_of
from issuer import parameters
from issuer.parameters import Parameters
from issuer.steps import Visitor
from web.authentication import current_session
from web.context import site
from web.session import is_bound


def issuer() -> str:
    """Return our issuer identifier: the public URL with its path, without a slash at its end."""
    return site().settings.base_url


def admission() -> Admission:
    return admission_of(site().policy, site().settings)


def current_visitor() -> Visitor | None:
    """Return the signed-in person, as far as an application's request needs them."""
    session = current_session()
    if session is None:
        return None
    return Visitor(
        user_id=session.user_id,
        identity_id=session.identity_id,
        sid=sid_of(session),
        provider=session.provider,
        auth_time=session.authenticated_at,
        is_bound=is_bound(session),
    )


def is_head() -> bool:
    """Tell whether the request only asks how GET would be answered, and so must change nothing
    (RFC 9110 9.3.2)."""
    return request.method == "HEAD"


def read_query() -> Parameters:
    return _read(request.args)


def read_form() -> Parameters:
    return _read(request.form)


def _read(values: "MultiDict[str, str]") -> Parameters:
    return parameters.read(values.items(multi=True))
