"""``providers list`` and ``check``: the providers, and a check-up of the whole site."""

import sys
from collections.abc import Callable
from typing import Any

import click
from flask.cli import AppGroup

from commands.check_inbox import check_inbox
from commands.check_public import check_public
from commands.check_server import check_server
from commands.console import json_option, print_result, report_refusals, site
from config.registrations import CREDENTIALS
from providers import PROVIDERS
from providers.protocols import firebase
from web.checks.findings import CHECK_SECONDS, Finding, run_checks, server_finding, worst_level
from web.checks.provider import check_all

providers = AppGroup("providers", help="List and check the providers.")


@providers.command("list")
@json_option
def list_providers(*, as_json: bool) -> None:
    """List the providers that are on, and the redirect URIs.

    Enter them in each provider's console exactly as printed.
    """
    items = _items()
    project = site().firebase
    lines = [line for item in items for line in _lines(item)]
    lines.append(f"Firebase, for apps: {'on' if project else 'off'}")
    lines.append(
        f"  project       {project.project_id}" if project else _to_turn_on(["FIREBASE_PROJECT_ID"])
    )
    document = {"items": items, "firebase_project_id": project.project_id if project else None}
    print_result(document, lines, as_json=as_json)


def _items() -> list[dict[str, Any]]:
    """Return what --json lists of each provider."""
    public_url = site().settings.base_url
    on = {connector.provider.key: connector for connector in site().connectors.values()}
    known = PROVIDERS | {key: connector.provider for key, connector in on.items()}
    return [
        {
            "name": provider.name,
            "label": provider.label,
            "on": key in on,
            "redirect_uri": f"{public_url}/login/{provider.name}/authorized",
            "scope": on[key].scope if key in on else provider.protocol.scope,
            "console": provider.console,
            "settings": [CREDENTIALS[name][0].format(key.upper()) for name in provider.credentials],
        }
        for key, provider in known.items()
    ]


def _lines(item: dict[str, Any]) -> list[str]:
    """Write one provider as lines for people."""
    lines = [
        f"{item['label']}: {'on' if item['on'] else 'off'}",
        f"  redirect URI  {item['redirect_uri']}",
        f"  scope         {item['scope'] or 'none: chosen in the console'}",
        f"  console       {item['console']}",
    ]
    return lines if item["on"] else [*lines, _to_turn_on(item["settings"])]


def _to_turn_on(names: list[str]) -> str:
    """Name the variables that turn a provider on."""
    *others, last = names
    return (
        f"  to turn on    set {', '.join(others)} and {last}"
        if others
        else (f"  to turn on    set {last}")
    )


@providers.command("check")
@click.argument("name", required=False)
@json_option
def check(name: str | None, *, as_json: bool) -> None:
    """Check everything that signing in needs.

    Each configured provider gets an invalid code, which it must refuse for the right reason; its
    metadata, keys, certificates and clock are checked. Then this server is checked: database, disk,
    keys, cookies, and what a browser gets at PUBLIC_URL. With NAME, one provider only.

    Each line is ok, warn or FAIL and says what to do. Exits with 1 if any is FAIL.
    """
    with report_refusals():
        findings = _check_everything() if name is None else _check_provider(name)
    level = worst_level(findings)
    document = {"level": level, "items": [finding.document for finding in findings]}
    print_result(document, [finding.line for finding in findings], as_json=as_json)
    sys.exit(1 if level == "fail" else 0)


def _check_everything() -> list[Finding]:
    """Check the providers, this server and the public URL."""
    parts: list[Callable[[], list[Finding]]] = [_check_providers, check_server, check_public]

    def late(number: int) -> list[Finding]:
        part = ("providers", "server", "public URL")[number]
        return [
            server_finding(
                "time", "Time", "fail", f"the checks of the {part} did not finish in time"
            )
        ]

    # Twice the limit: the first of these parts waits for checks of its own.
    found = run_checks(parts, late, 2 * CHECK_SECONDS)
    return [finding for part in found for finding in part]


def _check_providers() -> list[Finding]:
    """Check all providers that are on."""
    if not site().connectors and site().firebase is None:
        message = "No provider is on. Set NAME_CLIENT_ID and NAME_CLIENT_SECRET for one."
        return [server_finding("providers", "Providers", "fail", message)]
    found = check_all(site().connectors.values(), site().firebase)
    return [*found, *check_inbox(site().connectors)]


def _check_provider(name: str) -> list[Finding]:
    """Check one provider that is on."""
    if name == firebase.NAME and site().firebase:
        return check_all([], site().firebase)
    if name in site().connectors:
        return [*check_all([site().connectors[name]], None), *check_inbox([name])]
    on = ", ".join([*site().connectors, *([firebase.NAME] if site().firebase else [])])
    raise click.BadParameter(f"{name} is not on. There are: {on or 'none'}.", param_hint="NAME")
