"""Link, connect, reauthenticate and unlink on real databases."""

import pytest

from accounts.decisions import AlreadyLinked, Link, NeedsMerge
from accounts.rules import Policy
from errors import LastWayIn, NotFound, StateMismatch
from tests.accounts.desk import ASK, NEWCOMER, SEPARATE, assertion, outcome_of

# Link, connect, reauthenticate.


def test_a_linked_identity_opens_the_account(desk):
    ada = desk.enter(assertion("google", "1"))
    assert desk.link(ada.user_id, assertion("github", "2")) == Link()
    assert desk.link(ada.user_id, assertion("github", "2")) == AlreadyLinked()
    assert desk.link(ada.user_id, assertion("github", "3")) == Link()
    assert {desk.enter(assertion("github", each)).user_id for each in "23"} == {ada.user_id}


def test_linking_never_takes_an_identity_from_another_account(desk):
    """Supabase #1762: an identity of another account is never moved silently."""
    ada, grace = desk.enter(assertion("google", "1")), desk.enter(assertion("github", "2"))
    before = desk.everything()
    assert desk.link(ada.user_id, assertion("github", "2")) == NeedsMerge(grace.user_id)
    assert desk.everything() == before


def test_linking_to_a_deleted_account_is_refused(desk):
    assert isinstance(outcome_of(lambda: desk.link("0" * 32, assertion())), StateMismatch)
    assert desk.owners() == {}


def test_connecting_adds_the_identity_to_the_verified_account(desk):
    ada = desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    desk.connect(ada.user_id, NEWCOMER)
    assert desk.enter(NEWCOMER).user_id == ada.user_id
    assert desk.events(ada.user_id)[1][0] == "linked"


@pytest.mark.parametrize(
    ("who", "policy"),
    [
        (assertion("github", "new", "ada@gmail.com"), ASK),  # its address was never verified
        (assertion("github", "new", "other@gmail.com", "trusted"), ASK),  # not this address
        (assertion("github", "new"), ASK),
        (NEWCOMER, SEPARATE),  # no longer asked
        (NEWCOMER, Policy(allowed_email_domains=("navy.example",))),
        (assertion("google", "ada", "ada@gmail.com", "trusted"), ASK),  # known
    ],
)
def test_connecting_without_a_matching_question_is_refused(desk, who, policy):
    ada = desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    before = desk.everything()
    with pytest.raises(StateMismatch):
        desk.connect(ada.user_id, who, policy)
    assert desk.everything() == before


def test_connecting_to_an_account_without_the_address_is_refused(desk):
    desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    mallory = desk.enter(assertion("google", "mallory", "mallory@gmail.com", "trusted"))
    before = desk.everything()
    with pytest.raises(StateMismatch):
        desk.connect(mallory.user_id, NEWCOMER)
    assert desk.everything() == before


def test_only_the_requested_identity_reauthenticates(desk):
    """Flask-Security GHSA-97r5, GHSA-f66q."""
    one, two, strangers = (
        assertion("google", "1"),
        assertion("google", "2"),
        assertion("google", "3"),
    )
    ada, eve = desk.account(one, two), desk.enter(strangers)
    before = desk.everything()
    asked = desk.identity(one)
    assert not desk.reauthenticate(ada.user_id, asked, two)
    assert not desk.reauthenticate(ada.user_id, asked, strangers)
    assert not desk.reauthenticate(ada.user_id, asked, assertion("google", "4"))
    assert not desk.reauthenticate(eve.user_id, asked, one)
    assert not desk.reauthenticate(ada.user_id, desk.identity(strangers), strangers)
    assert desk.everything() == before
    assert desk.reauthenticate(ada.user_id, asked, one)
    assert desk.events(ada.user_id)[0][0] == "confirmed"


# Unlink.


def test_unlinking_ends_other_sessions_that_the_identity_started(desk):
    one, two = assertion("google", "1"), assertion("github", "2")
    here = desk.account(one, two)
    laptop, phone = desk.enter(one), desk.enter(two)
    desk.unlink(here, one)
    assert desk.whose(laptop) is None
    assert desk.whose(here) == desk.whose(phone) == here.user_id
    assert desk.owner(one) is None
    assert [event[0] for event in desk.events(here.user_id)[:2]] == ["sessions_ended", "unlinked"]


def test_an_unlinked_identity_no_longer_opens_the_account(desk):
    one, two = assertion("google", "1"), assertion("github", "2")
    here = desk.account(one, two)
    desk.unlink(here, one)
    assert desk.enter(one).user_id != here.user_id


def test_unlinking_another_users_identity_answers_like_a_missing_one(desk):
    """better-auth CVE-2025-61928."""
    ada = desk.account(assertion("google", "1"), assertion("github", "2"))
    eve = desk.account(assertion("google", "3"), assertion("github", "4"))
    before = desk.everything()
    missing = outcome_of(lambda: desk.unlink(eve, "0" * 32))
    strangers = outcome_of(lambda: desk.unlink(eve, assertion("google", "1")))
    assert isinstance(missing, NotFound)
    assert isinstance(strangers, NotFound)
    assert str(missing) == str(strangers)
    assert desk.everything() == before
    assert desk.whose(ada) == ada.user_id


def test_the_last_identity_cannot_be_removed(desk):
    one, two = assertion("google", "1"), assertion("github", "2")
    ada = desk.account(one, two)
    desk.unlink(ada, two)
    with pytest.raises(LastWayIn):
        desk.unlink(ada, one)
    assert desk.enter(one).user_id == ada.user_id


def test_an_identity_of_another_issuer_does_not_count_as_a_way_in(desk):
    one, two = assertion("google", "1"), assertion("google", "1", issuer="https://old.example")
    ada = desk.account(one, two)
    only_google = Policy(usable=frozenset({(one.provider, one.issuer)}))
    with pytest.raises(LastWayIn):
        desk.unlink(ada, one, only_google)
    desk.unlink(ada, two, only_google)
    assert desk.owner(one) == ada.user_id
