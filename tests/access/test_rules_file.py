"""The rules file: what can be written, and the faults that are named."""

from datetime import timedelta

import pytest

from access.rules import Deny, Rules
from access.rules_file import parse_rules
from config.registrations import Registration
from errors import SettingsError
from providers import PROVIDERS
from providers.named_issuer import named_issuer

ON = {name: PROVIDERS[name] for name in ("github", "google", "microsoft", "facebook")}
ON["kc"] = named_issuer("kc", Registration(key="oidc_kc", client_id="x", issuer="https://kc.test"))


def parse(text: str) -> Rules:
    return parse_rules(text, ON, "ACCESS_FILE")


def names(text: str) -> list[str]:
    return [rule.name for rule in parse(text).allow]


def faults(text: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        parse(text)
    return refused.value.faults


def test_a_file_with_everything():
    rules = parse(
        """
        [[allow]]
        domain = "Example.org"
        [[allow]]
        google.hd = "example.org"
        [[allow]]
        github.team = "Acme/Core"
        groups = ["engineers", "engineers", "staff"]
        roles = ["admin"]
        [[allow]]
        oidc.kc.groups = "engineers"
        [[allow]]
        oidc.kc.realm_access.roles = "admin"
        [[allow]]
        oidc.kc."https://example.org/roles" = "Reader"
        [deny]
        emails = ["X@example.org"]
        domains = ["evil.test"]
        [recheck]
        every = "30m"
        grace = "7d"
        """
    )
    assert [rule.name for rule in rules.allow] == [
        "domain=example.org",
        "google.hd=example.org",
        "github.team=acme/core",
        "oidc.kc.groups=engineers",
        "oidc.kc.realm_access.roles=admin",
        "oidc.kc.https://example.org/roles=Reader",
    ]
    assert rules.allow[2].groups == ("engineers", "staff")
    assert rules.allow[2].roles == ("admin",)
    assert rules.deny == Deny(frozenset({"x@example.org"}), frozenset({"evil.test"}))
    assert (rules.every, rules.grace) == (timedelta(minutes=30), timedelta(days=7))
    assert [each.kind for each in rules.conditions_of("kc")] == [
        "groups",
        "realm_access.roles",
        "https://example.org/roles",
    ]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "[deny]\nemails = []\n"])
def test_a_file_without_rules_lets_nobody_in(text):
    assert parse(text) == Rules()


FAULTS = {
    '[[permit]]\ndomain = "example.org"': "permit: there is no such table",
    'domain = "example.org"': "domain: there is no such table",
    '[allow]\ndomain = "example.org"': "allow: must be written [[allow]]",
    '[[allow]]\ndomein = "example.org"': "allow 1: domein: there is no such condition",
    '[[allow]]\ndomain = ["a.test", "b.test"]': "allow 1: domain: has several values",
    "[[allow]]\ndomain = 5": "allow 1: domain: must be a text",
    '[[allow]]\ndomain = "example"': "allow 1: domain: must be a domain",
    '[[allow]]\ndomain = "*.example.org"': "allow 1: domain: must be a domain",
    '[[allow]]\ngithub.org = ["acme", "other"]': "allow 1: github.org: has several values",
    '[[allow]]\ngithub.orgs = "acme"': "github.orgs: there is no such condition; there are org, t",
    '[[allow]]\ngithub.org = "acme/core"': "allow 1: github.org: must be such as 'acme'",
    '[[allow]]\ngithub.team = "core"': "allow 1: github.team: must be such as 'acme/core'",
    '[[allow]]\ngithub.org = ".."': "allow 1: github.org: must be such as",
    '[[allow]]\ngithub = "acme"': "allow 1: github: there is no such condition",
    '[[allow]]\ngithub.org = "a"\ngithub.team = "a/b"': "one condition; this one has github.org, g",
    '[[allow]]\ngroups = ["x"]': "allow 1: a rule has one condition; this one has none",
    '[[allow]]\ngitlab.group = "acme"': "gitlab.group: GitLab is off; set GITLAB_CLIENT_ID",
    '[[allow]]\ngithubb.org = "acme"': "githubb.org: there is no provider githubb",
    '[[allow]]\noidc.acme.groups = "x"': "oidc.acme.groups: there is no provider acme",
    '[[allow]]\nfacebook.group = "x"': "Facebook says nothing that rules use",
    '[[allow]]\nmicrosoft.tenant = "example.org"': "microsoft.tenant: must be such as",
    '[[allow]]\ndomain = "a.test"\n[[allow]]\ndomain = "A.test"': "allow 2: domain=a.test: another",
    '[[allow]]\ndomain = "a.test"\ngroups = "x"': "allow 1: groups: must be a list of texts",
    '[[allow]]\ndomain = "a.test"\ngroups = ["Ops"]': "allow 1: groups: 'Ops' must be of a-z",
    '[[allow]]\ndomain = "a.test"\nroles = ["a b"]': "allow 1: roles: 'a b' must be of a-z",
    '[deny]\nemial = ["x@a.test"]': "deny.emial: there is no such key",
    '[deny]\nemails = "x@a.test"': "deny.emails: must be a list of texts",
    '[deny]\nemails = ["x"]': "deny.emails: 'x' is not an address",
    "[[deny]]\nemails = []": "deny: must be written [deny], once",
    '[recheck]\nevery = "1 hour"': "recheck.every: must be such as",
    "[recheck]\ngrace = 24": "recheck.grace: must be such as",
    '[recheck]\never = "1h"': "recheck.ever: there is no such key",
    "[[allow]\n": "is not TOML: ",
}


@pytest.mark.parametrize(("text", "fault"), FAULTS.items(), ids=FAULTS.values())
def test_a_fault_is_named_with_the_setting_that_has_it(text, fault):
    (line,) = faults(text)
    assert line.startswith("ACCESS_FILE: ")
    assert fault in line


def test_all_faults_are_reported_together():
    found = faults(
        '[[allow]]\ngithub.x = "a"\n[[allow]]\ndomain = 1\n[deny]\nx = 1\n[recheck]\nx = 1'
    )
    assert len(found) == 4


@pytest.mark.parametrize(
    ("condition", "fault"),
    [
        ("oidc.github.org", "oidc.github.org: OIDC_PROVIDERS does not name it"),
        ("kc.groups", "kc.groups: write oidc.kc.groups"),
        ("oidc.kc", "oidc.kc: there is no such condition"),
        ("oidc", "oidc: there is no such condition"),
    ],
)
def test_claims_are_those_of_an_issuer_that_the_settings_name(condition, fault):
    """Those of other providers mean what their own conditions say."""
    (line,) = faults(f'[[allow]]\n{condition} = "acme"')
    assert fault in line
