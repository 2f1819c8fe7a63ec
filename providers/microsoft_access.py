"""Criteria of Microsoft: tenants, groups and app roles.

https://learn.microsoft.com/entra/identity-platform/optional-claims-reference
https://learn.microsoft.com/graph/api/directoryobject-checkmembergroups
"""

from collections.abc import Mapping
from typing import Any

from errors import ProviderError
from providers.criteria import Ask, Criteria, Criterion, Fact, met, met_if, not_met
from providers.parts import GUID
from providers.profile import value_at

# The optional claim ``acct`` of a guest, who has the tenant's ``tid`` too.
GUEST = 1
# Relative to the userinfo endpoint, which is Graph's.
CHECK = "POST ../v1.0/me/checkMemberGroups"
MOST_GROUPS = 20


def tenant(ask: Ask, tenant_id: str) -> Fact:
    """The tenant is a part of the subject, which was checked with the issuer."""
    own = ask.subject.partition("|")[0]
    if own != tenant_id:
        return not_met(f"the tenant is {own}")
    if ask.get("id_token").get("acct") == GUEST:
        return not_met("a guest of the tenant")
    return met()


def group(ask: Ask, group_id: str) -> Fact:
    """Read the claim ``groups``, or ask Graph if it is not there: not configured, left out for more
    than 200 groups, or no sign-in. Graph counts groups within groups."""
    claims: Mapping[str, Any] = ask.get("id_token") if ask.is_sign_in else {}
    said = claims.get("groups")
    if isinstance(said, list):
        return met_if(group_id in said, "not in the claim groups")
    found = ask.once("groups", lambda: _groups_of_graph(ask))
    return met_if(group_id in found, "not among the groups that Graph knows of")


def _groups_of_graph(ask: Ask) -> set[str]:
    """Return those of all groups that the rules name which the person is in."""
    found: set[str] = set()
    for start in range(0, len(ask.values), MOST_GROUPS):
        document = {"groupIds": ask.values[start : start + MOST_GROUPS]}
        said = value_at(ask.read(ask.send(CHECK, document=document)), "value")
        if not isinstance(said, list):
            raise ProviderError("Graph's answer has no list of groups")
        found |= {each for each in said if isinstance(each, str)}
    return found


def role(ask: Ask, name: str) -> Fact:
    said = ask.get("id_token").get("roles")
    return met_if(isinstance(said, list) and name in said, "not in the claim roles")


CRITERIA: Criteria = {
    "tenant": Criterion(
        tenant,
        "your account of the tenant {value}",
        pattern=GUID.pattern,
        example="72f988bf-86f1-41af-91ab-2d7cd011db47",
        is_asked_again=False,
        folds_case=True,
    ),
    "group": Criterion(
        group,
        "your membership of the group {value}",
        pattern=GUID.pattern,
        example="02bd9fd6-8f93-4758-87c3-1fb73740a315",
        scope="User.Read",
        folds_case=True,
    ),
    "role": Criterion(role, "your role {value}", example="Admin", is_asked_again=False),
}
