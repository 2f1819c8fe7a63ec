"""Reads the rules that the settings name, and has the connectors ask for what they need."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from access.places import StoredPlaces
from access.rules import Rules
from access.rules_file import Providers, parse_rules
from config.registrations import Registrable
from config.settings import Settings, faults_in_words, load
from errors import SettingsError
from providers.protocols.connector import Connector
from providers.protocols.connectors import provider_of


def read_rules(settings: Settings, providers: Providers) -> Rules | None:
    """Return the rules of the settings; None if they name none, so that everybody may come in.

    ``providers``: those that are on, by name. Raises SettingsError.
    """
    if settings.access_file is not None:
        return parse_rules(_read_file(settings.access_file), providers, "ACCESS_FILE")
    if settings.access_rules is not None:
        return parse_rules(settings.access_rules, providers, "ACCESS_RULES")
    return None


def _read_file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fault = f"ACCESS_FILE: cannot be read ({type(error).__name__})"
        raise SettingsError([fault]) from None


def load_with_rules(known: Iterable[Registrable]) -> Settings:
    """Read the settings, and their rules to see that they have no faults. Raises SettingsError."""
    settings = load(known)
    registrations = settings.registrations
    read_rules(settings, {name: provider_of(name, registrations[name]) for name in registrations})
    return settings


def load_or_exit(known: Iterable[Registrable]) -> Settings:
    """Do the same; print the faults and end the process if there are any."""
    try:
        return load_with_rules(known)
    except SettingsError as error:
        sys.exit(faults_in_words(error))


def apply_rules(settings: Settings, connectors: Mapping[str, Connector]) -> Rules | None:
    """Read the rules, and have each connector ask for what they need. Faults end the process."""
    providers = {name: connector.provider for name, connector in connectors.items()}
    try:
        rules = read_rules(settings, providers)
    except SettingsError as error:
        sys.exit(faults_in_words(error))
    if rules is not None:
        places = StoredPlaces([rule.condition for rule in rules.allow])
        for name, connector in connectors.items():
            connector.ask_about(rules.conditions_of(name), places)
            connector.expect(rules.only_condition_of(name))
    return rules
