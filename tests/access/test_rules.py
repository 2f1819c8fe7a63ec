"""The operator's rules: who may come in, by address and by facts about a person."""

import pytest

from access.rules import Candidate, Deny, Outcome, Rule, Rules, evaluate
from providers.criteria import Condition, Fact, Standing

DOMAIN = Condition("", "domain", "example.org")
ORG = Condition("forge", "org", "acme")
TEAM = Condition("forge", "team", "acme/core")
OTHER = Condition("cloud", "tenant", "t1")
RULES = Rules(
    (
        Rule(DOMAIN, groups=("staff",)),
        Rule(ORG, groups=("engineers", "staff"), roles=("user",)),
        Rule(TEAM, roles=("admin",)),
        Rule(OTHER),
    )
)


def judge(rules: Rules = RULES, provider: str = "forge", **known: object) -> Outcome:
    email, verified, facts = None, True, {}
    for name, value in known.items():
        if name == "email":
            email = str(value)
        elif name == "verified":
            verified = bool(value)
        else:
            facts[{"org": ORG, "team": TEAM}[name].name] = Fact(Standing(str(value)))
    return evaluate(rules, Candidate(provider, email, verified, facts))


@pytest.mark.parametrize(
    ("email", "verified", "is_in"),
    [
        ("a@example.org", True, True),
        ("a@EXAMPLE.org", True, True),
        ("a@Example.Org", True, True),
        ("a@example.org", False, False),
        ("a@sub.example.org", True, False),
        ("a@xexample.org", True, False),
        ("a@example.org.evil.test", True, False),
        ("a@x@example.org", True, False),
        ("@example.org", True, False),
        ("example.org", True, False),
        ("a@example.org.", True, False),
        ("a@example.org ", True, False),
        ("a@ex\N{CYRILLIC SMALL LETTER A}mple.org", True, False),
        ("a@\N{FULLWIDTH LATIN SMALL LETTER E}xample.org", True, False),
        ("a@example\N{IDEOGRAPHIC FULL STOP}org", True, False),
        ("a@ex\N{SOFT HYPHEN}ample.org", True, False),
        ("a@\N{KELVIN SIGN}example.org", True, False),
        (None, True, False),
    ],
)
def test_only_a_verified_address_of_exactly_the_domain_meets_a_rule(email, verified, is_in):
    outcome = evaluate(RULES, Candidate("forge", email, verified))
    assert (DOMAIN.name in outcome.met) is is_in


@pytest.mark.parametrize(
    "email",
    [
        "a@b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example",
        "a@B\N{LATIN CAPITAL LETTER U WITH DIAERESIS}CHER.example",
        "a@xn--bcher-kva.example",
    ],
)
def test_both_spellings_of_an_international_domain_are_one(email):
    rules = Rules((Rule(Condition("", "domain", "xn--bcher-kva.example")),))
    assert evaluate(rules, Candidate("forge", email, True)).standing is Standing.MET


def test_without_rules_nobody_may_come_in():
    assert judge(Rules(), email="a@example.org").standing is Standing.NOT_MET


def test_one_rule_that_is_met_is_enough():
    outcome = judge(email="a@elsewhere.test", org="met", team="not_met")
    assert outcome.standing is Standing.MET
    assert outcome.met == (ORG.name,)


def test_rules_of_other_providers_say_nothing_about_an_identity():
    assert OTHER.name not in judge(org="met").facts
    assert list(judge(org="met").facts) == [DOMAIN.name, ORG.name, TEAM.name]


def test_what_was_not_asked_is_unknown_and_lets_nobody_in():
    outcome = judge()
    assert outcome.facts[ORG.name].standing is Standing.UNKNOWN
    assert outcome.met == ()


def test_a_fact_of_no_rule_lets_nobody_in():
    facts = {"forge.org=evil": Fact(Standing.MET), OTHER.name: Fact(Standing.MET)}
    assert evaluate(RULES, Candidate("forge", None, False, facts)).met == ()


@pytest.mark.parametrize(
    ("org", "team", "expected"),
    [
        ("not_met", "not_met", Standing.NOT_MET),
        ("not_met", "unknown", Standing.UNKNOWN),
        ("needs_consent", "unknown", Standing.NEEDS_CONSENT),
        ("grant_ended", "not_met", Standing.GRANT_ENDED),
        ("grant_ended", "met", Standing.MET),
    ],
)
def test_the_most_hopeful_rule_decides(org, team, expected):
    assert judge(org=org, team=team).standing is expected


@pytest.mark.parametrize(
    ("deny", "email", "entry"),
    [
        (Deny(emails=frozenset({"a@example.org"})), "A@Example.org", "deny.emails=a@example.org"),
        (Deny(domains=frozenset({"example.org"})), "b@EXAMPLE.ORG", "deny.domains=example.org"),
        (Deny(emails=frozenset({"a@example.org"})), "b@example.org", ""),
        (Deny(domains=frozenset({"example.org"})), "b@sub.example.org", ""),
        (Deny(domains=frozenset({"example.org"})), None, ""),
    ],
)
@pytest.mark.parametrize("verified", [True, False])
def test_deny_wins_over_every_rule(deny, email, entry, verified):
    facts = {ORG.name: Fact(Standing.MET)}
    outcome = evaluate(Rules(RULES.allow, deny), Candidate("forge", email, verified, facts))
    assert outcome.denied == entry
    assert (outcome.met == ()) is (entry != "")
    assert (outcome.standing is Standing.NOT_MET) is (entry != "")


def test_groups_and_roles_are_those_of_the_rules_that_are_met():
    outcome = judge(email="a@example.org", org="met", team="not_met")
    assert RULES.groups_of(outcome.met) == ["engineers", "staff"]
    assert RULES.roles_of(outcome.met) == ["user"]
    assert RULES.groups_of(judge(org="not_met").met) == []


HD = Condition("forge", "hd", "example.org")


@pytest.mark.parametrize(
    ("conditions", "only"),
    [
        ((HD,), HD),
        ((HD, OTHER), HD),
        ((HD, ORG), None),
        ((HD, DOMAIN), None),
        ((DOMAIN,), None),
        ((OTHER,), None),
    ],
)
def test_a_condition_is_the_only_one_if_nothing_else_lets_in_people_of_its_provider(
    conditions, only
):
    assert Rules(tuple(map(Rule, conditions))).only_condition_of("forge") == only


def test_only_its_own_conditions_are_asked_of_a_provider():
    assert RULES.conditions_of("forge") == (ORG, TEAM)
    assert RULES.conditions_of("") == ()
