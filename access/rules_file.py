"""The file of the rules: TOML, whose faults are reported together and by name."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from access import groups
from access.rules import DOMAIN, EVERY, GRACE, Deny, Rule, Rules, ascii_domain
from errors import SettingsError
from providers import PROVIDERS
from providers.base import Provider
from providers.criteria import Condition
from providers.profile import clean_email, email_key

# The word before the name of an issuer of OIDC_PROVIDERS.
ISSUERS = "oidc"
GIVEN = ("groups", "roles")
DURATION = re.compile(r"([1-9][0-9]{0,4})([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}

Providers = Mapping[str, Provider]


class Fault(ValueError):
    """A fault of the rules, in words that begin with the name of what is wrong."""


def parse_rules(text: str, providers: Providers, source: str) -> Rules:
    """Parse the rules. ``providers``: those that are on, by name. ``source``: the setting that has
    them, for messages.

    Raises SettingsError with all faults.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{source}: is not TOML: {error}"]) from None
    faults = [f"{key}: there is no such table" for key in document.keys() - TABLES]
    allow, deny = _allow(document, providers, faults), _deny(document, faults)
    every, grace = _recheck(document, faults)
    if faults:
        raise SettingsError([f"{source}: {fault}" for fault in sorted(faults)])
    return Rules(allow, deny, every, grace)


TABLES = {"allow", "deny", "recheck"}


def _allow(
    document: Mapping[str, Any], providers: Providers, faults: list[str]
) -> tuple[Rule, ...]:
    rows = document.get("allow", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        faults.append("allow: must be written [[allow]], once for each rule")
        return ()
    rules: dict[str, Rule] = {}
    for number, row in enumerate(rows, 1):
        try:
            rule = _rule(row, providers)
        except Fault as fault:
            faults.append(f"allow {number}: {fault}")
            continue
        if rule.name in rules:
            faults.append(f"allow {number}: {rule.name}: another rule has this condition")
        rules[rule.name] = rule
    return tuple(rules.values())


def _rule(row: Mapping[str, Any], providers: Providers) -> Rule:
    """Read one rule. Raises Fault."""
    asked = list(_flat({name: value for name, value in row.items() if name not in GIVEN}))
    if len(asked) != 1:
        names = ", ".join(".".join(path) for path, _ in asked) or "none"
        raise Fault(f"a rule has one condition; this one has {names}")
    path, value = asked[0]
    condition = _condition(path, value, providers)
    return Rule(condition, *(_names(row, given) for given in GIVEN))


def _flat(
    table: Mapping[str, Any], before: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Return the values of nested tables with their paths."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, (*before, name))
        else:
            yield (*before, name), value


def _condition(path: tuple[str, ...], value: object, providers: Providers) -> Condition:
    name = ".".join(path)
    if isinstance(value, list):
        raise Fault(f"{name}: has several values; write a rule for each")
    if not isinstance(value, str):
        raise Fault(f"{name}: must be a text")
    if path == (DOMAIN,):
        return Condition("", DOMAIN, _domain(name, value))
    is_issuer = path[0] == ISSUERS
    below = path[1:] if is_issuer else path
    if len(below) < 2:
        raise Fault(f"{name}: there is no such condition")
    place, *kind = below
    provider = _provider_on(place, providers, name)
    if is_issuer == (provider.claim_criterion is None):
        words = "OIDC_PROVIDERS does not name it" if is_issuer else f"write {ISSUERS}.{name}"
        raise Fault(f"{name}: {words}")
    return _of_provider(provider, ".".join(kind), value, f"{ISSUERS}.{place}" if is_issuer else "")


def _provider_on(name: str, providers: Providers, condition: str) -> Provider:
    if name in providers:
        return providers[name]
    known = {provider.name: provider for provider in PROVIDERS.values()}
    if name in known:
        raise Fault(f"{condition}: {known[name].label} is off; set {name.upper()}_CLIENT_ID")
    raise Fault(f"{condition}: there is no provider {name}")


def _of_provider(provider: Provider, kind: str, value: str, prefix: str) -> Condition:
    before = prefix or provider.name
    criterion = provider.criterion(kind)
    if criterion is None:
        words = ", ".join(provider.criteria)
        known = f"there are {words}" if words else f"{provider.label} says nothing that rules use"
        raise Fault(f"{before}.{kind}: there is no such condition; {known}")
    if fault := criterion.fault(value):
        raise Fault(f"{before}.{kind}: {fault}")
    return Condition(provider.name, kind, criterion.normal(value), prefix)


def _names(row: Mapping[str, Any], given: str) -> tuple[str, ...]:
    """Return the groups or roles that a rule gives."""
    names = _texts(row.get(given, []), given)
    for name in names:
        if not groups.is_name(name):
            raise Fault(f"{given}: {name!r} must be of a-z, 0-9, _ and -, at most 64")
    return tuple(dict.fromkeys(names))


def _texts(value: object, name: str) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Fault(f'{name}: must be a list of texts, such as ["one", "two"]')
    return value


def _domain(name: str, value: str) -> str:
    domain = ascii_domain(value)
    if "." not in domain:
        raise Fault(f"{name}: must be a domain, such as 'example.org'")
    return domain


def _deny(document: Mapping[str, Any], faults: list[str]) -> Deny:
    table = _table(document, "deny", {"emails", "domains"}, faults)
    found: dict[str, frozenset[str]] = {}
    for name, read in (("emails", _email), ("domains", _domain)):
        try:
            texts = _texts(table.get(name, []), f"deny.{name}")
            found[name] = frozenset(read(f"deny.{name}", each) for each in texts)
        except Fault as fault:
            faults.append(str(fault))
    return Deny(**found)


def _email(name: str, value: str) -> str:
    address = clean_email(value)
    if address is None:
        raise Fault(f"{name}: {value!r} is not an address")
    return email_key(address)


def _recheck(document: Mapping[str, Any], faults: list[str]) -> tuple[timedelta, timedelta]:
    table = _table(document, "recheck", {"every", "grace"}, faults)
    return (
        _duration(table, "every", EVERY, faults),
        _duration(table, "grace", GRACE, faults),
    )


def _duration(
    table: Mapping[str, Any], name: str, default: timedelta, faults: list[str]
) -> timedelta:
    if name not in table:
        return default
    value = table[name]
    found = DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        faults.append(f"recheck.{name}: must be such as '30m', '1h' or '7d'")
        return default
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def _table(
    document: Mapping[str, Any], name: str, known: set[str], faults: list[str]
) -> Mapping[str, Any]:
    """Return a table of the file, whose unknown keys are faults."""
    table = document.get(name, {})
    if not isinstance(table, dict):
        faults.append(f"{name}: must be written [{name}], once")
        return {}
    faults += [f"{name}.{key}: there is no such key" for key in table.keys() - known]
    return table
