"""People are found by the beginnings of words of their names, also before the job wrote them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

import accounts
from accounts import directory, name_search, names
from accounts.activity import COMMAND_LINE
from accounts.rules import Policy
from models import User
from storage import atomic, db
from tests.site import Site

NAMES = {
    "ada": "Ada Lovelace",
    "jose": "José Muñoz-Ñuñez",
    "strasse": "Strauß, Anna",
    "taro": "山田太郎 (Tarō)",
    "percent": "100%_x",
    "fox": "🦊",
    "none": None,
    "longest": " ".join(f"\U00020000{n:02}" for n in range(50)),
    "syllables": "\uac01" * 200,
}
# By what is searched: who is found.
FOUND = {
    "ada": {"ada"},
    "LOVE": {"ada"},
    "love ada": {"ada"},
    "lovelace adams": set(),
    "ovelace": set(),  # not the beginning of a word
    "jose munoz": {"jose"},
    "ÑUÑ": {"jose"},
    "strauss": {"strasse"},
    "ann stra": {"strasse"},
    "山田": {"taro"},
    "太郎": {"taro"},
    "taro": {"taro"},
    "100": {"percent"},
    "100%_X": {"percent"},
    "%": set(),
    "_": set(),
    "l_e": set(),
    "love%": {"ada"},
    "🦊": set(),
    "\U0002000007": {"longest"},
    "\uac01": {"syllables"},
}


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest, make_site: Any) -> Site:
    site: Site = make_site(str(request.param))
    # The tests below write when they mean to.
    site.app.extensions["jobs"].stop()
    return site


@atomic
def add(people: dict[str, str | None]) -> None:
    """Add people, each a second older than the one before. Their ids begin with their keys."""
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {"id": id_of(key), "name": name, "created_at": begun - timedelta(seconds=number // 3)}
        for number, (key, name) in enumerate(people.items())
    ]
    db.session.execute(insert(User), rows)


def id_of(key: str) -> str:
    return key.encode().hex().ljust(32, "0")


def search(text: str, **more: Any) -> list[str]:
    """The ids of the people on a page."""
    return [user.id for user in directory.search(text, Policy("ask"), **more)]


def write_words(site: Site) -> None:
    site.execute("UPDATE chores SET due_at = '2026-01-01 00:00:00.000000'")
    site.inside(names.work)
    assert not site.rows("SELECT id FROM users WHERE coalesce(name, '') <> coalesce(words_of, '')")


def test_the_beginnings_of_words_find_a_person_before_and_after_they_are_written(site):
    site.inside(add, NAMES)
    for _when in ("before", "after"):
        for text, expected in FOUND.items():
            found = set(site.inside(search, text))
            assert found == {id_of(key) for key in expected}, (text, _when)
            assert site.inside(directory.count, text=text) == len(expected), (text, _when)
        write_words(site)


def test_a_new_name_is_found_immediately_and_the_old_one_no_longer(site):
    site.inside(add, NAMES)
    write_words(site)
    site.inside(accounts.rename, id_of("ada"), "Ada Byron", COMMAND_LINE)
    for _when in ("before", "after"):
        assert site.inside(search, "byron ada") == [id_of("ada")]
        assert site.inside(search, "lovelace") == []
        assert site.inside(directory.count, text="lovelace") == 0
        write_words(site)
    site.inside(accounts.rename, id_of("ada"), None, COMMAND_LINE)
    assert site.inside(search, "ada") == []
    write_words(site)
    assert site.inside(search, "ada") == []


def test_nothing_of_a_name_is_left_when_an_account_is_deleted(site):
    site.inside(add, NAMES)
    write_words(site)
    site.inside(accounts.delete, id_of("ada"), COMMAND_LINE)
    left = {row[0] for row in site.rows("SELECT word FROM name_words")}
    assert "lovelace" not in left
    assert "munoz" in left


def test_words_are_written_in_batches_by_one_instance_at_a_time(site, monkeypatch):
    monkeypatch.setattr(names, "BATCH_PEOPLE", 3)
    site.inside(add, {f"{number:02}": f"Number {number}" for number in range(10)})
    site.inside(names.work)
    assert len(site.rows("SELECT DISTINCT user_id FROM name_words")) == 10
    site.inside(add, {"late": "Late Comer"})
    site.inside(names.work)
    assert not site.rows("SELECT * FROM name_words WHERE word = 'late'"), "not due yet"
    write_words(site)
    assert site.inside(search, "late") == [id_of("late")]


PEOPLE = {
    f"{n:03}": f"{'Ann' if n % 2 else 'Bob'} {'Anderson' if n % 7 else 'Zed'}{n % 10}"
    for n in range(120)
}


def pages(text: str, only: Any) -> Iterator[str]:
    """Everybody on all pages of a search."""
    last = None
    while found := search(text, only=only, after=last, limit=7):
        yield from found
        last = found[-1]


@pytest.mark.parametrize(("many", "newest"), [(20_000, 5_000), (10, 20), (10, 500), (0, 1)])
def test_each_page_goes_on_where_the_last_one_ended(site, monkeypatch, many, newest):
    """However common the words are: ``many`` and ``newest`` choose the way they are looked up."""
    monkeypatch.setattr(name_search, "MANY", many)
    monkeypatch.setattr(name_search, "NEWEST", newest)
    site.inside(add, PEOPLE)
    write_words(site)
    site.execute("UPDATE users SET disabled_at = created_at WHERE name LIKE '%5'")
    site.execute("UPDATE users SET name = 'Bob Anderson' WHERE name LIKE 'Ann %3'")
    rows = site.rows("SELECT id, name, disabled_at FROM users ORDER BY created_at DESC, id DESC")
    for text in ("ann", "an", "ann and", "zed", "bob zed5", "anderson3", "bob anderson", "x"):
        for only in ("", "disabled"):
            expected = [
                row.id
                for row in rows
                if names.matches(row.name, names.words_of(text)) and (row.disabled_at or not only)
            ]
            found = site.inside(lambda text=text, only=only: list(pages(text, only)))
            assert found == expected, (text, only)


def test_the_list_of_the_command_line_searches_alike(site):
    site.inside(add, PEOPLE)
    found = site.inside(directory.page, 200, text="zed ann")
    assert {user.name.split()[0] for user in found} == {"Ann"}
    assert site.inside(directory.count, text="zed ann") == len(found) > 3
    assert site.inside(directory.count, text="zed ann", only_disabled=True) == 0
