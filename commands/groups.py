"""``groups list``, ``show``, ``add`` and ``remove``: who is in which group."""

import click
from flask.cli import AppGroup

from access import groups as rows
from accounts import admin_acts
from accounts.activity import COMMAND_LINE
from commands.console import (
    WHO,
    find_user,
    json_option,
    needs_database,
    print_result,
)
from web.text.words import count_of

groups = AppGroup("groups", help="Put users into groups, which rules and applications ask for.")

PAGE_SIZE = 100
NAME_RULE = "a group's name has 1 to 64 of the characters a-z, 0-9, _ and -"


def check_name(_context: click.Context, _option: click.Parameter, name: str) -> str:
    """Return the name of a group. Raises BadParameter."""
    if not rows.is_name(name):
        raise click.BadParameter(NAME_RULE)
    return name


name_argument = click.argument("name", callback=check_name)


@groups.command("list")
@json_option
@needs_database
def list_groups(*, as_json: bool) -> None:
    """List the groups that somebody is in."""
    found = rows.all_groups()
    lines = [f"{each.name}  {count_of(each.members, 'member')}" for each in found]
    items = [each._asdict() for each in found]
    print_result({"items": items}, lines or ["No groups."], as_json=as_json)


@groups.command("show")
@name_argument
@click.option("--after", default="", help="The id of the last user that was shown.")
@json_option
@needs_database
def show(name: str, after: str, *, as_json: bool) -> None:
    """Show who is in a group: 100 users, by id, and why."""
    found = rows.members(name, after=after, limit=PAGE_SIZE)
    lines = [f"{each.user_id}  {each.source}" for each in found] or ["Nobody."]
    if len(found) == PAGE_SIZE:
        lines.append(f"More: --after {found[-1].user_id}")
    items = [each._asdict() for each in found]
    print_result({"name": name, "items": items}, lines, as_json=as_json)


@groups.command("add")
@name_argument
@click.argument("user")
@json_option
@needs_database
def add(name: str, user: str, *, as_json: bool) -> None:
    """Put a user into a group."""
    person = find_user(user)
    admin_acts.join_group(person.id, name, COMMAND_LINE)
    _print_groups(person.id, as_json=as_json)


@groups.command("remove")
@name_argument
@click.argument("user")
@json_option
@needs_database
def remove(name: str, user: str, *, as_json: bool) -> None:
    """Take a user out of a group.

    If a rule gives the group, the next check of the rules puts them back.
    """
    person = find_user(user)
    if not admin_acts.leave_group(person.id, name, COMMAND_LINE):
        raise click.ClickException(f"The user is not in the group {name}.")
    _print_groups(person.id, as_json=as_json)


def _print_groups(user_id: str, *, as_json: bool) -> None:
    names = rows.of_user(user_id)
    lines = [f"{user_id}  {' '.join(names) or 'in no group'}"]
    print_result({"id": user_id, "groups": names}, lines, as_json=as_json)


for command in (add, remove):
    command.help = f"{command.help}\n\nUSER is {WHO}."
