"""The fake OAuth 2.0 providers answer in the shape of the real ones, and our providers understand
all their people."""

from typing import Any

import pytest

from providers import PROVIDERS
from providers.base import Profile
from simulator.declared import Declared
from simulator.people import PEOPLE, Person
from simulator.rows import ROWS
from tests.providers.contract import getter, read_sample

# Its API has no address.
WITHOUT_ADDRESS = {"reddit"}
every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def said_by(row: type[Declared], person: Person) -> dict[str, Any]:
    """Every response of a fake provider about a user who granted our scope."""
    scopes = tuple(PROVIDERS[row.name].protocol.scope.split())
    said = {path: answer(person, scopes) for path, answer in row.says.items()}
    if "token" in said:
        said["token"] |= {"access_token": "x", "token_type": "bearer"}
    return said


def profile_of(row: type[Declared], person: Person) -> Profile:
    return PROVIDERS[row.name].profile(getter(said_by(row, person)))


def differences(real: Any, alike: Any, place: str = "") -> list[str]:
    """The places where two documents have other names or values of other types; null is of every
    type."""
    if real is None or alike is None:
        return []
    if isinstance(real, dict) and isinstance(alike, dict):
        odd = [f"{place}.{name}" for name in real.keys() ^ alike.keys()]
        inner = [differences(real[n], alike[n], f"{place}.{n}") for n in real.keys() & alike.keys()]
        return odd + [each for found in inner for each in found]
    if isinstance(real, list) and isinstance(alike, list) and real and alike:
        return differences(real[0], alike[0], f"{place}.0")
    return [] if type(real) is type(alike) else [place]


@every_row
def test_a_fake_provider_answers_in_the_shape_of_the_real_one(row):
    said = said_by(row, PEOPLE["grace"])
    for path, real in read_sample(row.name)["answers"].items():
        assert differences(real, said[path]) == []


@every_row
@pytest.mark.parametrize("person", PEOPLE.values(), ids=PEOPLE)
def test_the_profiles_of_all_fake_people_are_understood(row, person):
    profile = profile_of(row, person)
    assert profile.name in (person.name or None, person.username, person.key, None)
    assert profile.email == (None if row.name in WITHOUT_ADDRESS else person.email)
    assert not profile.email_verified or person.email_verified


@every_row
def test_all_fake_people_have_different_subjects(row):
    assert len({profile_of(row, person).subject for person in PEOPLE.values()}) == len(PEOPLE)
