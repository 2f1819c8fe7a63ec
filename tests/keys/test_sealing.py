"""Secrets at rest: which envelope opens where, and with which key."""

import pytest

from errors import TokenUnreadable
from keys.sealing import Sealer

TOKEN = {"access_token": "ya29.secret", "refresh_token": "1//secret", "n": [1, None, "é"]}


def test_a_sealed_value_opens_again():
    assert Sealer(["k"]).open(Sealer(["k"]).seal(TOKEN, "row 1"), "row 1") == TOKEN


def test_an_envelope_hides_its_value_and_differs_each_time():
    sealer = Sealer(["k"])
    first, second = sealer.seal(TOKEN, "row 1"), sealer.seal(TOKEN, "row 1")
    assert first != second
    assert "secret" not in first
    assert "ya29" not in repr(sealer)


def test_an_envelope_does_not_open_in_another_row():
    """A swapped row would give one user another's token."""
    envelope = Sealer(["k"]).seal(TOKEN, "row 1")
    with pytest.raises(TokenUnreadable):
        Sealer(["k"]).open(envelope, "row 2")


def test_an_altered_envelope_is_refused():
    sealer = Sealer(["k"])
    envelope = sealer.seal(TOKEN, "row 1")
    for place in range(len(envelope)):
        other = "A" if envelope[place] != "A" else "B"
        with pytest.raises(TokenUnreadable):
            sealer.open(envelope[:place] + other + envelope[place + 1 :], "row 1")


@pytest.mark.parametrize(
    "envelope", ["", "1", "1.", "1.x.y", "2.{}.AAAA", "....", "1.{}.!", "1.{}."]
)
def test_a_value_that_is_not_an_envelope_is_refused(envelope):
    sealer = Sealer(["k"])
    key_id = sealer.seal(1, "row").split(".")[1]
    with pytest.raises(TokenUnreadable):
        sealer.open(envelope.format(key_id), "row")


def test_an_old_key_still_opens_and_a_new_key_seals():
    """The first seals, all open."""
    old, both, new = Sealer(["old"]), Sealer(["new", "old"]), Sealer(["new"])
    sealed_before = old.seal(TOKEN, "row")
    assert both.open(sealed_before, "row") == TOKEN
    assert new.open(both.seal(TOKEN, "row"), "row") == TOKEN
    with pytest.raises(TokenUnreadable):
        new.open(sealed_before, "row")


def test_sealing_without_a_key_is_refused():
    with pytest.raises(ValueError, match="at least one key"):
        Sealer([])
