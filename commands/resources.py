"""``resources add``, ``list`` and ``remove``: APIs of others that clients get access tokens for."""

from typing import Any

import click
from flask.cli import AppGroup

from accounts.activity import COMMAND_LINE
from commands.console import json_option, needs_database, print_result
from issuer import admin_acts, clients
from issuer import resources as rows
from issuer.resources import Resource

resources = AppGroup("resources", help="Register the APIs that access tokens are made for.")


def describe(resource: Resource) -> dict[str, Any]:
    return {
        "resource": resource.id,
        "scopes": resource.scopes,
        "client_id": resource.client_id,
        "name": resource.name,
        "words": resource.words,
    }


@resources.command("add")
@click.argument("uri")
@click.option("--scope", "scopes", multiple=True, help="A scope of this API.")
@click.option("--name", default="", help="What people read when they are asked.")
@click.option("--words", multiple=True, help="A scope in words for people: SCOPE=WORDS.")
@click.option("--client", "client_id", help="The client with which the API introspects tokens.")
@json_option
@needs_database
def add(
    uri: str,
    scopes: tuple[str, ...],
    name: str,
    words: tuple[str, ...],
    client_id: str | None,
    *,
    as_json: bool,
) -> None:
    """Register an API, by the address that clients name it with.

    A client that has it among its --resource gets access tokens for it alone, as JWTs.
    """
    found = rows.faults(uri, scopes)
    if client_id is not None and clients.find(client_id) is None:
        found.append(f"--client {client_id}: there is no such client")
    if not all(each.isprintable() and len(each) <= 200 for each in (name, *words)):
        found.append("--name, --words: up to 200 characters that can be printed")
    meanings = read_words(words, scopes)
    found += [
        f"--words {text}: must be SCOPE=WORDS, of a --scope"
        for text in words
        if not any(text.startswith(f"{scope}=") for scope in scopes)
    ]
    if found:
        raise click.ClickException("\n  ".join(["This API cannot be registered:", *found]))
    resource = Resource(uri, list(scopes), client_id, name, meanings)
    admin_acts.add_resource(resource, COMMAND_LINE)
    print_result(describe(resource), [f"{uri} is registered."], as_json=as_json)


def read_words(given: tuple[str, ...], scopes: tuple[str, ...]) -> dict[str, str]:
    """Read SCOPE=WORDS of each scope."""
    found = {}
    for text in given:
        scope = max((each for each in scopes if text.startswith(f"{each}=")), key=len, default=None)
        if scope is not None:
            found[scope] = text.removeprefix(f"{scope}=")
    return found


@resources.command("list")
@json_option
@needs_database
def list_resources(*, as_json: bool) -> None:
    """List the APIs."""
    found = rows.every()
    lines = [f"{each.id}  {' '.join(each.scopes)}" for each in found] or ["No resources."]
    print_result({"items": [describe(each) for each in found]}, lines, as_json=as_json)


@resources.command("remove")
@click.argument("uri")
@json_option
@needs_database
def remove(uri: str, *, as_json: bool) -> None:
    """Remove an API. An API that does not introspect takes its tokens until they expire, for ten
    minutes at most."""
    admin_acts.remove_resource(uri, COMMAND_LINE)
    print_result({"resource": uri}, [f"{uri} is removed."], as_json=as_json)
