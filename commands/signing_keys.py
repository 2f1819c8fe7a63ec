"""``signing-keys list``, ``rotate`` and ``withdraw``: the keys that sign ID tokens."""

from typing import Any

import click
from flask.cli import AppGroup

from accounts.activity import COMMAND_LINE
from accounts.export import iso_time
from commands.console import (
    confirm_action,
    format_time,
    json_option,
    needs_database,
    print_result,
    yes_option,
)
from issuer import admin_acts
from issuer import signing_keys as rows
from issuer.signing_keys import KeyInfo, KeyUnreadable

signing_keys = AppGroup("signing-keys", help="List, rotate and withdraw the keys that sign tokens.")


def describe(key: KeyInfo) -> dict[str, Any]:
    return {
        "kid": key.id,
        "alg": key.alg,
        "state": key.state,
        "created_at": iso_time(key.created_at),
        "active_from": iso_time(key.active_from),
        "withdrawn_at": iso_time(key.withdrawn_at),
    }


@signing_keys.command("list")
@json_option
@needs_database
def list_keys(*, as_json: bool) -> None:
    """List the keys: next, current, previous, retired and withdrawn ones."""
    found = rows.every()
    lines = [
        f"{key.id}  {key.alg}  {key.state}, signs from {format_time(key.active_from)}"
        for key in found
    ]
    items = [describe(key) for key in found]
    lines = lines or ["No keys yet: the first request for one makes them."]
    print_result({"items": items}, lines, as_json=as_json)


@signing_keys.command("rotate")
@click.option("--now", "immediately", is_flag=True, help="In a minute instead of in a day.")
@json_option
@needs_database
def rotate(*, immediately: bool, as_json: bool) -> None:
    """Make the next keys.

    They are published now and sign in a day, so that every application has them before. Tokens of
    the current keys stay valid. Servers rotate their keys every 90 days by themselves.
    """
    rotate_signing_keys(immediately=immediately, as_json=as_json)


def rotate_signing_keys(*, immediately: bool, as_json: bool) -> None:
    """Make the next key of each algorithm, and print them."""
    try:
        kids = admin_acts.rotate_keys(COMMAND_LINE, immediately=immediately)
    except KeyUnreadable as error:
        raise click.ClickException(str(error)) from None
    made = [key for key in rows.every() if key.id in kids]
    lines = [f"{key.id}  {key.alg}  signs from {format_time(key.active_from)}" for key in made]
    print_result({"items": [describe(key) for key in made]}, lines, as_json=as_json)


@signing_keys.command("withdraw")
@click.argument("kid")
@yes_option
@json_option
@needs_database
def withdraw(kid: str, *, yes: bool, as_json: bool) -> None:
    """Withdraw a key that leaked.

    It signs no more, and nothing that it signed is accepted. Another key takes its place
    immediately; applications learn of it when they read the keys again.
    """
    confirm_action(f"Withdraw {kid}? Tokens that it signed are refused.", yes=yes)
    admin_acts.withdraw_key(kid, COMMAND_LINE)
    print_result({"kid": kid, "state": "withdrawn"}, [f"{kid} is withdrawn."], as_json=as_json)
