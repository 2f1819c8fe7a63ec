"""What all commands share: plain text or one JSON document, refusals in one line, who is meant."""

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

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document, for a machine."
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
WHO = "an id, an e-mail address or provider:subject, such as github:583231"


def site() -> Site:
    return cast(Site, current_app.extensions["quickstep"])


def tell(document: object, lines: Iterable[str], *, as_json: bool) -> None:
    """Print what a command found: the document for a machine, else the lines for people.

    Names and browsers are as strangers gave them, so nothing in them reaches the terminal as a
    command to it: JSON is plain ASCII, and lines have their controls written out.
    """
    if as_json:
        click.echo(json.dumps(document, indent=2))
        return
    for line in lines:
        click.echo(printable(line))


def printable(line: str) -> str:
    return CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode(), line)


def note(message: str) -> None:
    """Something beside the answer: on stderr, so that stdout stays the answer."""
    click.echo(printable(message), err=True)


def needs_database(command: Callable[P, R]) -> Callable[P, R]:
    """For a command that reads or writes rows: refuses, in one line and with exit status 1, when
    the database is not there or not ours to use, and when what is asked for cannot be done."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        fault = schema.fault()
        if fault:
            raise click.ClickException(fault)
        with refusals_in_a_line():
            return command(*args, **kwargs)

    return run


@contextmanager
def refusals_in_a_line() -> Iterator[None]:
    """What cannot be done ends the command with exit status 1 and without a traceback."""
    try:
        yield
    except Problem as problem:
        raise click.ClickException(f"{problem.detail or error_text(problem.code).title}.") from None
    except SQLAlchemyError as error:
        # A statement's parameters are not for the terminal.
        message = f"The database did not answer as it should ({type(error).__name__})."
        raise click.ClickException(message) from None


def ask(question: str, *, yes: bool) -> None:
    """Have the operator confirm, unless they did by --yes. Ends the command when they do not."""
    if not yes:
        click.confirm(printable(question), abort=True, err=True)


# Who is meant.


def look_up(who: str) -> Sequence[User]:
    """Everybody that an argument may mean; ends the command when it can mean nobody."""
    try:
        found = directory.find(who)
    except ValueError as error:
        raise click.BadParameter(f"{error}. Name {WHO}.") from None
    if not found:
        raise click.ClickException("There is no such user.")
    return found


def the_one(who: str) -> User:
    """The one person whom a command is to act on, by id or exact ``provider:subject``.

    An address is refused, also where one account has it: whoever claims it may not be its owner.
    """
    found = look_up(who)
    ids = ", ".join(user.id for user in found)
    if directory.is_address(who):
        raise click.BadParameter(f"an e-mail address names nobody for certain. Use the id: {ids}")
    if len(found) > 1:
        raise click.BadParameter(f"that is several users. Use the id: {ids}")
    return found[0]


def name_of(user: User) -> str:
    """How a line speaks of somebody."""
    return f"{user.name or 'no name'} <{user.email or 'no e-mail'}>"


def time(moment: datetime | None) -> str:
    return iso_time(moment) or "never"
