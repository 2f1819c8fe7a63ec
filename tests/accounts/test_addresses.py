"""Sign-ins whose address an account already has: joined, asked or neither."""

import pytest

from accounts.decisions import Create, NeedsOwnership
from tests.accounts.desk import AUTO, Desk, assertion

PLANTED = [
    # An attacker claims Ada's address without verification,
    (assertion("facebook", "m", "ada@gmail.com"),),
    # or with another, verified address of theirs,
    (
        assertion("facebook", "m", "ada@gmail.com"),
        assertion("google", "m", "m@gmail.com", "trusted"),
    ),
    # or verified by a provider that is not trusted for such an address.
    (assertion("github", "m", "ada@gmail.com", "verified"),),
]


@pytest.mark.parametrize("ways", PLANTED)
def test_an_account_with_an_unverified_address_is_never_joined(desk, ways):
    """Account pre-hijacking; in allauth 64.2.1 the attacker kept access."""
    planted = desk.account(*ways)
    before = desk.everything()
    ada = assertion("google", "ada", "ada@gmail.com", "trusted")
    decision = desk.sign_in(ada, AUTO)
    assert isinstance(decision, NeedsOwnership)
    assert decision.user_ids == (planted.user_id,)
    assert desk.everything() == before


def test_an_untrusted_address_joins_no_account(desk):
    """nOAuth; better-auth #9578."""
    desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    before = desk.everything()
    decision = desk.sign_in(assertion("facebook", "m", "ada@gmail.com", "verified"), AUTO)
    assert isinstance(decision, NeedsOwnership)
    assert desk.everything() == before


def test_auto_linking_joins_two_trusted_identities(desk):
    ada = desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    joined = desk.enter(assertion("github", "ada", "Ada@gmail.com", "trusted"), AUTO)
    assert joined.user_id == ada.user_id
    assert desk.events(ada.user_id)[:2] == [
        ("signed_in", "email_verified_on_both_sides", "Ada@gmail.com"),
        ("linked", "email_verified_on_both_sides", "Ada@gmail.com"),
    ]


def test_a_disabled_account_is_not_joined(desk):
    ada = desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    desk.switch(ada.user_id, off=True)
    decision = desk.sign_in(assertion("github", "ada", "ada@gmail.com", "trusted"), AUTO)
    assert isinstance(decision, NeedsOwnership)


def test_an_address_that_its_owner_gave_up_matches_no_account(desk):
    """Only the provider's latest statement counts."""
    desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    desk.enter(assertion("google", "ada", "lovelace@gmail.com", "trusted"))
    assert desk.sign_in(assertion("github", "heir", "ada@gmail.com", "trusted"), AUTO) == Create()


def test_an_address_that_lost_its_verification_joins_no_account(desk):
    desk.enter(assertion("google", "ada", "ada@gmail.com", "trusted"))
    desk.enter(assertion("google", "ada", "ada@gmail.com"))
    decision = desk.sign_in(assertion("github", "heir", "ada@gmail.com", "trusted"), AUTO)
    assert isinstance(decision, NeedsOwnership)


def changes_of_address(desk: Desk, user_id: str) -> list[str]:
    return [detail for kind, _, detail in desk.events(user_id) if kind == "email_changed"]


def test_a_changed_primary_address_is_recorded_in_the_activity(desk):
    ada = desk.enter(assertion(email="ada@gmail.com", proved="trusted"))
    desk.enter(assertion(email="ada@gmail.com", proved="trusted"))
    assert changes_of_address(desk, ada.user_id) == []
    desk.enter(assertion(email="lovelace@gmail.com", proved="trusted"))
    assert changes_of_address(desk, ada.user_id) == ["lovelace@gmail.com"]


def test_a_changed_secondary_address_is_not_recorded_in_the_activity(desk):
    first = assertion("google", "1", "ada@gmail.com", "trusted")
    ada = desk.account(first, assertion("github", "2", "work@ada.example", "verified"))
    desk.enter(assertion("github", "2", "new@ada.example", "verified"))
    assert changes_of_address(desk, ada.user_id) == []


def test_a_primary_address_that_lost_its_verification_is_replaced_and_recorded(desk):
    first = assertion("google", "1", "ada@gmail.com", "trusted")
    ada = desk.account(first, assertion("github", "2", "work@ada.example", "verified"))
    desk.enter(assertion("google", "1", "ada@gmail.com"))
    assert changes_of_address(desk, ada.user_id) == ["work@ada.example"]
