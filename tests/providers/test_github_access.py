"""GitHub's organisations and teams: who counts as a member, as GitHub says it in all its ways."""

from collections.abc import Callable, Iterator

import pytest

from errors import AccessRefused
from providers.criteria import Standing
from tests.providers.asking import Asking

ORG, TEAM = 'github.org = "acme"', 'github.team = "acme/core"'
NAMES = {ORG: "github.org=acme", TEAM: "github.team=acme/core"}


@pytest.fixture
def ask(make_look_alikes) -> Iterator[Callable[..., Asking]]:
    simulator, made = make_look_alikes(names=("github",)), []

    def make(*conditions: str, **settings: str) -> Asking:
        made.append(Asking(simulator, "github", *conditions, **settings))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def acme(ask):
    """The organisation acme, with Ada as a member who is in the team core."""
    organisation = ask().simulator.github.organisations.add("acme", 17, ada="active")
    organisation.teams["core"] = {"ada": "active"}
    return organisation


@pytest.mark.parametrize("rule", [ORG, TEAM])
def test_an_active_member_passes(ask, acme, rule):
    assert ask(rule).fact("ada").standing is Standing.MET


@pytest.mark.parametrize("rule", [ORG, TEAM])
def test_somebody_else_does_not(ask, acme, rule):
    fact = ask(rule).fact("grace")
    assert (fact.standing, "404" in fact.detail) == (Standing.NOT_MET, True)


@pytest.mark.parametrize("rule", [ORG, TEAM])
def test_an_invitation_that_was_not_accepted_is_no_membership(ask, acme, rule):
    acme.members["ada"] = "pending"
    fact = ask(rule).fact("ada")
    assert (fact.standing, "pending" in fact.detail) == (Standing.NOT_MET, True)


def test_a_pending_team_member_does_not_pass(ask, acme):
    acme.teams["core"]["ada"] = "pending"
    fact = ask(TEAM).fact("ada")
    assert (fact.standing, "pending" in fact.detail) == (Standing.NOT_MET, True)


def test_a_member_of_the_organisation_is_not_in_each_of_its_teams(ask, acme):
    acme.teams["core"] = {}
    assert ask(TEAM).fact("ada").standing is Standing.NOT_MET


def test_a_team_of_another_organisation_with_the_same_name_is_another_team(ask, acme):
    other = ask().simulator.github.organisations.add("acme-labs", 18, grace="active")
    other.teams["core"] = {"grace": "active"}
    assert ask(TEAM).fact("grace").standing is Standing.NOT_MET
    assert ask(ORG).fact("grace").standing is Standing.NOT_MET


@pytest.mark.parametrize("rule", [ORG, TEAM])
@pytest.mark.parametrize(
    ("refuses", "words"), [("blocked", "may not have approved"), ("saml", "X-GitHub-SSO")]
)
def test_the_log_says_why_an_organisation_shows_nothing(ask, acme, rule, refuses, words):
    acme.refuses = refuses
    fact = ask(rule).fact("ada")
    assert (fact.standing, words in fact.detail) == (Standing.NOT_MET, True)


@pytest.mark.parametrize("rule", [ORG, TEAM])
def test_a_renamed_organisation_is_known_by_its_id(ask, acme, rule):
    asking = ask(rule)
    asking.fact("ada")
    acme.login = "acme-industries"
    assert asking.fact("ada").standing is Standing.MET
    assert asking.fact("grace").standing is Standing.NOT_MET


@pytest.mark.parametrize("rule", [ORG, TEAM])
def test_whoever_takes_the_name_of_a_renamed_organisation_does_not_pass(ask, acme, rule):
    asking = ask(rule)
    asking.fact("ada")
    acme.login = "acme-industries"
    squatted = asking.simulator.github.organisations.add("acme", 99, mallory="active")
    squatted.teams["core"] = {"mallory": "active"}
    assert asking.fact("mallory").standing is Standing.NOT_MET
    assert asking.fact("ada").standing is Standing.MET


def test_who_is_no_member_teaches_no_id(ask, acme):
    asking = ask(ORG)
    acme.members["grace"] = "pending"
    asking.fact("grace")
    assert asking.places == {}
    asking.fact("ada")
    assert asking.places == {"github:acme": "17"}


@pytest.mark.parametrize(
    "answer",
    [
        "status_500",
        "status_503",
        "status_429",
        "rate_limited",
        "try_later",
        "hang_up",
        "firewall",
        "html",
        "list",
        "broken_json",
    ],
)
def test_a_failure_is_neither_a_yes_nor_a_no(ask, acme, answer):
    asking = ask(ORG)
    asking.simulator.github.answers["organisation"] = answer
    assert asking.fact("ada").standing is Standing.UNKNOWN


def test_the_scope_is_asked_for_because_of_the_rule_and_not_without_it(ask, acme):
    assert "read:org" not in ask().connector.scope.split()
    assert ask(ORG, TEAM).connector.scope.split().count("read:org") == 1
    assert "read:org" in ask(ORG, GITHUB_SCOPE="user:email").connector.scope.split()


def test_a_wider_scope_of_the_operator_covers_it(ask, acme):
    assert ask(ORG, GITHUB_SCOPE="admin:org").connector.scope == "admin:org"


def test_a_token_without_the_scope_needs_a_consent_and_asks_github_nothing(ask, acme):
    asking = ask(ORG)
    signed_in = asking.sign_in("ada")
    asking.simulator.github.seen.clear()
    (fact,) = asking.again(signed_in, scopes=("read:user",)).values()
    assert (fact.standing, "read:org" in fact.detail) == (Standing.NEEDS_CONSENT, True)
    assert asking.simulator.github.seen == []


# Later, with the stored token.


@pytest.mark.parametrize("rule", [ORG, TEAM])
def test_a_membership_that_ended_is_seen_with_the_stored_token(ask, acme, rule):
    asking = ask(rule)
    signed_in = asking.sign_in("ada")
    assert asking.again(signed_in)[NAMES[rule]].standing is Standing.MET
    del acme.members["ada"], acme.teams["core"]["ada"]
    assert asking.again(signed_in, signed_in.facts)[NAMES[rule]].standing is Standing.NOT_MET


def test_an_unchanged_membership_is_asked_by_its_etag(ask, acme):
    asking = ask(ORG)
    signed_in = asking.sign_in("ada")
    tag = signed_in.facts["github.org=acme"].validator
    assert tag
    assert asking.again(signed_in, signed_in.facts) == signed_in.facts
    acme.members["ada"] = "pending"
    assert asking.again(signed_in, signed_in.facts)["github.org=acme"].standing is Standing.NOT_MET


def test_a_refused_token_is_the_callers_affair(ask, acme):
    """Who may have it renewed, and ask again."""
    asking = ask(ORG)
    signed_in = asking.sign_in("ada")
    asking.simulator.github.tokens.clear()
    with pytest.raises(AccessRefused):
        asking.again(signed_in)


def test_a_token_of_another_person_opens_no_team(ask, acme):
    asking = ask(TEAM)
    ada, grace = asking.sign_in("ada"), asking.sign_in("grace")
    acme.members["grace"] = "active"
    facts = asking.connector.read_facts(grace.profile.subject, ada.token, ada.scopes)
    assert facts["github.team=acme/core"].standing is Standing.NOT_MET
