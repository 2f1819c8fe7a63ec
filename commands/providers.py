"""The command line: ``flask --app app providers list`` and ``check``, ``revocations run``."""

import sys

import click
from flask.cli import AppGroup

from clients import CREDENTIALS
from commands.console import site
from errors import CodeRefused, Misconfigured, ProviderError
from providers import PROVIDERS
from providers.blueprint import LoginBlueprint
from providers.firebase import Firebase

providers = AppGroup("providers", help="The ways to sign in.")


@providers.command("list")
def list_providers() -> None:
    """What is on, and the exact redirect URI to paste into each console."""
    public_url = site().settings.public_url
    on = {blueprint.provider.key: blueprint for blueprint in site().providers.values()}
    known = PROVIDERS | {key: blueprint.provider for key, blueprint in on.items()}
    for key, provider in known.items():
        blueprint = on.get(key)
        click.echo(f"{provider.label}: {'on' if blueprint else 'off'}")
        click.echo(f"  redirect URI  {public_url}/login/{provider.name}/authorized")
        scope = blueprint.scope if blueprint else provider.scope
        click.echo(f"  scope         {scope or 'none: chosen in the console'}")
        click.echo(f"  console       {provider.console or provider.issuer}")
        if not blueprint:
            names = [CREDENTIALS[name][0].format(key.upper()) for name in provider.credentials]
            click.echo(f"  to turn on    set {', '.join(names[:-1])} and {names[-1]}")
    project = site().firebase
    click.echo(f"Firebase, for apps: {'on' if project else 'off'}")
    if project:
        click.echo(f"  project       {project.project_id}")
    else:
        click.echo("  to turn on    set FIREBASE_PROJECT_ID")


@providers.command("check")
def check_providers() -> None:
    """Ask each provider that is on whether it takes our settings; ends with 1 if one does not."""
    results = [(one.label, check(one)) for one in site().providers.values()]
    project = site().firebase
    if project:
        results.append(("Firebase", check_keys(project)))
    if not results:
        click.echo("No provider is on. Set NAME_CLIENT_ID and NAME_CLIENT_SECRET for one.")
        sys.exit(1)
    for label, (is_good, finding) in results:
        click.echo(f"{'ok  ' if is_good else 'FAIL'}  {label}: {finding}")
    sys.exit(0 if all(is_good for _label, (is_good, _finding) in results) else 1)


def check_keys(project: Firebase) -> tuple[bool, str]:
    """Whether the keys that check ID tokens can be had. The project's id cannot be checked."""
    try:
        project.keys.read()
    except ProviderError as error:
        return False, error.detail
    return True, f"its keys can be read; tokens of project {project.project_id} are taken"


def check(blueprint: LoginBlueprint) -> tuple[bool, str]:
    """Whether a provider is reachable and knows our client: it is sent a made-up code, which it
    must refuse for being made up, and not for our id, secret or redirect URI."""
    try:
        blueprint.check()
    except Misconfigured as error:
        return False, f"refuses the client id, secret or redirect URI ({error.detail})"
    except CodeRefused:
        return True, f"reachable and knows the client; redirect URI {blueprint.redirect_uri}"
    except ProviderError as error:
        return False, error.detail
    return False, "took a made-up code, so it is not what it seems to be"
