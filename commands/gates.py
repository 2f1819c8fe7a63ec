"""``gates add``, ``list``, ``show``, ``allow`` and ``remove``: applications behind a proxy."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import click
from flask.cli import AppGroup

from accounts import admission
from accounts.activity import COMMAND_LINE
from accounts.export import iso_time
from commands.console import (
    confirm_action,
    json_option,
    needs_database,
    print_result,
    site,
    yes_option,
)
from config.validators import check_origin
from gates import admin_acts
from gates import registry as rows
from gates.registry import Gate

gates = AppGroup("gates", help="Protect applications behind a proxy that asks here.")

NAME_RULE = "a gate's name has 1 to 40 of the characters a-z, 0-9 and -, no - at its ends"
OPEN, CLOSED = "everyone", "nobody, as APPS_DEFAULT=closed says; name rules with gates allow"
RULE_HELP = f"Who may pass: {admission.WORDS}; may be given several times."


def check_name(_context: click.Context, _option: click.Parameter, name: str) -> str:
    """Return the name of a gate. Raises BadParameter."""
    if not rows.is_name(name):
        raise click.BadParameter(NAME_RULE)
    return name


def check_origins(
    _context: click.Context, _option: click.Parameter, origins: tuple[str, ...]
) -> list[str]:
    """Return origins as browsers write them. Raises BadParameter."""
    try:
        return [check_origin(each) for each in origins]
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def check_rules(
    _context: click.Context, _option: click.Parameter, rules: tuple[str, ...]
) -> list[str]:
    """Return the rules of a gate. Raises BadParameter."""
    for rule in rules:
        if fault := admission.fault(rule):
            raise click.BadParameter(f"{rule!r} {fault}")
    return list(rules)


name_argument = click.argument("name", callback=check_name)


def describe(gate: Gate) -> dict[str, Any]:
    """Return what --json shows of a gate."""
    return {
        "name": gate.name,
        "hosts": gate.origins,
        "allow": gate.allow,
        "forward_auth": f"{site().settings.base_url}/forward-auth/{gate.name}",
        "created_at": iso_time(gate.created_at),
    }


def who_may_pass(gate: Gate) -> str:
    """Say whom the rules admit."""
    if gate.allow:
        return ", ".join(gate.allow)
    return OPEN if site().settings.apps_default == "open" else CLOSED


def lines_of(gate: Gate) -> Iterable[str]:
    yield f"name: {gate.name}"
    yield f"hosts: {' '.join(gate.origins)}"
    yield f"for: {who_may_pass(gate)}"
    yield f"forward_auth: {describe(gate)['forward_auth']}"


def refuse_own_host(origins: Iterable[str]) -> None:
    """Refuse our own host: its browsers send the session cookie there. Raises BadParameter."""
    own = urlsplit(site().settings.public_url).hostname
    if any(urlsplit(origin).hostname == own for origin in origins):
        raise click.BadParameter(
            f"{own} is the host of PUBLIC_URL, which applications behind a gate must not share",
            param_hint="--host",
        )


@gates.command("add")
@name_argument
@click.option(
    "--host",
    "origins",
    multiple=True,
    required=True,
    callback=check_origins,
    help="An origin of the application, such as https://wiki.example.org; may be given several "
    "times.",
)
@click.option("--allow", multiple=True, callback=check_rules, help=RULE_HELP)
@json_option
@needs_database
def add(name: str, origins: list[str], allow: list[str], *, as_json: bool) -> None:
    """Put a gate before an application.

    Prints the address that the application's proxy asks, at the name by which it knows this server.
    """
    refuse_own_host(origins)
    gate = admin_acts.add_gate(name, origins, allow, COMMAND_LINE)
    print_result(describe(gate), lines_of(gate), as_json=as_json)


@gates.command("list")
@json_option
@needs_database
def list_gates(*, as_json: bool) -> None:
    """List the gates, by name."""
    found = rows.every()
    lines = [f"{each.name}  {' '.join(each.origins)}, for {who_may_pass(each)}" for each in found]
    items = [describe(each) for each in found]
    print_result({"items": items}, lines or ["No gates."], as_json=as_json)


@gates.command("show")
@name_argument
@json_option
@needs_database
def show(name: str, *, as_json: bool) -> None:
    """Show a gate."""
    gate = rows.get(name)
    print_result(describe(gate), lines_of(gate), as_json=as_json)


@gates.command("allow")
@name_argument
@click.argument("rules", nargs=-1, callback=check_rules)
@json_option
@needs_database
def allow_people(name: str, rules: list[str], *, as_json: bool) -> None:
    """Replace the rules of a gate, from the next request on.

    Without RULES it has none, and APPS_DEFAULT says for whom it is.
    """
    gate = admin_acts.change_rules(name, rules, COMMAND_LINE)
    print_result(describe(gate), lines_of(gate), as_json=as_json)


@gates.command("remove")
@name_argument
@yes_option
@json_option
@needs_database
def remove(name: str, *, yes: bool, as_json: bool) -> None:
    """Remove a gate: its proxy gets nobody through any more."""
    rows.get(name)
    confirm_action(f"Remove the gate {name}?", yes=yes)
    admin_acts.remove_gate(name, COMMAND_LINE)
    print_result({"name": name}, [f"The gate {name} is removed."], as_json=as_json)
