"""What all commands share: output as text or one JSON document, errors in one line, naming
a user."""

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import ParamSpec, TypeVar, cast

import click
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from accounts import directory
from accounts.export import iso_time
from errors import Problem
from models import User
from storage import schema
from telemetry.logs import CONTROLS
from web.context import Site
from web.text.errors import error_text

P = ParamSpec("P")
R = TypeVar("R")

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
WHO = "an id, an e-mail address or provider:subject, such as github:583231"


def site() -> Site:
    """Return what the application was built from."""
    return cast(Site, current_app.extensions["quickstep"])


def print_result(document: object, lines: Iterable[str], *, as_json: bool) -> None:
    """Print the result of a command: the document with --json, otherwise the lines.

    Names and browsers come from strangers, so nothing in them may control the terminal: JSON is
    plain ASCII, and lines have their control characters escaped.
    """
    if as_json:
        click.echo(json.dumps(document, indent=2))
        return
    for line in lines:
        click.echo(escape_controls(line))


def escape_controls(line: str) -> str:
    """Write control characters as escape sequences."""
    return CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode(), line)


def print_note(message: str) -> None:
    """Print a note on stderr, so that stdout has only the result."""
    click.echo(escape_controls(message), err=True)


def needs_database(command: Callable[P, R]) -> Callable[P, R]:
    """Wrap a command that reads or writes rows: exit with status 1 and one line if the database is
    unreachable or has another schema, or if the request cannot be carried out."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        fault = schema.fault()
        if fault:
            raise click.ClickException(fault)
        with report_refusals():
            return command(*args, **kwargs)

    return run


@contextmanager
def report_refusals() -> Iterator[None]:
    """Turn a refusal into exit status 1 and one line, without a traceback."""
    try:
        yield
    except Problem as problem:
        raise click.ClickException(f"{problem.detail or error_text(problem.code).title}.") from None
    except SQLAlchemyError as error:
        # Do not print a statement's parameters.
        message = f"The database failed ({type(error).__name__})."
        raise click.ClickException(message) from None


def confirm_action(question: str, *, yes: bool) -> None:
    """Ask the operator to confirm, unless --yes was given. Ends the command if they refuse."""
    if not yes:
        click.confirm(escape_controls(question), abort=True, err=True)


# Naming a user.


def find_users(who: str) -> Sequence[User]:
    """Return everybody that an argument may mean; ends the command if there is nobody."""
    try:
        found = directory.find(who)
    except ValueError as error:
        raise click.BadParameter(
            f"{error}. Name {WHO}. By name: users list --search TEXT"
        ) from None
    if not found:
        raise click.ClickException("There is no such user.")
    return found


def find_user(who: str) -> User:
    """Return the one person to act on, by id or exact ``provider:subject``.

    An address is refused, even if only one account has it: whoever claims it may not own it.
    """
    found = find_users(who)
    ids = ", ".join(user.id for user in found)
    if directory.is_address(who):
        raise click.BadParameter(f"an e-mail address does not identify a user. Use the id: {ids}")
    if len(found) > 1:
        raise click.BadParameter(f"several users match. Use the id: {ids}")
    return found[0]


def display_name(user: User) -> str:
    """Return how a line names a person."""
    return f"{user.name or 'no name'} <{user.email or 'no e-mail'}>"


def format_time(moment: datetime | None) -> str:
    """Write a time as in the API; "never" for None."""
    return iso_time(moment) or "never"
