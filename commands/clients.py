"""``clients add``, ``list``, ``show``, ``set`` …: the applications that sign people in here."""

from typing import Any

import click
from flask.cli import AppGroup

from accounts.activity import COMMAND_LINE
from accounts.admission import admission_of
from accounts.export import iso_time
from commands.client_options import (
    DEFAULTS,
    REPEATABLE,
    SINGLE,
    SWITCHES,
    client_options,
    given_columns,
    read_duration,
    read_logo,
    refuse_faults,
)
from commands.console import (
    confirm_action,
    format_time,
    json_option,
    needs_database,
    print_note,
    print_result,
    site,
    yes_option,
)
from config.branding import Image
from issuer import admin_acts, ends, grants, logos, scopes
from issuer import clients as rows
from issuer.clients import Client
from issuer.metadata import endpoints
from storage import atomic

clients = AppGroup("clients", help="Register the applications that sign people in here.")

SHOWN_ONCE = "The client_secret is shown this once. rotate-secret makes another."
OPEN, CLOSED = "everyone", "nobody, as APPS_DEFAULT=closed says; add rules with --allow"


@clients.command("add")
@click.argument("name")
@client_options
@click.option("--public", "is_public", is_flag=True, help="An app that cannot keep a secret.")
@click.option("--pairwise", is_flag=True, help="Give each person a subject of its own here.")
@json_option
@needs_database
def add(
    name: str,
    *,
    is_public: bool,
    pairwise: bool,
    logo: str | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Register an application.

    Prints its client_id, once its client_secret, and the addresses that it needs.
    """
    values = DEFAULTS | given_columns(given) | {"name": name, "is_public": is_public}
    image = refuse_faults(values, read_logo(logo))
    if pairwise:
        values["pairwise_salt"] = rows.new_pairwise_salt()
    client, secret = _register(values, image)
    told = {"client_id": client.client_id}
    if secret:
        told["client_secret"] = secret
    told |= {"issuer": site().settings.base_url, **endpoints(site().settings.base_url)}
    told["may_use_it"] = who_may_use(client)
    print_result(
        told | {"client": describe(client)},
        [f"{label}: {value}" for label, value in told.items()],
        as_json=as_json,
    )
    if secret and not as_json:
        print_note(SHOWN_ONCE)


@atomic
def _register(values: dict[str, Any], logo: Image | None) -> tuple[Client, str | None]:
    client, secret = admin_acts.add_client(values, COMMAND_LINE)
    if logo:
        logos.keep(client.id, logo)
    return client, secret


def who_may_use(client: Client) -> str:
    """Say whom the rules admit."""
    if client.allow:
        return ", ".join(client.allow)
    return OPEN if site().settings.apps_default == "open" else CLOSED


def describe(client: Client) -> dict[str, Any]:
    """Return what --json shows of a client; no secret."""
    names = [*REPEATABLE, *SINGLE, *SWITCHES]
    return {
        "client_id": client.client_id,
        "name": client.name,
        "is_public": client.is_public,
        "token_endpoint_auth_method": _auth_method(client),
        "is_pairwise": client.pairwise_salt is not None,
        **{name: getattr(client, name) for name in names},
        "logo": client.id in logos.hashes([client.id]),
        "old_secret_until": iso_time(client.old_secret_until),
        "created_at": iso_time(client.created_at),
        "disabled_at": iso_time(client.disabled_at),
    }


def _auth_method(client: Client) -> str:
    """Name how it authenticates (RFC 7591 2); with a secret it may send that in the form too."""
    if client.has_keys:
        return "private_key_jwt"
    return "none" if client.is_public else "client_secret_basic"


def find(client_id: str) -> Client:
    """Return the client that an argument names. Raises NotFound."""
    return rows.get(client_id)


@clients.command("list")
@json_option
@needs_database
def list_clients(*, as_json: bool) -> None:
    """List the applications, the oldest first."""
    found = rows.every()
    lines = [
        f"{client.client_id}  {client.name}  {_kind(client)}, for {who_may_use(client)}"
        for client in found
    ]
    items = [describe(client) for client in found]
    print_result({"items": items}, lines or ["No clients."], as_json=as_json)


def _kind(client: Client) -> str:
    words = ["public" if client.is_public else "confidential"]
    words += ["first-party"] if client.is_first_party else []
    words += [] if client.is_enabled else ["disabled"]
    return ", ".join(words)


@clients.command("show")
@click.argument("client_id")
@json_option
@needs_database
def show(client_id: str, *, as_json: bool) -> None:
    """Show an application."""
    described = describe(find(client_id))
    lines = [f"{name}: {_words(value)}" for name, value in described.items()]
    print_result(described, lines, as_json=as_json)


def _words(value: object) -> str:
    if isinstance(value, dict):
        return f"{len(value['keys'])} in a file"
    if isinstance(value, list):
        return " ".join(value) or "none"
    return {None: "none", True: "yes", False: "no"}.get(value, str(value))  # type: ignore[call-overload,no-any-return]


@clients.command("set")
@click.argument("client_id")
@client_options
@click.option("--name", help="What people read.")
@json_option
@needs_database
def change(client_id: str, *, logo: str | None, as_json: bool, **given: Any) -> None:
    """Change an application.

    An option that may be given several times replaces the whole list; an empty value empties it.
    """
    client = find(client_id)
    values = given_columns(given)
    for name, value in values.items():
        if value in ([""], ""):
            values[name] = [] if name in REPEATABLE else None
    # One kind of keys takes the place of the other.
    for name, other in (("jwks", "jwks_uri"), ("jwks_uri", "jwks")):
        if values.get(name):
            values.setdefault(other, None)
    known = {name: getattr(client, name) for name in (*DEFAULTS, "name", "is_public")}
    image = refuse_faults(known | values, read_logo(logo), act="changed")
    changed = admin_acts.change_client(client.id, values, COMMAND_LINE)
    if image:
        logos.keep(client.id, image)
    elif logo == "":
        logos.remove(client.id)
    if "allow" in values:
        ends.end_refused(changed, admission_of(site().policy, site().settings))
    print_result(describe(changed), [f"{changed.name} is changed."], as_json=as_json)


@clients.command("rotate-secret")
@click.argument("client_id")
@click.option("--overlap", default="24h", help="How long the old one works, such as 24h or 0.")
@json_option
@needs_database
def rotate_secret(client_id: str, *, overlap: str, as_json: bool) -> None:
    """Give an application a new secret.

    The old one goes on working for a while, so that nobody is interrupted.
    """
    client = find(client_id)
    until = read_duration(overlap)
    secret = admin_acts.rotate_secret(client.id, until, COMMAND_LINE)
    changed = rows.get(client.id)
    told = {"client_id": client.client_id, "client_secret": secret}
    lines = [f"{label}: {value}" for label, value in told.items()]
    works = f"works until {format_time(changed.old_secret_until)}" if until else "is refused now"
    lines.append(f"The old secret {works}.")
    ends = {"old_secret_until": iso_time(changed.old_secret_until)}
    print_result(told | ends, lines, as_json=as_json)
    if not as_json:
        print_note(SHOWN_ONCE)


@clients.command("disable")
@click.argument("client_id")
@json_option
@needs_database
def disable(client_id: str, *, as_json: bool) -> None:
    """Disable an application: nobody signs in to it, and its tokens are refused."""
    client = find(client_id)
    admin_acts.disable_client(client.id, COMMAND_LINE)
    said = [f"{client.name} is disabled."]
    print_result(describe(rows.get(client.id)), said, as_json=as_json)


@clients.command("enable")
@click.argument("client_id")
@json_option
@needs_database
def enable(client_id: str, *, as_json: bool) -> None:
    """Enable an application again, with what people had granted it."""
    client = find(client_id)
    admin_acts.enable_client(client.id, COMMAND_LINE)
    print_result(describe(rows.get(client.id)), [f"{client.name} is enabled."], as_json=as_json)


@clients.command("delete")
@click.argument("client_id")
@yes_option
@json_option
@needs_database
def delete(client_id: str, *, yes: bool, as_json: bool) -> None:
    """Delete an application, with what people granted it."""
    client = find(client_id)
    confirm_action(f"Delete {client.name}, {client.client_id}, for good?", yes=yes)
    admin_acts.remove_client(client.id, COMMAND_LINE)
    print_result({"client_id": client.client_id}, [f"{client.name} is deleted."], as_json=as_json)


@clients.command("grants")
@click.argument("client_id")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@json_option
@needs_database
def list_grants(client_id: str, *, limit: int, as_json: bool) -> None:
    """List what people granted an application, the latest used first."""
    found = grants.of_client(find(client_id).id, limit)
    items = [
        {
            "id": grant.id,
            "user": grant.user_id,
            "scopes": scopes.split(grant.scopes),
            "offline": grant.is_offline,
            "created_at": iso_time(grant.created_at),
            "last_used_at": iso_time(grant.last_used_at),
            "ended_at": iso_time(grant.ended_at),
            "end_reason": grant.end_reason or None,
            "address": grant.address,
        }
        for grant in found
    ]
    lines = [
        f"{grant.id}  user {grant.user_id}, last used {format_time(grant.last_used_at)}"
        f"{f', ended: {grant.end_reason}' if grant.ended_at else ''}"
        for grant in found
    ]
    print_result({"items": items}, lines or ["No grants."], as_json=as_json)
