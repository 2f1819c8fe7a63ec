"""A database that was restored from a copy: applications are ahead of it; nobody is signed out."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from storage import db
from tests.accounts.test_races import at_once
from tests.issuer.pair import post, second_instance, stop
from tests.issuer.relying_party import App, Tokens
from tests.site import Site


def copy_database(site: Site, folder: Path) -> str:
    """Copy the database as it is now; return the URL of the copy."""
    url = make_url(site._variables["DATABASE_URL"])
    if url.get_backend_name() == "sqlite":
        path = folder / "copy.sqlite"
        with sqlite3.connect(str(url.database)) as source, sqlite3.connect(path) as target:
            source.backup(target)
        return f"sqlite:///{path}"
    site.app.extensions["jobs"].stop()
    with site.app.app_context():
        db.engine.dispose()
    name = f"copy_of_{url.database}"
    there = create_engine(
        url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool
    )
    with there.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {url.database}"))
    return url.set(database=name).render_as_string(hide_password=False)


class Restored:
    """Two people whose tokens were rotated three times since the copy that was restored."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site, self.app = site, App(site)
        self.browsers = [site.browser() for _ in range(2)]
        for browser, person in zip(self.browsers, ("grace", "linus"), strict=True):
            browser.sign_in("google", person)
        # Each person's refresh tokens, the latest last.
        self.families = [[self.app.tokens(browser)] for browser in self.browsers]
        copy = copy_database(site, folder)
        for family in self.families:
            for _ in range(3):
                family.append(self.app.refresh(family[-1].refresh))
        site.restart(DATABASE_URL=copy)


@pytest.fixture
def restored(both: Site, tmp_path: Path) -> Restored:
    return Restored(both, tmp_path)


def test_a_database_that_was_restored_signs_nobody_out(restored):
    """Neither a session nor an application, whatever instance they meet first."""
    app, site = restored.app, restored.site
    second = second_instance(site)
    try:
        for browser, family in zip(restored.browsers, restored.families, strict=True):
            assert browser.me()
            latest = family[-1]
            assert not app.is_active(latest.access), "made since the copy; the refresh helps"
            form = {"grant_type": "refresh_token", "refresh_token": latest.refresh}
            here: list[Callable[[], Any]] = [lambda: app.token(**form).document] * 4  # noqa: B023
            there = [lambda: post(second, app, "token", **form)] * 4  # noqa: B023
            (heir,) = {each["refresh_token"] for each in at_once([*here, *there])}
            assert app.refresh(heir).status == 200
    finally:
        stop(second)


def test_a_thief_goes_no_further_after_a_restoration_than_before(restored):
    """A token that was spent since the copy looks unused to it, until its owner comes."""
    app = restored.app
    for family, is_thief_first in zip(restored.families, (True, False), strict=True):
        stolen, latest = family[1], family[-1]
        loot: list[Tokens] = []
        if is_thief_first:
            loot.append(app.refresh(stolen.refresh))
        mine = app.refresh(latest.refresh)
        assert mine.status == 200
        again = loot[-1].refresh if loot else stolen.refresh
        assert app.refresh(again).error == "invalid_grant"
        for tokens in (*loot, mine):
            assert app.userinfo(tokens.access).status_code == 401
            assert app.refresh(tokens.refresh).error == "invalid_grant"
    for browser in restored.browsers:
        assert "used twice" in browser.get("/account").text


def test_no_token_can_be_made_up_for_a_restored_database(restored):
    """Being ahead of the row is believed of genuine tokens only."""
    app, latest = restored.app, restored.families[0][-1].refresh
    for place in (22, 25, 40):
        letter = "A" if latest[place] != "A" else "Q"
        made_up = latest[:place] + letter + latest[place + 1 :]
        assert app.refresh(made_up).error == "invalid_grant"
    assert app.refresh(latest).status == 200
