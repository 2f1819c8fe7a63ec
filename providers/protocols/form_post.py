"""Callbacks by POST: OAuth 2.0 Form Post Response Mode.

https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html

The POST comes from the provider's site, so it carries no cookies (SameSite=Lax): it changes nothing
and continues with a GET. The person's data in it travel sealed, for this flow only.
"""

from werkzeug.datastructures import MultiDict

from errors import StateMismatch
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
