"""Any JSON at all becomes a profile or a ProviderError, and can be stored."""

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator.github
from errors import ProviderDown, ProviderError
from providers import PROVIDERS
from providers.base import NotShared
from providers.profile import NAME_MAX_CHARACTERS
from providers.protocols.id_token import check_userinfo
from tests.providers.profiles import SAMPLES

# Any JSON.


def names_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(names_in(each) for each in value.values()))
    return set().union(*(names_in(each) for each in value)) if isinstance(value, list) else set()


TEXT = st.text(st.characters(), max_size=20)  # with surrogates, which JSON can spell
HOSTILE = st.sampled_from(
    [
        *(True, False, "true", "false", "", "1", 1, -1, 10**400, 1e999, float("nan"), "x" * 3000),
        *("a@gmail.com", "a@b.example", "@", "https://a.example/", "javascript:x", "\0", "\ud800"),
        *("1+x@users.noreply.github.com", "\u202e", [], {}, [[]], [None], [{}]),
    ]
)
LEAVES = HOSTILE | TEXT | st.none() | st.booleans() | st.integers() | st.floats()


def any_json(names: set[str]) -> st.SearchStrategy[Any]:
    """JSON of every shape, with these names."""
    keys = st.sampled_from(sorted(names)) | TEXT
    return st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=8),
        max_leaves=12,
    )


def almost(answer: Any) -> st.SearchStrategy[Any]:
    """A good response with a few values changed; few random ones would have a subject."""
    if isinstance(answer, list) and answer:
        return st.lists(almost(answer[0]), max_size=4)
    if not isinstance(answer, dict):
        return LEAVES
    deep = {name: almost(value) for name, value in answer.items() if isinstance(value, dict | list)}
    changes = st.dictionaries(st.sampled_from(sorted(answer)), any_json(names_in(answer)))
    return st.builds(
        lambda *parts: answer | parts[0] | parts[1], st.fixed_dictionaries(deep), changes
    )


def any_answers(name: str) -> st.SearchStrategy[dict[str, Any]]:
    failures = st.sampled_from([NotShared("404"), ProviderError("500"), ProviderDown("away")])
    shapes = {
        url: almost(answer) | any_json(names_in(answer)) | failures
        for url, answer in SAMPLES[name]["answers"].items()
    }
    if "id_token" in shapes:  # it is checked by then: an object with a text for sub
        objects = shapes["id_token"].filter(lambda value: isinstance(value, dict))
        shapes["id_token"] = st.builds(lambda sub, rest: {"sub": sub, **rest}, TEXT, objects)
    return st.fixed_dictionaries(shapes)


def as_the_blueprint_would(said: Mapping[str, Any]) -> Callable[[str], Any]:
    def get(url: str) -> Any:
        answer = said[url]
        if isinstance(answer, Exception):
            raise answer
        if url == "userinfo" and "id_token" in said:
            subject = said["id_token"]["sub"]
            same = {**answer, "sub": subject} if isinstance(answer, dict) else answer
            return check_userinfo(same, subject)
        if url == "form_user":
            return answer if isinstance(answer, dict) else {}
        return answer

    return get


@pytest.mark.parametrize("name", PROVIDERS)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_response_of_a_provider_is_a_profile_or_a_provider_error(name, data):
    said = data.draw(any_answers(name))
    try:
        profile = PROVIDERS[name].profile(as_the_blueprint_would(said))
    except ProviderError:
        return
    assert 0 < len(profile.subject) <= 255
    assert profile.email is None or profile.email.count("@") == 1
    assert not profile.email_verified or profile.email
    assert not profile.email_trusted or profile.email_verified
    assert len(profile.name or "") <= NAME_MAX_CHARACTERS
    assert profile.picture is None or profile.picture.lower().startswith("https://")
    assert isinstance(profile.email_verified, bool)
    assert isinstance(profile.email_trusted, bool)
    for text in (profile.subject, profile.email, profile.name, profile.username, profile.picture):
        assert text is None or text != ""
        for character in text or "":
            # Cc: no database accepts a NUL, no page a line break; Cs: these cannot be encoded.
            assert unicodedata.category(character) not in ("Cc", "Cs")


# Stored in the database.


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    "scope", ["a\0b user:email", "\ud800 user:email", 'a"b user:email', "\x1b"]
)
def test_a_malformed_scope_is_not_stored(make_site, monkeypatch, database, scope):
    """RFC 6749 3.3; no database accepts a NUL or half a surrogate pair."""
    answer_as_asked = simulator.github.answer_as_asked
    monkeypatch.setattr(
        simulator.github,
        "answer_as_asked",
        lambda values: answer_as_asked({**values, "scope": scope}),
    )
    site = make_site(database=database)
    assert site.browser().sign_in("github", "ada").path == "/account"
    (row,) = site.rows("SELECT scopes FROM oauth")
    assert row.scopes == ("user:email" if "user:email" in scope else "")
