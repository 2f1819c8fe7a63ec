"""``access explain`` and ``check``: why the rules let somebody in, or do not."""

from collections.abc import Mapping
from typing import Any

import click
from flask.cli import AppGroup

from access import groups
from access.rules import Rules
from accounts import explanations, identities
from accounts.activity import COMMAND_LINE
from accounts.explanations import Explained, Result
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
from models import User
from storage import db

access = AppGroup("access", help="Explain and check who may come in by the rules of ACCESS_FILE.")


@access.command("explain")
@click.argument("user")
@json_option
@needs_database
def explain(user: str, *, as_json: bool) -> None:
    """Print each rule with its result for a user, and how old that is. Nobody is asked."""
    _rules()
    _print_explanation(find_user(user), as_json=as_json)


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
    _print_explanation(person, as_json=as_json)


def _rules() -> Rules:
    rules = site().policy.access
    if rules is None:
        raise click.ClickException("There are no rules of access: ACCESS_FILE is not set.")
    return rules


def _print_explanation(person: User, *, as_json: bool) -> None:
    found = explanations.explain(person.id, site().policy)
    assert found is not None
    document = {
        "id": person.id,
        "is_in": found.is_in,
        "denied": found.denied or None,
        "invited": found.is_admitted,
        "groups": groups.of_user(person.id),
        "roles": found.roles,
        "identities": [_of_identity(each) for each in found.identities],
    }
    print_result(document, _lines(person, document), as_json=as_json)


def _of_identity(explained: Explained) -> dict[str, Any]:
    """Return what --json shows of an identity."""
    return {
        "id": explained.identity.id,
        "provider": explained.identity.provider,
        "subject": explained.identity.subject,
        "usable": explained.is_usable,
        "rules": [_of_rule(each) for each in explained.results],
    }


def _of_rule(result: Result) -> dict[str, Any]:
    """Return a rule's result. ``counts``: whether it lets the user in, perhaps for now."""
    return {
        "rule": result.rule,
        "standing": result.standing.value,
        "counts": result.counts,
        "detail": result.detail or None,
        "checked_at": iso_time(result.checked_at),
        "failing_since": iso_time(result.failing_since),
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
