"""Callbacks by POST: OAuth 2.0 Form Post Response Mode.

https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html

The POST comes from the provider's site, so it carries no cookies (SameSite=Lax): it changes nothing
and continues with a GET. The person's data in it travel sealed, for this flow only.
"""

import json
from collections.abc import Mapping
from dataclasses import replace

from werkzeug.datastructures import MultiDict

from errors import StateMismatch
from providers.base import Assertion
from providers.profile import clean_email, clean_text, value_at
from providers.protocols.error_codes import DESCRIPTION_CHARACTERS

# Fields that are passed on to the callback by GET.
PARAMETERS = ("state", "code", "error", "iss")
FIELD_MAX_CHARACTERS = 4096


def read_form_post(form: MultiDict[str, str]) -> dict[str, str]:
    """Read the fields to pass on, and the form's ``user``, unparsed, if there is a state to bind it
    to. Raises StateMismatch if a parameter came twice."""
    if any(len(form.getlist(name)) > 1 for name in PARAMETERS):
        raise StateMismatch("a callback parameter came twice")
    fields = {
        name: form[name]
        for name in PARAMETERS
        if name in form and len(form[name]) <= FIELD_MAX_CHARACTERS
    }
    if said := form.get("error_description"):
        fields["error_description"] = said[:DESCRIPTION_CHARACTERS]
    user = form.get("user", "")
    return {**fields, "user": user} if user and "state" in fields else fields


def address_in(user: str) -> str | None:
    """Return the address in a form's ``user``. It is not signed: it only tells whose the other
    values are, if they are used later."""
    try:
        return clean_email(value_at(json.loads(user), "email"))
    except (ValueError, RecursionError):
        return None


def with_kept_name(assertion: Assertion, kept: Mapping[str, object]) -> Assertion:
    """Return an assertion with the name that an earlier, failed flow of the same person brought."""
    profile, name = assertion.profile, clean_text(kept.get("name"))
    if profile.name or not name or kept.get("address") != profile.email:
        return assertion
    return replace(assertion, profile=replace(profile, name=name))
