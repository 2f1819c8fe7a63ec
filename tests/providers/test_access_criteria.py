"""What rules ask of each provider, of fake providers that say it as the real ones do."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

import config
from providers import PROVIDERS
from providers.criteria import Fact, Standing
from providers.google_access import SEARCH
from providers.http.transport import Transport
from providers.protocols.connectors import build_connectors
from providers.protocols.openid_connect import OpenIDConnectClient
from simulator.microsoft import TENANTS
from tests.providers.asking import Asking
from tests.site import SECRET_KEY

NAVY = TENANTS["navy.example"]
GROUP, OTHER_GROUP = "02bd9fd6-8f93-4758-87c3-1fb73740a315", "12bd9fd6-8f93-4758-87c3-1fb73740a315"
GUILD, ROLE = "613425648685547541", "936746847437983786"
WORKSPACE = "{0a1b2c3d-1111-4222-8333-abcdefabcdef}"
SLACK_TEAM = f"T{sum(b'navy.example'):08}"
ENTERPRISE = "https://slack.com/enterprise_id"
MET, NOT_MET, UNKNOWN = Standing.MET, Standing.NOT_MET, Standing.UNKNOWN
Ask = Callable[..., Asking]


@pytest.fixture
def ask(make_look_alikes) -> Iterator[Ask]:
    """A registration at a fake provider, with conditions."""
    made: list[Asking] = []

    def make(name: str, *conditions: str, **settings: str) -> Asking:
        simulator = made[0].simulator if made else make_look_alikes(names=(name,))
        made.append(Asking(simulator, name, *conditions, **settings))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def told(place: str, **claims: Any) -> Callable[[Any], None]:
    """Let the issuer say further claims of Grace."""
    return lambda look_alike: look_alike.told.update({(place, "grace"): claims})


def having(attribute: str, value: Any) -> Callable[[Any], None]:
    return lambda look_alike: getattr(look_alike, attribute).update(grace=value)


def unverified_of_the_crew(look_alike: Any) -> None:
    told("id_token", email_verified=False)(look_alike)
    having("groups", ["crew@navy.example"])(look_alike)


def nothing(_look_alike: Any) -> None:
    pass


CASES = {
    "Google: a Workspace account": ("google", 'google.hd = "navy.example"', nothing, MET),
    "Google: of another domain": ("google", 'google.hd = "navy.example.org"', nothing, NOT_MET),
    "Google: in the group": (
        *("google", 'google.group = "Crew@navy.example"'),
        *(having("groups", ["all@navy.example", "crew@Navy.example"]), MET),
    ),
    "Google: in another group": (
        *("google", 'google.group = "crew@navy.example"'),
        *(having("groups", ["crew@navy.example.org"]), NOT_MET),
    ),
    "Google: in no group": ("google", 'google.group = "crew@navy.example"', nothing, NOT_MET),
    "Google: with an address that is not verified": (
        *("google", 'google.group = "crew@navy.example"', unverified_of_the_crew, NOT_MET),
    ),
    "Discord: in the server": (
        *("discord", f'discord.guild = "{GUILD}"', having("guilds", {GUILD: {}}), MET),
    ),
    "Discord: in another server": (
        *("discord", f'discord.guild = "{GUILD}"', having("guilds", {ROLE: {}}), NOT_MET),
    ),
    "Discord: has the role": (
        *("discord", f'discord.role = "{GUILD}/{ROLE}"'),
        *(having("guilds", {GUILD: {"roles": ["1", ROLE]}}), MET),
    ),
    "Discord: without the role": (
        *("discord", f'discord.role = "{GUILD}/{ROLE}"', having("guilds", {GUILD: {}}), NOT_MET),
    ),
    "Discord: the role in another server": (
        *("discord", f'discord.role = "{GUILD}/{ROLE}"'),
        *(having("guilds", {ROLE: {"roles": [ROLE]}}), NOT_MET),
    ),
    "Discord: has not accepted the rules": (
        *("discord", f'discord.role = "{GUILD}/{ROLE}"'),
        *(having("guilds", {GUILD: {"roles": [ROLE], "pending": True}}), NOT_MET),
    ),
    "Microsoft: of the tenant": ("microsoft", f'microsoft.tenant = "{NAVY}"', nothing, MET),
    "Microsoft: of another tenant": (
        *("microsoft", f'microsoft.tenant = "{TENANTS["evil.example"]}"', nothing, NOT_MET),
    ),
    "Microsoft: a guest": (
        *("microsoft", f'microsoft.tenant = "{NAVY}"', told("id_token", acct=1), NOT_MET),
    ),
    "Microsoft: no guest": (
        *("microsoft", f'microsoft.tenant = "{NAVY}"', told("id_token", acct=0), MET),
    ),
    "Microsoft: in the group by claim": (
        *("microsoft", f'microsoft.group = "{GROUP}"', told("id_token", groups=[GROUP]), MET),
    ),
    "Microsoft: not in the claim": (
        *("microsoft", f'microsoft.group = "{GROUP}"'),
        *(told("id_token", groups=[OTHER_GROUP]), NOT_MET),
    ),
    "Microsoft: in the group by Graph": (
        *("microsoft", f'microsoft.group = "{GROUP}"', having("groups", [GROUP]), MET),
    ),
    "Microsoft: not in the group": ("microsoft", f'microsoft.group = "{GROUP}"', nothing, NOT_MET),
    "Microsoft: has the role": (
        *("microsoft", 'microsoft.role = "Admin"', told("id_token", roles=["Admin"]), MET),
    ),
    "Microsoft: a role that begins alike": (
        *("microsoft", 'microsoft.role = "Admin"', told("id_token", roles=["Administrator"])),
        NOT_MET,
    ),
    "GitLab: in the group": (
        *("gitlab", 'gitlab.group = "acme/core"', told("userinfo", groups=["acme/core"]), MET),
    ),
    "GitLab: in the group above it": (
        *("gitlab", 'gitlab.group = "acme/core"', told("userinfo", groups=["acme"]), NOT_MET),
    ),
    "GitLab: in a group of the same name": (
        *("gitlab", 'gitlab.group = "core"', told("userinfo", groups=["acme/core"]), NOT_MET),
    ),
    "GitLab: without groups": ("gitlab", 'gitlab.group = "acme"', nothing, NOT_MET),
    "Slack: of the workspace": ("slack", f'slack.team = "{SLACK_TEAM}"', nothing, MET),
    "Slack: of another": ("slack", 'slack.team = "T0123"', nothing, NOT_MET),
    "Slack: of the organisation": (
        *("slack", 'slack.enterprise = "E012"', told("userinfo", **{ENTERPRISE: "E012"}), MET),
    ),
    "Slack: of no organisation": ("slack", 'slack.enterprise = "E012"', nothing, NOT_MET),
    "Bitbucket: in the workspace": (
        *("bitbucket", f'bitbucket.workspace = "{WORKSPACE}"'),
        *(having("workspaces", [WORKSPACE.replace("0a1b", "1a1b"), WORKSPACE]), MET),
    ),
    "Bitbucket: the same id without braces": (
        *("bitbucket", f'bitbucket.workspace = "{WORKSPACE[1:-1].upper()}"'),
        *(having("workspaces", [WORKSPACE]), MET),
    ),
    "Bitbucket: in others": (
        *("bitbucket", f'bitbucket.workspace = "{WORKSPACE}"'),
        *(having("workspaces", [WORKSPACE.replace("0a1b", "1a1b")]), NOT_MET),
    ),
    "Atlassian: of the site": (
        *("atlassian", 'atlassian.site = "acme.atlassian.net"'),
        *(having("sites", ["other.atlassian.net", "acme.atlassian.net"]), MET),
    ),
    "Atlassian: of another site": (
        *("atlassian", 'atlassian.site = "acme.atlassian.net"'),
        *(having("sites", ["acme.atlassian.net.evil.test"]), NOT_MET),
    ),
    "Zoom: of the account": ("zoom", 'zoom.account = "acc1"', nothing, MET),
    "Zoom: of another account": ("zoom", 'zoom.account = "acc2"', nothing, NOT_MET),
    "Salesforce: of the organisation": (
        *("salesforce", 'salesforce.org = "00Dxx0000001gPLEAY"', nothing, MET),
    ),
    "Salesforce: of another": ("salesforce", 'salesforce.org = "00Dxx"', nothing, NOT_MET),
    "Notion: of the workspace": ("notion", f'notion.workspace = "{WORKSPACE[1:-1]}"', nothing, MET),
    "Notion: of another": ("notion", f'notion.workspace = "{GROUP}"', nothing, NOT_MET),
    "Issuer: a text": (*("acme", 'oidc.acme.team = "core"', told("id_token", team="core"), MET),),
    "Issuer: a longer text": (
        *("acme", 'oidc.acme.team = "core"', told("id_token", team="core-x"), NOT_MET),
    ),
    "Issuer: texts between blanks": (
        *("acme", 'oidc.acme.team = "core"', told("id_token", team="ops core"), MET),
    ),
    "Issuer: a list": (
        *("acme", 'oidc.acme.groups = "core"', told("userinfo", groups=["ops", "core"]), MET),
    ),
    "Issuer: a list without it": (
        *("acme", 'oidc.acme.groups = "core"', told("userinfo", groups=["ops core"]), NOT_MET),
    ),
    "Issuer: below another claim": (
        *("acme", 'oidc.acme.realm_access.roles = "core"'),
        *(told("id_token", realm_access={"roles": ["core"]}), MET),
    ),
    "Issuer: a claim named by its address": (
        *("acme", 'oidc.acme."https://acme.test/roles" = "core"'),
        *(told("id_token", **{"https://acme.test/roles": ["core"]}), MET),
    ),
    "Issuer: an object": (
        *("acme", 'oidc.acme.groups = "core"', told("id_token", groups={"core": True}), NOT_MET),
    ),
    "Issuer: no such claim": ("acme", 'oidc.acme.groups = "core"', nothing, NOT_MET),
}


@pytest.mark.parametrize(("name", "condition", "prepare", "expected"), CASES.values(), ids=CASES)
def test_a_condition_is_met_by_exactly_those_who_meet_it(ask, name, condition, prepare, expected):
    asking = ask(name, condition)
    prepare(getattr(asking.simulator, name))
    fact = asking.fact("grace")
    assert fact.standing is expected, fact.detail
    assert bool(fact.detail) is (expected is not MET)


def test_a_private_account_with_an_address_of_the_domain_has_no_hosted_domain(ask):
    """The parameter ``hd`` of the request is no check: a browser can take it away."""
    look_alike = ask("google").simulator.google
    look_alike.told["id_token", "linus"] = {"email": "linus@navy.example"}
    asking = ask("google", 'google.hd = "navy.example"')
    assert asking.sign_in("linus").profile.email == "linus@navy.example"
    assert asking.fact("linus").standing is NOT_MET


def test_an_account_whose_groups_google_does_not_show_meets_no_rule(ask):
    asking = ask("google", 'google.group = "crew@navy.example"')
    asking.simulator.google.groups["linus"] = ["crew@navy.example"]
    fact = asking.fact("linus")
    assert (fact.standing, "403" in fact.detail) == (NOT_MET, True)


def test_an_address_cannot_ask_about_another_person(ask):
    """The search is a text in quotes; a quote in an address does not end it."""
    asking = ask("google", 'google.group = "crew@navy.example"')
    google = asking.simulator.google
    google.groups["ada"] = ["crew@navy.example"]
    google.told["id_token", "grace"] = {"email": "x'||member_key_id=='ada@gmail.com"}
    assert asking.fact("grace").standing is NOT_MET
    google.told["id_token", "grace"] = {"email": "grace'@navy.example"}
    assert asking.fact("grace").standing is NOT_MET


def test_a_search_for_groups_goes_to_googles_api_alone():
    variables = {"SECRET_KEY": SECRET_KEY, "GOOGLE_CLIENT_ID": "id", "GOOGLE_CLIENT_SECRET": "s"}
    loaded = config.load(PROVIDERS.values(), variables, None)
    with closing(Transport()) as transport:
        built = build_connectors(loaded.registrations, (), "http://localhost:5000", transport)
        connector = built["google"]
        assert isinstance(connector, OpenIDConnectClient)
        url = connector.facts_url(SEARCH)
        assert url == f"https://cloudidentity.googleapis.com/v1/{SEARCH}"
        with pytest.raises(ValueError, match="not next to"):
            connector.facts_url("https://evil.test/v1/groups")


def test_graph_is_asked_for_twenty_groups_at_a_time(ask):
    ids = [GROUP.replace("02bd9fd6", f"{number:08x}") for number in range(45)]
    asking = ask("microsoft", *(f'microsoft.group = "{each}"' for each in ids))
    microsoft = asking.simulator.microsoft
    microsoft.groups["grace"] = [ids[0], ids[20], ids[44]]
    microsoft.told["id_token", "grace"] = {"_claim_names": {"groups": "src1"}}
    facts = asking.facts("grace")
    assert microsoft.group_requests == [20, 20, 5]
    assert [name for name, fact in facts.items() if fact.standing is MET] == [
        f"microsoft.group={ids[number]}" for number in (0, 20, 44)
    ]


SCOPES = {
    'discord.guild = "613425648685547541"': ("discord", "guilds"),
    f'discord.role = "{GUILD}/{ROLE}"': ("discord", "guilds.members.read"),
    f'microsoft.group = "{GROUP}"': ("microsoft", "User.Read"),
    'atlassian.site = "acme.atlassian.net"': ("atlassian", "read:jira-user"),
    'google.group = "crew@navy.example"': (
        *("google", "https://www.googleapis.com/auth/cloud-identity.groups.readonly"),
    ),
}


@pytest.mark.parametrize(("condition", "where"), SCOPES.items(), ids=SCOPES)
def test_a_condition_brings_its_scope(ask, condition, where):
    name, scope = where
    assert scope not in ask(name).connector.scope.split()
    asking = ask(name, condition)
    assert scope in asking.connector.scope.split()
    assert asking.fact("grace").standing is NOT_MET


FAILURES = {
    f'discord.guild = "{GUILD}"': ("discord", "guilds"),
    f'discord.role = "{GUILD}/{ROLE}"': ("discord", "member"),
    f'microsoft.group = "{GROUP}"': ("microsoft", "groups"),
    f'bitbucket.workspace = "{WORKSPACE}"': ("bitbucket", "workspaces"),
    'atlassian.site = "acme.atlassian.net"': ("atlassian", "sites"),
    'gitlab.group = "acme"': ("gitlab", "profile"),
    'google.group = "crew@navy.example"': ("google", "groups"),
    'oidc.acme.groups = "core"': ("acme", "profile"),
}


@pytest.mark.parametrize("answer", ["status_503", "status_429", "hang_up", "number"])
@pytest.mark.parametrize(("condition", "where"), FAILURES.items(), ids=FAILURES)
def test_a_failure_is_neither_a_yes_nor_a_no(ask, condition, where, answer):
    name, place = where
    asking = ask(name, condition)
    getattr(asking.simulator, name).answers[place] = answer
    assert asking.fact("grace").standing is UNKNOWN


# Later, with the stored token.

AGAIN = {
    f'discord.role = "{GUILD}/{ROLE}"': ("discord", "guilds", {GUILD: {"roles": [ROLE]}}),
    f'microsoft.group = "{GROUP}"': ("microsoft", "groups", [GROUP]),
    f'bitbucket.workspace = "{WORKSPACE}"': ("bitbucket", "workspaces", [WORKSPACE]),
    'atlassian.site = "acme.atlassian.net"': ("atlassian", "sites", ["acme.atlassian.net"]),
    'google.group = "crew@navy.example"': ("google", "groups", ["crew@navy.example"]),
}


@pytest.mark.parametrize(("condition", "where"), AGAIN.items(), ids=AGAIN)
def test_the_stored_token_shows_what_ended(ask, condition, where):
    name, attribute, value = where
    asking = ask(name, condition)
    held = getattr(getattr(asking.simulator, name), attribute)
    held["grace"] = value
    signed_in = asking.sign_in("grace")
    assert standings(asking.again(signed_in)) == [MET]
    held.clear()
    assert standings(asking.again(signed_in, signed_in.facts)) == [NOT_MET]


def test_a_claim_of_userinfo_is_read_again(ask):
    asking = ask("acme", 'oidc.acme.groups = "core"')
    told("userinfo", groups=["core"])(asking.simulator.acme)
    told("id_token", groups=["core"])(asking.simulator.acme)
    signed_in = asking.sign_in("grace")
    told("userinfo")(asking.simulator.acme)
    assert standings(asking.again(signed_in, signed_in.facts)) == [NOT_MET]


def test_a_claim_of_the_id_token_alone_stays_until_the_next_sign_in(ask):
    asking = ask("acme", 'oidc.acme.groups = "core"')
    told("id_token", groups=["core"])(asking.simulator.acme)
    signed_in = asking.sign_in("grace")
    assert asking.again(signed_in, signed_in.facts) == signed_in.facts
    told("id_token")(asking.simulator.acme)
    assert asking.fact("grace").standing is NOT_MET


@pytest.mark.parametrize(
    ("name", "condition"),
    [
        ("google", 'google.hd = "navy.example"'),
        ("microsoft", f'microsoft.tenant = "{NAVY}"'),
        ("slack", f'slack.team = "{SLACK_TEAM}"'),
        ("notion", f'notion.workspace = "{WORKSPACE[1:-1]}"'),
    ],
)
def test_what_a_subject_or_an_id_token_says_is_not_asked_again(ask, name, condition):
    asking = ask(name, condition)
    signed_in = asking.sign_in("grace")
    getattr(asking.simulator, name).seen.clear()
    assert asking.connector.asked_again == ()
    assert asking.again(signed_in, signed_in.facts) == {}
    assert getattr(asking.simulator, name).seen == []


def standings(facts: dict[str, Fact]) -> list[Standing]:
    return [fact.standing for fact in facts.values()]
