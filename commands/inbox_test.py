"""``inbox test``: whether what a provider would report arrives here, through PUBLIC_URL."""

import sys
import time

import click
from flask.cli import with_appcontext

from commands.console import json_option, needs_database, print_result, site
from errors import ProviderError
from inbox import receipts
from inbox.catalogue import build_dialects
from inbox.notices import Dialect
from inbox.trials import Trial, trial_of
from providers.http.transport import HEADERS, Transport
from storage import db
from web.checks.findings import Finding, Level, worst_level

WAIT_SECONDS, LOOK_SECONDS = 30.0, 0.5
REFUSALS = (400, 401, 403, 415)


@click.command("test")
@click.argument("name")
@json_option
@with_appcontext
@needs_database
def test_inbox(name: str, *, as_json: bool) -> None:
    """Send a harmless message to each route of a provider, through PUBLIC_URL.

    It is signed as the provider signs, where this site holds what that needs: then it must be
    taken, and its receipt must come into this database within 30 seconds. Where only the provider
    can sign, the route must refuse what is unsigned.

    Each line is ok or FAIL and says what to do. Exits with 1 if any is FAIL.
    """
    dialects = [each for each in _dialects() if each.provider == name]
    if not dialects:
        raise click.BadParameter(f"{name} has no open address here. See: inbox urls")
    found = [_try(dialect) for dialect in dialects]
    level = worst_level(found)
    document = {"level": level, "items": [finding.document for finding in found]}
    print_result(document, [finding.line for finding in found], as_json=as_json)
    sys.exit(1 if level == "fail" else 0)


def _dialects() -> list[Dialect]:
    return build_dialects(site().connectors, site().settings.base_url)


def _try(dialect: Dialect) -> Finding:
    connector = site().connectors[dialect.provider]
    url = f"{site().settings.base_url}/inbox/{dialect.path}"
    trial, earlier = trial_of(dialect, connector), _latest(dialect.provider)
    try:
        level, message = _judge(_send(url, trial), trial)
    except ProviderError as error:
        level, message = "fail", f"{error.detail}; does PUBLIC_URL lead here?"
    if level == "ok" and trial.is_signed and not _has_come(dialect.provider, earlier):
        level = "fail"
        message = "takes it, but no receipt came into this database; does another server answer?"
    return Finding(dialect.provider, connector.label, "inbox_test", level, f"{url} {message}")


def _judge(status: int, trial: Trial) -> tuple[Level, str]:
    if status in (404, 405):
        return "fail", f"answered {status}; was the server started with these settings?"
    if not trial.is_signed and status in REFUSALS:
        return "ok", "refuses what is unsigned; only the provider itself can send a signed test"
    if not trial.is_signed:
        return "fail", f"answered {status} to an unsigned message; does another server answer?"
    if status in REFUSALS:
        started = "was the server started with these settings, and does a proxy pass bodies and"
        return "fail", f"refused it with {status}; {started} headers on unchanged?"
    if not 200 <= status < 300:
        return "fail", f"answered {status}; see the server's log"
    return "ok", "takes what is signed as the provider signs, and its receipt came"


def _send(url: str, trial: Trial) -> int:
    headers = {**HEADERS, **trial.headers}
    answer = Transport().ask(
        trial.method, url + trial.query, headers=headers, form=trial.form, document=trial.document
    )
    return answer.status_code


def _latest(provider: str) -> str:
    """Return the id of the latest receipt."""
    found = receipts.recent(provider, 1)
    db.session.rollback()  # the next look must see what came
    return found[0].id if found else ""


def _has_come(provider: str, earlier: str) -> bool:
    """Wait for another receipt than an earlier one."""
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        if _latest(provider) != earlier:
            return True
        time.sleep(LOOK_SECONDS)
    return False
