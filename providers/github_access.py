"""Criteria of GitHub: organisations and teams.

https://docs.github.com/rest/orgs/members#get-an-organization-membership-for-the-authenticated-user
https://docs.github.com/rest/teams/members#get-team-membership-for-a-user
"""

from urllib.parse import quote

from errors import ProviderError
from providers.answers import HTTPAnswer
from providers.criteria import Ask, Criteria, Criterion, Fact, met, met_if, not_met, rows_of
from providers.profile import value_at

LOGIN = r"[a-z0-9](-?[a-z0-9]){0,38}"
SLUG = r"[a-z0-9._-]{1,100}"
MOST_ORGANISATIONS = 100
# The answers to an old name.
MOVED = (301, 404)
# GitHub names only the widest of the scopes that contain each other.
WIDER = frozenset({"admin:org", "write:org"})


def organisation(ask: Ask, org: str) -> Fact:
    return _membership(ask, org)[1]


def team(ask: Ask, place: str) -> Fact:
    """Members of a child team are members of the team above it (the API counts them)."""
    org, _, slug = place.partition("/")
    login, fact = _membership(ask, org, may_repeat=False)
    if not login:
        return fact
    user = ask.get("user")
    if str(value_at(user, "id")) != ask.subject:
        return not_met("the token is another person's")
    path = f"orgs/{login}/teams/{slug}/memberships/{quote(str(value_at(user, 'login')), safe='')}"
    reply = ask.send(path)
    if reply.status_code != 200:
        return _refused(reply, f"the team {place}")
    return _active(ask.read(reply), f"the team {place}")


def _membership(ask: Ask, org: str, *, may_repeat: bool = True) -> tuple[str, Fact]:
    """Return the organisation's name today if the person is an active member, and the fact.

    An organisation that was renamed keeps its id, and leaves its name to anybody: the id under
    which it was first seen decides.
    """
    known = ask.known_id(org)
    tag = ask.earlier.validator if may_repeat and ask.earlier else ""
    reply = ask.send(
        f"user/memberships/orgs/{org}", headers={"If-None-Match": tag} if tag else None
    )
    if reply.status_code == 304 and ask.earlier:
        return org, ask.earlier
    if reply.status_code != 200:
        refused = _refused(reply, f"the organisation {org}")
        return _renamed(ask, org, known) if known and reply.status_code in MOVED else ("", refused)
    answer = ask.read(reply)
    lasting_id = str(value_at(answer, "organization.id") or "")
    if known and lasting_id != known:
        return _renamed(ask, org, known)
    fact = _active(answer, f"the organisation {org}", reply.headers.get("ETag", ""))
    if not fact.detail:
        ask.learn_id(org, lasting_id)
    return ("" if fact.detail else org), fact


def _active(answer: object, where: str, tag: str = "") -> Fact:
    """An invitation that was not accepted is ``pending``."""
    state = value_at(answer, "state")
    if not isinstance(state, str):
        raise ProviderError("GitHub's answer says nothing of a membership")
    return met_if(state == "active", f"the membership of {where} is {state}", tag)


def _renamed(ask: Ask, org: str, known: str) -> tuple[str, Fact]:
    """Look for an organisation by its id among those of the person."""
    path = f"user/memberships/orgs?state=active&per_page={MOST_ORGANISATIONS}"
    for row in rows_of(ask.get(path)):
        if str(value_at(row, "organization.id")) == known:
            return quote(str(value_at(row, "organization.login")), safe=""), met()
    return "", not_met(f"no member of the organisation with the id {known}, once {org}")


def _refused(reply: HTTPAnswer, where: str) -> Fact:
    """Describe a refusal: GitHub answers 403, or 404, too if the organisation does not let this
    application see its members."""
    if "X-GitHub-SSO" in reply.headers:
        return not_met(f"{where} wants a sign-in at its own SAML provider first (X-GitHub-SSO)")
    if reply.status_code == 403:
        return not_met(f"GitHub answered 403: {where} may not have approved this application")
    return not_met(f"GitHub answered {reply.status_code}: no member of {where}")


CRITERIA: Criteria = {
    "org": Criterion(
        organisation,
        "your membership of {value}",
        pattern=LOGIN,
        example="acme",
        scope="read:org",
        covered_by=WIDER,
        folds_case=True,
    ),
    "team": Criterion(
        team,
        "your membership of the team {value}",
        pattern=f"{LOGIN}/{SLUG}",
        example="acme/core",
        scope="read:org",
        covered_by=WIDER,
        folds_case=True,
    ),
}
