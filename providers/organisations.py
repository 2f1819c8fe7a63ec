"""Criteria of providers that tell a membership in one claim or one list: workspaces, sites,
groups, and the claims of an operator's own issuer.

GitLab https://docs.gitlab.com/integration/openid_connect_provider/#shared-information
Bitbucket https://developer.atlassian.com/cloud/bitbucket/changelog/ (CHANGE-2770)
Atlassian https://developer.atlassian.com/cloud/oauth/getting-started/making-calls-to-api/
"""

from urllib.parse import urlsplit

from errors import ProviderError
from providers.base import NotShared
from providers.criteria import (
    Ask,
    Criteria,
    Criterion,
    Fact,
    met_if,
    rows_of,
    told,
)
from providers.profile import value_at

UUID = r"\{?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?"
SLACK_TEAM, SLACK_ENTERPRISE = "https://slack.com/team_id", "https://slack.com/enterprise_id"
MOST_PAGES = 20
# Where a claim was found.
ID_TOKEN, USERINFO = "id_token", "userinfo"


def _begins_subject(separator: str, what: str) -> Criterion:
    """Build the criterion of an organisation whose id is the first part of the subject."""

    def read(ask: Ask, value: str) -> Fact:
        own = ask.subject.partition(separator)[0]
        return met_if(own == value, f"the {what} is {own}")

    return Criterion(
        read,
        f"your account of the {what} {{value}}",
        pattern=r"[A-Za-z0-9]+",
        example="T0123ABCD" if what == "workspace" else "00D50000000IZ3ZEAW",
        is_asked_again=False,
    )


def _slack_enterprise(ask: Ask, enterprise: str) -> Fact:
    said = ask.get("userinfo").get(SLACK_ENTERPRISE)
    return met_if(said == enterprise, f"the organisation is {told(said)}")


SLACK_CRITERIA: Criteria = {
    "team": _begins_subject("_", "workspace"),
    "enterprise": Criterion(
        _slack_enterprise,
        "your account of the organisation {value}",
        pattern=r"E[A-Z0-9]+",
        example="E0123ABCD",
    ),
}

SALESFORCE_CRITERIA: Criteria = {"org": _begins_subject("/", "organisation")}


def _gitlab_group(ask: Ask, path: str) -> Fact:
    """Userinfo has all groups, by their full paths; the ID token only the first ones."""
    said = ask.get("userinfo").get("groups")
    return met_if(isinstance(said, list) and path in said, "not in the claim groups")


GITLAB_CRITERIA: Criteria = {
    "group": Criterion(
        _gitlab_group,
        "your membership of {value}",
        pattern=r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*",
        example="acme/core",
    )
}


def _bitbucket_workspace(ask: Ask, uuid: str) -> Fact:
    """Compare ids, as a slug can be renamed and then taken. The list has pages."""
    path = "user/workspaces?pagelen=100"
    for _ in range(MOST_PAGES):
        answer = ask.get(path)
        rows = rows_of(value_at(answer, "values"))
        found = {str(value_at(row, "workspace.uuid") or row.get("uuid")) for row in rows}
        if uuid.strip("{}") in {each.strip("{}").lower() for each in found}:
            return met_if(True, "")
        following = value_at(answer, "next")
        if not isinstance(following, str):
            return met_if(False, "not in the workspace")
        path = f"user/workspaces?{urlsplit(following).query}"
    raise ProviderError(f"the list of workspaces has more than {MOST_PAGES} pages")


BITBUCKET_CRITERIA: Criteria = {
    "workspace": Criterion(
        _bitbucket_workspace,
        "your membership of the workspace {value}",
        pattern=UUID,
        example="{0a1b2c3d-1111-4222-8333-abcdefabcdef}",
        scope="account",
        folds_case=True,
    )
}


def _atlassian_site(ask: Ask, host: str) -> Fact:
    rows = rows_of(ask.get("oauth/token/accessible-resources"))
    hosts = {urlsplit(str(row.get("url"))).hostname for row in rows}
    ids = {row.get("id") for row in rows}
    return met_if(host in hosts | ids, "not among the sites that the token is for")


# From memory: a token without a scope of a product is for no site.
ATLASSIAN_CRITERIA: Criteria = {
    "site": Criterion(
        _atlassian_site,
        "your account of {value}",
        pattern=r"[a-z0-9.-]+",
        example="acme.atlassian.net",
        scope="read:jira-user",
        folds_case=True,
    )
}


def _zoom_account(ask: Ask, account: str) -> Fact:
    said = value_at(ask.get("users/me"), "account_id")
    return met_if(said == account, f"the account is {told(said)}")


ZOOM_CRITERIA: Criteria = {
    "account": Criterion(
        _zoom_account, "your membership of the account {value}", example="o8KK_AAACq6BBEyA70CA"
    )
}


def _notion_workspace(ask: Ask, workspace: str) -> Fact:
    """The token response names the workspace that the person chose."""
    said = value_at(ask.get("token"), "workspace_id")
    return met_if(str(said).lower() == workspace, f"the workspace is {told(said)}")


NOTION_CRITERIA: Criteria = {
    "workspace": Criterion(
        _notion_workspace,
        "your membership of the workspace {value}",
        pattern=UUID,
        example="0a1b2c3d-1111-4222-8333-abcdefabcdef",
        is_asked_again=False,
        folds_case=True,
    )
}


def claim_criterion(claim: str) -> Criterion:
    """Build the criterion of a claim of the operator's own issuer, by its name or dotted path.

    A text must be equal or, as scopes are written, have the value between blanks; a list must have
    it. Userinfo goes first, as it can be asked again; a claim that only the ID token has is known
    from sign-ins alone.
    """

    def read(ask: Ask, value: str) -> Fact:
        if not ask.is_sign_in and ask.earlier and ask.earlier.validator == ID_TOKEN:
            return ask.earlier
        for source in (USERINFO, ID_TOKEN) if ask.is_sign_in else (USERINFO,):
            said = _claim(ask, source, claim)
            if said is not None:
                return met_if(_has(said, value), f"{claim} does not have it", source)
        raise NotShared(f"there is no claim {claim}")

    return Criterion(read, "{value}", example="engineers")


def _claim(ask: Ask, source: str, claim: str) -> object:
    try:
        claims = ask.get(source)
    except NotShared:
        return None
    whole = claims.get(claim)
    return whole if whole is not None else value_at(claims, claim)


def _has(said: object, value: str) -> bool:
    if isinstance(said, str):
        return said == value or value in said.split(" ")
    return isinstance(said, list) and value in said
