"""Spotify's account_id, and answers of the older shape, which have only the id."""

from typing import Any

import pytest

from providers.protocols.oauth2 import OAuth2Client
from tests.site import Site, Sites

SAID = {
    "account_id": "7f3k1made0up9account",
    "id": "olu_m",
    "display_name": "Olu Martins",
    "email": "olu@example.com",
}


class Answers:
    """What Spotify's ``me`` says; None removes a member."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._changes: dict[str, Any] = {}
        monkeypatch.setattr(OAuth2Client, "read", self._read)

    def change(self, **members: Any) -> None:
        self._changes = members

    def _read(self, *_args: Any) -> dict[str, Any]:
        said = SAID | self._changes
        return {name: value for name, value in said.items() if value is not None}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    return Answers(monkeypatch)


@pytest.fixture(params=["sqlite", "postgresql"])
def site(make_site: Sites, request: pytest.FixtureRequest) -> Site:
    return make_site(database=request.param, look_alikes=("spotify",))


def enter(site: Site) -> Any:
    page = site.browser().sign_in("spotify", "ada")
    return page.path if page.status == 200 else page.status


def test_a_person_who_was_here_before_is_recognised_without_account_id(site, answers):
    assert enter(site) == "/account"
    before = site.rows("SELECT subject, email, profile FROM oauth")
    answers.change(account_id=None)
    assert enter(site) == "/account"
    assert site.user_count() == 1
    assert site.rows("SELECT subject, email, profile FROM oauth") == before


def test_nobody_is_added_without_account_id(site, answers):
    answers.change(account_id=None)
    assert enter(site) == 502
    assert site.user_count() == 0


@pytest.mark.parametrize(
    "members",
    [
        {"email": "eve@example.com"},
        {"email": None},
        {"id": "OLU_M"},
        {"id": None},
        {"id": ["olu_m"]},
    ],
    ids=str,
)
def test_the_username_alone_opens_no_account(site, answers, members):
    """An id may get another holder, who has another address."""
    enter(site)
    answers.change(account_id=None, **members)
    assert enter(site) == 502


def test_an_id_that_equals_another_persons_account_id_opens_no_account(site, answers):
    enter(site)
    answers.change(account_id=None, id=SAID["account_id"])
    assert enter(site) == 502


def test_an_id_of_two_people_opens_no_account(site, answers):
    enter(site)
    answers.change(account_id="another")
    site.browser().sign_in("spotify", "ada")
    site.execute("UPDATE oauth SET email = NULL, email_key = NULL")
    answers.change(account_id=None)
    assert enter(site) == 502
