"""The options of ``clients add`` and ``clients set``, and the columns that they set."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from config.branding import Image, read_image
from issuer import registration, resources, scopes
from issuer.clients import CODE, DEVICE, MACHINE, REFRESH

# Stands for a file without JSON: no JWK set.
NOT_JSON = "not JSON"
F = TypeVar("F", bound=Callable[..., Any])
# Columns by option, for options that are given as they are stored.
REPEATABLE = {
    "redirect_uris": ("--redirect-uri", "Where people come back to; may be given several times."),
    "post_logout_uris": (
        "--post-logout-redirect-uri",
        "Where sign-out may lead to; may be given several times.",
    ),
    "scopes": (
        "--scope",
        (
            f"A scope that it may ask for; may be given several times. Default: "
            f"{scopes.join(scopes.USUAL)}."
        ),
    ),
    "grant_types": (
        "--grant",
        (
            f"{CODE} and {REFRESH} (both by default), {MACHINE} for a program of its own, "
            "device for a device without a browser; may be given several times."
        ),
    ),
    "resources": (
        "--resource",
        "An API that it may get access tokens for (resources add); may be given several times.",
    ),
    "allow": (
        "--allow",
        (
            "Who may use it: everyone, domain=example.org, group=NAME, role=NAME, "
            "user=ID or provider=NAME; "
            "may be given several times. Default: as APPS_DEFAULT says."
        ),
    ),
}
SINGLE: dict[str, tuple[str, Any, str]] = {
    "jwks_uri": ("--jwks-uri", str, "Where it publishes its keys: it needs no secret then."),
    "jwks": ("--jwks", str, "A file with its public keys: it needs no secret then."),
    "backchannel_uri": ("--backchannel-logout-uri", str, "Where it is told of sign-outs."),
    "id_token_alg": ("--id-token-alg", str, "RS256 (default) or ES256."),
    "access_seconds": (
        "--access-seconds",
        int,
        "Lifetime of access tokens, 300 to 3600 seconds. Default: 600.",
    ),
    "idle_days": (
        "--idle-days",
        click.IntRange(1, 400),
        "Days after which an unused refresh token ends. Default: 30.",
    ),
    "max_days": (
        "--max-days",
        click.IntRange(1, 400),
        "Days after which every refresh token ends. Default: 90.",
    ),
    "grace_seconds": (
        "--grace",
        click.IntRange(0, 300),
        "Seconds in which a lost answer to a refresh may be asked for again. Default: 60.",
    ),
}
SWITCHES = {
    "is_first_party": (
        "--first-party/--third-party",
        "Whether it is your own: people are not asked for consent.",
    ),
    "needs_pkce": ("--pkce/--no-pkce", "Whether it must use PKCE; older applications cannot."),
    "has_claims_in_id_token": (
        "--claims-in-id-token/--no-claims-in-id-token",
        "Whether names and addresses are in the ID token too.",
    ),
}
DEFAULTS: dict[str, Any] = {
    "redirect_uris": [],
    "post_logout_uris": [],
    "scopes": list(scopes.USUAL),
    "grant_types": [CODE, REFRESH],
    "resources": [],
    "allow": [],
    "backchannel_uri": None,
    "jwks": None,
    "jwks_uri": None,
    "id_token_alg": "RS256",
    "access_seconds": 600,
    "idle_days": 30,
    "max_days": 90,
    "grace_seconds": 60,
    "is_first_party": False,
    "needs_pkce": True,
    "has_claims_in_id_token": False,
}
LOGO = (
    "A square image that people see next to its name: SVG, PNG, WebP or JPEG, of at most 256 KiB. "
    "Default: the first letter of its name."
)


def client_options(command: F) -> F:
    """Add the options that ``add`` and ``set`` share."""
    options = [
        *(
            click.option(option, column, multiple=True, help=words)
            for column, (option, words) in REPEATABLE.items()
        ),
        *(
            click.option(option, column, type=kind, help=words)
            for column, (option, kind, words) in SINGLE.items()
        ),
        *(
            click.option(option, column, default=None, help=words)
            for column, (option, words) in SWITCHES.items()
        ),
        click.option("--logo", help=LOGO),
    ]
    # Decorators apply from the last to the first, which --help then shows first.
    for option in reversed(options):
        command = option(command)
    return command


def given_columns(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that options set."""
    kinds = given.get("grant_types") or ()
    named = {"grant_types": tuple({"device": DEVICE}.get(kind, kind) for kind in kinds)}
    columns = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in (dict(given) | named).items()
        if value is not None and value != ()
    }
    if columns.get("jwks"):
        columns["jwks"] = read_jwks(columns["jwks"])
    return columns


def read_jwks(path: Any) -> object:
    """Return the JSON of a file, whatever it says; what is none becomes a fault of the option."""
    try:
        return json.loads(Path(path).read_bytes()) or NOT_JSON
    except (OSError, ValueError, RecursionError):
        return NOT_JSON


def read_logo(path: str | None) -> Image | str | None:
    """Return the image of a file, or why it is none."""
    try:
        return read_image(Path(path)) if path else None
    except ValueError as error:
        return f"--logo: {error}"


def read_duration(text: str) -> timedelta:
    """Read a duration such as 90s, 30m, 24h or 7d."""
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    number, unit = (text[:-1], text[-1]) if text[-1:] in units else (text, "s")
    if not (number.isascii() and number.isdigit()) or len(number) > 7:
        raise click.BadParameter("must be a time such as 24h or 7d", param_hint="--overlap")
    return timedelta(seconds=int(number) * units[unit])


def refuse_faults(
    values: Mapping[str, Any], logo: Image | str | None, *, act: str = "registered"
) -> Image | None:
    """End the command with all faults together; else return the logo. ``act``: what is refused."""
    known = {resource.id for resource in resources.every()}
    unknown = [uri for uri in values["resources"] if uri not in known]
    found = registration.faults(values)
    found += [f"--resource {uri}: register it first (resources add)" for uri in unknown]
    found += [logo] if isinstance(logo, str) else []
    if found:
        raise click.ClickException("\n  ".join([f"This client cannot be {act}:", *found]))
    assert not isinstance(logo, str)
    return logo
