"""The rules at the start of a server: where they are read from, and what faults do."""

import pytest

import config
from access.loading import apply_rules, read_rules
from access.rules import Rules
from app import create_app
from errors import SettingsError
from providers import PROVIDERS
from providers.http.transport import Transport
from providers.protocols.connectors import build_connectors
from tests.site import SECRET_KEY

GITHUB = {"GITHUB_CLIENT_ID": "a", "GITHUB_CLIENT_SECRET": "b", "SECRET_KEY": SECRET_KEY}
ON = {"github": PROVIDERS["github"]}
RULE = '[[allow]]\ngithub.org = "acme"\n'


def settings(**variables: str) -> config.Settings:
    return config.load(PROVIDERS.values(), {**GITHUB, **variables}, None)


def test_without_rules_nothing_is_asked(tmp_path):
    assert read_rules(settings(), ON) is None


@pytest.mark.parametrize("text", ["", "# Nobody.\n"])
def test_an_empty_file_is_for_nobody(tmp_path, text):
    path = tmp_path / "access.toml"
    path.write_text(text)
    assert read_rules(settings(ACCESS_FILE=str(path)), ON) == Rules()


def test_rules_come_from_a_file_or_from_a_variable(tmp_path):
    path = tmp_path / "access.toml"
    path.write_text(RULE)
    of_file = read_rules(settings(ACCESS_FILE=str(path)), ON)
    assert of_file == read_rules(settings(ACCESS_RULES=RULE), ON)
    assert of_file
    assert [rule.name for rule in of_file.allow] == ["github.org=acme"]


def test_both_together_are_a_fault():
    with pytest.raises(SettingsError, match="ACCESS_RULES: ACCESS_FILE is set too"):
        settings(ACCESS_FILE="access.toml", ACCESS_RULES=RULE)


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path):
    with pytest.raises(SettingsError, match="ACCESS_FILE: cannot be read"):
        read_rules(settings(ACCESS_FILE=str(tmp_path / "none.toml")), ON)


def test_a_fault_keeps_the_server_from_starting_and_is_named(tmp_path):
    faulty = settings(
        ACCESS_RULES=RULE.replace("org ", "orgs "), DATABASE_URL=f"sqlite:///{tmp_path}/x.sqlite"
    )
    with pytest.raises(SystemExit, match=r"github\.orgs: there is no such"):
        create_app(faulty)


@pytest.mark.parametrize("rules", ["", RULE])
def test_the_scope_of_a_rule_is_requested(rules):
    loaded, transport = settings(ACCESS_RULES=rules), Transport()
    connectors = build_connectors(loaded.registrations, (), loaded.public_url, transport)
    apply_rules(loaded, connectors)
    assert ("read:org" in connectors["github"].scope) is bool(rules)
    transport.close()
