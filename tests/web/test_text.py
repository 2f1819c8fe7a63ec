"""The texts for visitors: every error, event and page has one, in one voice."""

import re

import pytest

import errors
from accounts.activity import EventKind
from models import Event
from web.text.error_pages import ERROR_PAGES
from web.text.errors import EMAIL_NEVER_VERIFIED, EMAIL_NOT_BELIEVED, ERRORS
from web.text.events import OTHER, SENTENCES, sentence

PLACES = {"provider", "product", "host", "email", "support", "ref", "minutes"}


def problems() -> list[type[errors.Problem]]:
    """The whole tree."""
    found = [errors.Problem]
    for error in found:
        found += error.__subclasses__()
    return found


@pytest.mark.parametrize("error", problems(), ids=lambda error: error.__name__)
def test_every_error_has_a_title_and_a_text(error):
    text = ERRORS[error.code]
    assert text.title
    assert text.body


def test_the_catalogue_has_no_error_that_cannot_happen():
    own = {EMAIL_NEVER_VERIFIED, EMAIL_NOT_BELIEVED}
    assert set(ERRORS) == {error.code for error in problems()} | own


@pytest.mark.parametrize("code", ERRORS)
def test_a_page_can_fill_in_every_place_of_an_error(code):
    text = ERRORS[code]
    assert set(re.findall(r"{(\w*)}", text.title)) <= {"provider"}  # as the activity list does
    assert set(re.findall(r"{(\w*)}", text.body)) <= PLACES


@pytest.mark.parametrize("words", [*ERRORS.values(), *ERROR_PAGES.values()])
def test_the_wording_keeps_its_voice(words):
    text = f"{words.title} {words.body}".replace("/auth/sign-in", "")
    assert "!" not in text
    assert not re.search(
        r"\b(oops|sorry|login|idp|oauth|token|scope|invalid)\b", text, re.IGNORECASE
    )


def test_an_event_of_a_later_release_breaks_no_page(browser, site):
    """During a rolling upgrade another instance may write kinds that this one does not know."""
    browser.sign_in("google", "grace")
    site.execute("UPDATE events SET kind = 'taught_to_fly', reason = 'unheard_{of}'")
    for path in ("/account", "/account/activity"):
        page = browser.get(path)
        assert page.status == 200
        assert OTHER in page.text


@pytest.mark.parametrize("kind", EventKind)
def test_every_kind_of_event_has_a_sentence(kind):
    event = Event(kind=kind.value, reason="a reason that nobody foresaw", detail="2")
    words = sentence(event, "Example")
    assert words
    assert "{" not in words


def test_every_sentence_belongs_to_an_existing_kind_of_event():
    assert {kind for kind, _reason in SENTENCES} == set(EventKind)
