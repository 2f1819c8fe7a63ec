"""``access explain`` and ``check``: why the rules let somebody in, or do not."""

from collections.abc import Mapping
from typing import Any

import click
from flask.cli import AppGroup

from access import checks, groups
from access.checks import Held
from access.rules import Rules
from access.verdicts import Verdict
from accounts import entry, identities
from accounts.activity import COMMAND_LINE
from accounts.export import iso_time
from accounts.rechecks import Rechecks
from commands.console import (
    WHO,
    display_name,
    find_user,
    json_option,
    needs_database,
    print_result,
    site,
)
from models import Identity, User
from providers.criteria import Fact, Standing
from storage import db, now

access = AppGroup("access", help="Explain and check who may come in by the rules of ACCESS_FILE.")


@access.command("explain")
@click.argument("user")
@json_option
@needs_database
def explain(user: str, *, as_json: bool) -> None:
    """Print each rule with its result for a user, and how old that is. Nobody is asked."""
    _print_explanation(find_user(user), _rules(), as_json=as_json)


@access.command("check")
@click.argument("user")
@json_option
@needs_database
def check(user: str, *, as_json: bool) -> None:
    """Ask the providers about a user now, carry out what follows, and explain it.

    A user who may not come in any more is signed out everywhere.
    """
    person, rules = find_user(user), _rules()
    here = site()
    job = Rechecks(here.policy, rules, here.connectors)
    for identity in identities.of_user(person.id):
        job.check(identity, COMMAND_LINE)
    db.session.expire_all()
    _print_explanation(person, rules, as_json=as_json)


def _rules() -> Rules:
    rules = site().policy.access
    if rules is None:
        raise click.ClickException("There are no rules of access: ACCESS_FILE is not set.")
    return rules


def _print_explanation(person: User, rules: Rules, *, as_json: bool) -> None:
    verdict = entry.verdict_of(person.id, site().policy)
    assert verdict is not None
    rows = [_of_identity(each, verdict, rules) for each in identities.of_user(person.id)]
    document = {
        "id": person.id,
        "is_in": verdict.is_in,
        "denied": verdict.denied or None,
        "invited": verdict.is_admitted,
        "groups": groups.of_user(person.id),
        "roles": rules.roles_of(verdict.met) if verdict.is_in else [],
        "identities": rows,
    }
    print_result(document, _lines(person, document), as_json=as_json)


def _of_identity(identity: Identity, verdict: Verdict, rules: Rules) -> dict[str, Any]:
    """Return what --json shows of an identity."""
    outcome = verdict.outcomes.get(identity.id)
    kept = checks.of_identity(identity.id)
    facts: Mapping[str, Fact] = outcome.facts if outcome else {}
    return {
        "id": identity.id,
        "provider": identity.provider,
        "subject": identity.subject,
        "usable": outcome is not None,
        "rules": [_of_rule(name, facts[name], kept.get(name), rules) for name in facts],
    }


def _of_rule(name: str, fact: Fact, held: Held | None, rules: Rules) -> dict[str, Any]:
    """Return a rule's result. ``counts``: whether it lets the user in, perhaps for now."""
    said = held.fact if held else fact
    return {
        "rule": name,
        "standing": said.standing.value,
        "counts": held.counts(rules.grace, now()) if held else said.standing is Standing.MET,
        "detail": said.detail or None,
        "checked_at": iso_time(held.checked_at) if held else None,
        "failing_since": iso_time(held.failing_since) if held else None,
    }


def _lines(person: User, document: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{person.id}  {display_name(person)}",
        f"may come in    {'yes' if document['is_in'] else 'no'}",
    ]
    if document["denied"]:
        lines.append(f"denied         {document['denied']}")
    if document["invited"]:
        lines.append("invitation     lets in, whatever the rules say")
    lines.append(f"groups         {' '.join(document['groups']) or 'none'}")
    lines.append(f"roles          {' '.join(document['roles']) or 'none'}")
    for identity in document["identities"]:
        off = "" if identity["usable"] else "  (that provider is off)"
        lines.append(f"{identity['provider']}:{identity['subject']}{off}")
        lines += [f"  {_line(row)}" for row in identity["rules"]] or ["  no rule is about it"]
    return lines


def _line(row: Mapping[str, Any]) -> str:
    grace = ", counts for now" if row["counts"] and row["standing"] != "met" else ""
    age = f", checked {row['checked_at']}" if row["checked_at"] else ""
    failing = f", failing since {row['failing_since']}" if row["failing_since"] else ""
    detail = f": {row['detail']}" if row["detail"] else ""
    return f"{row['rule']}  {row['standing']}{grace}{age}{failing}{detail}"


for command in (explain, check):
    command.help = f"{command.help}\n\nUSER is {WHO}."
