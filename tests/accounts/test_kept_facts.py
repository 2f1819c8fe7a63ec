"""Facts of a person that stay, or are filled in, when a provider tells less or more than before."""

from dataclasses import replace
from typing import Any

from accounts import choices
from accounts.decisions import Create, Known, NeedsOwnership
from accounts.rules import Policy
from providers.base import Assertion
from tests.accounts.desk import AUTO, CALLER, Desk, assertion

ADA = assertion("google", "1", "ada@gmail.com", "trusted")
SILENT = assertion("google", "1")


def with_facts(who: Assertion, **facts: Any) -> Assertion:
    return replace(who, profile=replace(who.profile, **facts))


def address(desk: Desk) -> Any:
    ((email, verified, trusted, key),) = desk.site.rows(
        "SELECT email, email_verified, email_trusted, email_key FROM oauth"
    )
    return email, bool(verified), bool(trusted), key


def shown(desk: Desk) -> Any:
    return tuple(desk.site.rows("SELECT name, picture FROM users")[0])


# An address that is not shared any more.


def test_an_address_that_is_not_shared_any_more_stays_with_a_date(desk):
    ada = desk.enter(ADA)
    desk.enter(SILENT)
    assert address(desk) == ("ada@gmail.com", True, False, "ada@gmail.com")
    ((first,),) = desk.site.rows("SELECT profile FROM oauth")
    assert "email_not_shared_since" in first
    desk.enter(SILENT)
    assert desk.site.rows("SELECT profile FROM oauth") == [(first,)], "the date is the first one"
    assert [kind for kind, _, _ in desk.events(ada.user_id)] == ["signed_in"] * 3
    desk.enter(ADA)
    assert address(desk) == ("ada@gmail.com", True, True, "ada@gmail.com")
    assert "email_not_shared_since" not in desk.site.rows("SELECT profile FROM oauth")[0][0]


def test_another_address_replaces_one_that_is_not_shared_any_more(desk):
    desk.enter(ADA)
    desk.enter(SILENT)
    desk.enter(assertion("google", "1", "lovelace@gmail.com"))
    assert address(desk) == ("lovelace@gmail.com", False, False, "lovelace@gmail.com")


def test_a_listed_domain_admits_a_person_whose_provider_fell_silent(desk):
    policy = Policy(allowed_email_domains=("navy.example",))
    grace = desk.enter(assertion("google", "1", "grace@navy.example", "trusted"), policy)
    assert desk.sign_in(SILENT, policy) == Known(grace.user_id)
    assert desk.sign_in(SILENT, policy) == Known(grace.user_id)


def test_an_address_that_is_not_shared_any_more_joins_no_account(desk):
    desk.enter(ADA)
    desk.enter(SILENT)
    heir = assertion("github", "heir", "ada@gmail.com", "trusted")
    assert isinstance(desk.sign_in(heir, AUTO), NeedsOwnership)


def test_a_person_who_never_shared_an_address_has_no_date(desk):
    assert desk.sign_in(SILENT) == Create()
    desk.enter(SILENT)
    assert "email_not_shared_since" not in desk.site.rows("SELECT profile FROM oauth")[0][0]


# A name or a picture that was missing at first.


def test_a_missing_name_and_picture_are_filled_in_at_the_next_sign_in(desk):
    desk.enter(ADA)
    assert shown(desk) == (None, None)
    desk.enter(with_facts(ADA, name="Ada Lovelace", picture="https://pictures.example/1"))
    assert shown(desk) == ("Ada Lovelace", "https://pictures.example/1")
    desk.enter(with_facts(ADA, name="Countess", picture="https://pictures.example/1"))
    assert shown(desk)[0] == "Ada Lovelace"


def test_a_name_and_a_picture_that_a_person_removed_are_not_filled_in(desk):
    who = with_facts(ADA, name="Ada Lovelace", picture="https://pictures.example/1")
    ada = desk.enter(who)
    desk.site.inside(choices.rename, ada.user_id, None, CALLER)
    desk.site.inside(choices.choose_picture, ada.user_id, None)
    desk.enter(who)
    assert [value or None for value in shown(desk)] == [None, None]


def test_saving_an_empty_profile_unchanged_is_no_choice(desk):
    ada = desk.enter(ADA)
    desk.site.inside(choices.rename, ada.user_id, "", CALLER)
    desk.site.inside(choices.choose_picture, ada.user_id, None)
    assert [kind for kind, _, _ in desk.events(ada.user_id)] == ["signed_in"]
    desk.enter(with_facts(ADA, name="Ada", picture="https://pictures.example/1"))
    assert shown(desk) == ("Ada", "https://pictures.example/1")


def test_an_apps_id_token_does_not_empty_what_the_web_knows(desk):
    """It comes without userinfo."""
    desk.enter(with_facts(ADA, username="ada", picture="https://pictures.example/1"))
    before = desk.site.rows("SELECT profile FROM oauth")
    desk.enter(replace(ADA, token={}))
    assert desk.site.rows("SELECT profile FROM oauth") == before
    assert shown(desk)[1] == "https://pictures.example/1"
