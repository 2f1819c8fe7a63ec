"""Merging two accounts of one person."""

import pytest

from errors import StateMismatch
from tests.accounts.desk import assertion


def test_a_merge_moves_identities_and_activity_and_ends_the_other_sessions(desk):
    one, two, three = assertion("google", "1"), assertion("github", "2"), assertion("facebook", "3")
    kept, gone = desk.account(one), desk.account(two, three)
    elsewhere = desk.enter(three)
    theirs = desk.events(gone.user_id)
    desk.merge(kept.user_id, two)
    assert set(desk.owners().values()) == {kept.user_id}
    assert desk.whose(kept) == kept.user_id
    assert [desk.whose(seat) for seat in (gone, elsewhere)] == [None, None]
    assert set(theirs) < set(desk.events(kept.user_id))
    assert desk.events(kept.user_id)[1] == ("merged", "", f"account {gone.user_id}")
    assert desk.events(kept.user_id)[0] == ("sessions_ended", "", "2")
    assert desk.site.user_count() == 1
    assert {desk.enter(each).user_id for each in (one, two, three)} == {kept.user_id}


def test_a_merged_identity_can_be_unlinked_and_its_sessions_end(desk):
    one, two = assertion("google", "1"), assertion("github", "2")
    kept, gone = desk.account(one), desk.account(two)
    desk.merge(kept.user_id, two)
    desk.unlink(kept, two)
    assert desk.whose(gone) is None


def test_a_repeated_merge_is_refused(desk):
    kept, _gone = desk.account(assertion("google", "1")), desk.account(assertion("github", "2"))
    desk.merge(kept.user_id, assertion("github", "2"))
    before = desk.everything()
    with pytest.raises(StateMismatch):
        desk.merge(kept.user_id, assertion("github", "2"))
    assert desk.everything() == before


def test_an_unknown_identity_merges_nothing(desk):
    kept = desk.account(assertion("google", "1"))
    with pytest.raises(StateMismatch):
        desk.merge(kept.user_id, assertion("github", "unlinked meanwhile"))
    with pytest.raises(StateMismatch):
        desk.merge("0" * 32, assertion("google", "1"))
    assert desk.owner(assertion("google", "1")) == kept.user_id


@pytest.mark.parametrize("which", ["kept", "gone"])
def test_a_disabled_account_is_not_merged(desk, which):
    """Merging it away would enable it; merging into it would lock the other account out."""
    seats = {
        "kept": desk.account(assertion("google", "1")),
        "gone": desk.account(assertion("github", "2")),
    }
    desk.switch(seats[which].user_id, off=True)
    before = desk.everything()
    with pytest.raises(StateMismatch):
        desk.merge(seats["kept"].user_id, assertion("github", "2"))
    assert desk.everything() == before
