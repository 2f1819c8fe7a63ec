"""Criteria of Google: Workspace domains and groups.

https://developers.google.com/identity/openid-connect/openid-connect#obtain-user-information-from-the-id-token
https://cloud.google.com/identity/docs/reference/rest/v1/groups.memberships/searchTransitiveGroups
"""

import json
from urllib.parse import urlencode

from errors import ProviderError
from providers.answers import HTTPAnswer
from providers.criteria import (
    Ask,
    Criteria,
    Criterion,
    Fact,
    claim_is,
    met_if,
    not_met,
    rows_of,
    told,
)
from providers.profile import clean_email, value_at

SCOPE = "https://www.googleapis.com/auth/cloud-identity.groups.readonly"
SEARCH = "groups/-/memberships:searchTransitiveGroups"
# Google groups have this label, other kinds of groups do not.
LABEL = "cloudidentity.googleapis.com/groups.discussion_forum"
PAGE_ROWS, MOST_PAGES = 1000, 20


def group(ask: Ask, address: str) -> Fact:
    """Search the person's groups, with those that contain one of theirs. Google does so for
    accounts of some editions only, and answers 403 for all others."""
    email = _address(ask)
    if email is None:
        return not_met("no verified address")
    found = ask.once("groups", lambda: _groups(ask, email))
    return met_if(address in found, "not in the group")


def _address(ask: Ask) -> str | None:
    claims = ask.get("id_token")
    return clean_email(claims.get("email")) if claims.get("email_verified") is True else None


def _groups(ask: Ask, email: str) -> set[str]:
    """Return the addresses of the groups."""
    found: set[str] = set()
    page = ""
    for _ in range(MOST_PAGES):
        parameters = {"query": _query(email), "pageSize": PAGE_ROWS, "pageToken": page}
        reply = ask.send(f"{SEARCH}?{urlencode(parameters)}")
        _check_project(reply)
        answer = ask.read(reply)
        if not isinstance(answer, dict):
            raise ProviderError(f"the answer has {told(answer)} where an object belongs")
        rows = rows_of(answer.get("memberships", []))
        found |= {str(value_at(row, "groupKey.id")).lower() for row in rows}
        page = str(answer.get("nextPageToken") or "")
        if not page:
            return found
    raise ProviderError(f"the list of groups has more than {MOST_PAGES} pages")


def _query(email: str) -> str:
    """Return the search in the Common Expression Language, in which a backslash escapes."""
    text = email.replace("\\", "\\\\").replace("'", "\\'")
    return f"member_key_id == '{text}' && '{LABEL}' in labels"


def _check_project(reply: HTTPAnswer) -> None:
    """Raise ProviderError for a 403 that is about our project, such as an API that is off, and says
    nothing about the person. From memory: it has a reason, and a refusal of the account has none.
    """
    if reply.status_code == 403 and (reason := _reason(reply.content)):
        raise ProviderError(f"Google answered 403: {told(reason)}")


def _reason(content: bytes) -> object:
    try:
        return value_at(json.loads(content), "error.details.0.reason")
    except ValueError:
        return None


# Not the parameter of the request, which anybody may take away: the claim. A private account with
# an address of the domain has none.
CRITERIA: Criteria = {
    "hd": claim_is(
        "hd",
        "your account of {value}",
        pattern=r"[a-z0-9][a-z0-9.-]*\.[a-z0-9-]+",
        example="example.org",
        hint="hd",
    ),
    "group": Criterion(
        group,
        "your membership of the group {value}",
        pattern=r"[^\s@'\"\\]+@[a-z0-9][a-z0-9.-]*\.[a-z0-9-]+",
        example="engineers@example.org",
        scope=SCOPE,
        folds_case=True,
    ),
}
