"""Words for what the rows hold: nothing that can stand in one is without words."""

import pytest

from accounts.activity import EventKind
from models import Event
from web.text import SENTENCES, sentence


@pytest.mark.parametrize("kind", EventKind)
def test_every_kind_of_event_has_a_sentence(kind):
    event = Event(kind=kind.value, reason="a reason that nobody foresaw", detail="2")
    words = sentence(event, "Example")
    assert words
    assert "{" not in words


def test_there_is_no_sentence_for_a_kind_that_does_not_exist():
    assert {kind for kind, _reason in SENTENCES} == set(EventKind)
