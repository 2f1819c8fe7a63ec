"""What providers say about people, however they say it, becomes one shape or is refused."""

import json
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import simulator.github
from errors import ProviderDown, ProviderError
from providers import PROVIDERS
from providers.base import NotShared, Profile
from providers.profile import (
    EMAIL_MAX_CHARACTERS,
    NAME_MAX_CHARACTERS,
    claims_at,
    email_key,
    make_profile,
)
from providers.protocols.id_token import check_userinfo

ME = "me?fields=id,name,email,picture.width(256).height(256)"
SAMPLES = {
    name: json.loads((Path(__file__).parent / f"samples/{name}.json").read_text(encoding="utf-8"))
    for name in PROVIDERS
}
KELVIN, DOTLESS_I, LONG_S, DOTTED_I = "\u212a", "\u0131", "\u017f", "\u0130"


def short(value: object) -> str:
    """A name for a value of a table; Python refuses to print the largest integers."""
    return f"{value.bit_length()} bits" if isinstance(value, int) else ascii(value)[:20]


def answers(provider: str, **changes: Any) -> dict[str, Any]:
    """The sample's answers; each change replaces one of a provider's values."""
    said = json.loads(json.dumps(SAMPLES[provider]["answers"]))
    first = next(iter(said.values()))
    first.update(changes)
    return dict(said)


def profile_of(name: str, said: Mapping[str, Any]) -> Profile:
    """The provider's profile function, where an answer that is an exception is raised."""

    def get(url: str) -> Any:
        answer = said[url]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return PROVIDERS[name].profile(get)


def google(userinfo: Any = None, **claims: Any) -> Profile:
    said = answers("google", **claims)
    said["userinfo"] = NotShared("no userinfo") if userinfo is None else userinfo
    return profile_of("google", said)


def facebook(**values: Any) -> Profile:
    return profile_of("facebook", answers("facebook", **values))


def github(emails: Any = None, **values: Any) -> Profile:
    said = answers("github", **values)
    if emails is not None:
        said["user/emails"] = emails
    return profile_of("github", said)


def without(mapping: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name not in names}


# The subject.


@pytest.mark.parametrize(
    ("value", "subject"),
    [
        ("1", "1"),
        (0, "0"),
        (58291733, "58291733"),
        (2**53 + 1, "9007199254740993"),
        (2**64, "18446744073709551616"),
        ("007", "007"),
        ("Ab", "Ab"),
        (" 1", " 1"),
        ("ß", "ß"),
        ("e\u0301", "e\u0301"),
        ("9" * 255, "9" * 255),
    ],
)
def test_a_subject_is_kept_byte_for_byte_and_an_integer_becomes_its_digits(value, subject):
    assert make_profile(subject=value).subject == subject


def test_subjects_that_look_alike_stay_apart():
    """Case-insensitive compare joined two people: social-core CVE-2024-32879."""
    alike = ["ada", "ADA", "ada ", "ad\u0430", "\u00e9", "e\u0301", "1", "01", "\uff11"]
    assert len({make_profile(subject=each).subject for each in alike}) == len(alike)


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", True, False, 1.0, 1e20, float("inf"), float("nan"), [], ["1"], {}, {"id": 1}),
        *("9" * 256, 10**5000, -(10**5000), b"1"),
        *("a\0", "a\nb", "a\x7f", "a\x85", "a\u2028b", "\u202ea", "\u2066a", "a\u200f", "\ud800"),
    ],
    ids=short,
)
def test_what_is_no_id_is_refused(value):
    """A missing uid stored as "None", a True that equals 1: one account for many people."""
    with pytest.raises(ProviderError):
        make_profile(subject=value)


# The e-mail address.


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example",
        "Ada.Lovelace+news@Sub.Example",
        "o'brien@example.ie",
        "用户@例子.example",
        "пошта@приклад.укр",
        "x" * (EMAIL_MAX_CHARACTERS - 10) + "@b.example"[:10],
    ],
)
def test_an_address_is_kept_as_it_was_given(address):
    profile = make_profile(subject="1", email=address, email_verified=True)
    assert profile.email == address
    assert profile.email_verified


@pytest.mark.parametrize(
    "address",
    [
        *(None, "", 0, 1, True, 1.5, [], ["ada@b.example"], {"email": "ada@b.example"}),
        *("ada", "@b.example", "ada@", "@", "ada@@b.example", "ada@b@c.example"),
        *("ada @b.example", " ada@b.example", "ada@b.example ", "ada@b .example"),
        *("ada@b.example\n", "ada@b.example\r\nBcc: x@y.example", "a\0da@b.example", "ada\t@b"),
        *("ada@b.example,eve@b.example", "ada@b.example;eve@c", "Ada <ada@b.example>"),
        *('"ada"@b.example', '"a@b"@c.example', "ada@[127.0.0.1]", "ada(x)@b.example"),
        *("mailto:ada@b.example", "ada\\@b.example", "ada\u00a0@b.example", "ada\u3000@b.example"),
        *("\u202eada@b.example", "ada\u200f@b.example", "ada@b\u2066.example", "\u061cada@b"),
        *("ada\uff20b.example", "ada@b.example\u2028", "ada@\ud800.example"),
        "x" * EMAIL_MAX_CHARACTERS + "@b.example",
    ],
    ids=short,
)
def test_what_is_not_plainly_an_address_is_none_and_so_not_verified(address):
    profile = make_profile(subject="1", email=address, email_verified=True, email_trusted=True)
    assert profile == Profile(subject="1")


@pytest.mark.parametrize("flag", [True, "true"])
def test_true_is_true(flag):
    """Apple and Cognito send it as text."""
    assert make_profile(subject="1", email="a@b.example", email_verified=flag).email_verified


@pytest.mark.parametrize(
    "flag", [False, None, "false", "False", "TRUE", "yes", "1", "", 1, 0, 1.0, [True], {"a": 1}]
)
def test_all_else_is_false(flag):
    """The string "false" is false."""
    profile = make_profile(
        subject="1", email="a@b.example", email_verified=flag, email_trusted=True
    )
    assert profile.email == "a@b.example"
    assert not profile.email_verified
    assert not profile.email_trusted


def test_addresses_compare_without_ascii_case():
    assert email_key("Ada.Lovelace@GMAIL.com") == "ada.lovelace@gmail.com"


@pytest.mark.parametrize(
    "homograph",
    [
        f"mi{KELVIN}e@example.org",
        f"m{DOTLESS_I}ke@example.org",
        f"m{DOTTED_I}ke@example.org",
        "mike@example.org".replace("e@", "\u0435@"),
        "mike@ex\u0430mple.org",
        "\uff4dike@example.org",
        "mike\u200b@example.org",
        f"mike@{LONG_S}.org",
    ],
    ids=short,
)
def test_homographs_never_compare_equal(homograph):
    """GitHub's 2019 takeover: Unicode case mapping made a stranger's address the victim's."""
    victims = {email_key(each) for each in ("mike@example.org", "MIKE@EXAMPLE.ORG", "mike@s.org")}
    assert email_key(homograph) not in victims


@given(st.text(st.characters()))
@settings(deadline=None)
def test_a_key_changes_ascii_letters_only(text):
    key = email_key(text)
    assert len(key) == len(text)
    for before, after in zip(text, key, strict=True):
        assert after == (before.lower() if before.isascii() else before)


# Names and pictures.


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("  Ada \t\n Lovelace ", "Ada Lovelace"),
        ("Ada\r\nSet-Cookie: x", "Ada Set-Cookie: x"),
        ("Nu\0l", "Nu l"),
        ("ليلى بنت محمد", "ليلى بنت محمد"),
        ("नादिया", "नादिया"),
        ("李小龍", "李小龍"),
        ("O\u2019Brien", "O\u2019Brien"),
        ("\u202egnp.exe", "gnp.exe"),
        ("Ada\u2066\u200f\u061cx\u2069", "Ada x"),
        ("👩‍💻 Ada", "👩‍💻 Ada"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("x" * 5000, "x" * NAME_MAX_CHARACTERS),
        ("\ud800", None),
        *((each, None) for each in (None, "", "  ", "\u200f\n", 5, True, ["Ada"], {"a": "b"})),
    ],
    ids=short,
)
def test_a_name_is_one_line_that_cannot_turn_the_text_around_it(value, name):
    profile = make_profile(subject="1", name=value, username=value)
    assert profile.name == name
    assert profile.username == name


def test_no_mark_that_turns_text_gets_through():
    """Every character of Unicode's Bidi_Control, and every control character."""
    marks = [chr(0x61C), *map(chr, range(0x200E, 0x2010)), *map(chr, range(0x202A, 0x202F))]
    marks += [
        *map(chr, range(0x2066, 0x206A)),
        *map(chr, range(0x20)),
        *map(chr, range(0x7F, 0xA0)),
    ]
    for mark in marks:
        assert make_profile(subject="1", name=f"a{mark}b").name == "a b", ascii(mark)


@pytest.mark.parametrize(
    "url",
    [
        "https://avatars.example/u/1?v=4",
        "https://avatars.example:8443/%7Eada/#me",
        "HTTPS://avatars.example/",
        "https://xn--bcher-kva.example/a.png",
        "https://a.example/" + "x" * 2030,
    ],
)
def test_an_https_picture_is_kept(url):
    assert make_profile(subject="1", picture=url).picture == url


@pytest.mark.parametrize(
    "url",
    [
        *(None, "", 0, True, [], ["https://a.example/"], {"url": "https://a.example/"}),
        *("http://a.example/", "//a.example/", "/a.png", "a.png", "https:", "https://", "https:a"),
        *("javascript:alert(1)", "JavaScript://a.example/%0aalert(1)", "data:image/svg+xml,<svg>"),
        *("file:///etc/passwd", "ftp://a.example/", "blob:https://a.example/1", "https:/a.example"),
        *(" https://a.example/", "https://a.example/ ", "https://a.example/\n", "https://a b/"),
        *('https://a.example/"onload=x', "https://a.example/<svg>", "https:\\\\a.example\\"),
        *("https://[::1/", "https://:443/", "https://\u202ea.example/", "https://bücher.example/"),
        *("https://a.example/\0", "https://a.example/" + "x" * 2048),
    ],
    ids=short,
)
def test_any_other_picture_is_none(url):
    assert make_profile(subject="1", picture=url).picture is None


def test_a_map_of_claims_follows_dots_and_ends_softly():
    profile = claims_at("me", subject="data.id", name="data.names.first", email="data.x.y.z")
    assert profile({"me": {"data": {"id": 7, "names": {"first": "Ada"}, "x": {}}}}.__getitem__) == (
        Profile(subject="7", name="Ada")
    )
    odds: list[Any] = [None, [], "text", 5, {"data": []}, {"data": {"id": None}}]
    for odd in odds:
        with pytest.raises(ProviderError):
            profile({"me": odd}.__getitem__)


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ({"name": "Ada", "nick": "al"}, "Ada"),
        ({"name": "", "nick": "al"}, "al"),
        ({"name": None, "nick": "al"}, "al"),
        ({"nick": "al"}, "al"),
        ({"name": ["Ada"], "nick": "al"}, None),
        ({"name": None}, None),
    ],
)
def test_of_several_places_the_first_that_is_not_empty_counts(answer, name):
    profile = claims_at("me", subject="id", name="name or nick")
    assert profile({"me": {"id": 7, **answer}}.__getitem__).name == name


@pytest.mark.parametrize(
    ("images", "picture"),
    [
        ([{"url": "https://a.example/"}, {"url": "https://b.example/"}], "https://a.example/"),
        ([], None),
        ([None], None),
        ({"0": {"url": "https://a.example/"}}, "https://a.example/"),
        ("https://a.example/", None),
    ],
)
def test_a_number_is_a_place_in_a_list(images, picture):
    profile = claims_at("me", subject="id", picture="images.0.url")
    assert profile({"me": {"id": 7, "images": images}}.__getitem__).picture == picture


@pytest.mark.parametrize("flag", [1, "yes", [True], {"a": 1}, False, "false", None])
def test_an_address_is_trusted_by_true_only(flag):
    """What a claim says may be of any type."""
    profile = make_profile(
        subject="1", email="a@b.example", email_verified=True, email_trusted=flag
    )
    assert profile.email_trusted is False


# Google.


@pytest.mark.parametrize(
    ("email", "hd", "trusted"),
    [
        ("mira@gmail.com", None, True),
        ("Mira.Okafor@GMail.com", None, True),
        ("mira@navy.example", "navy.example", True),
        ("mira@example.org", None, False),
        ("mira@example.org", "", False),
        ("mira@gmail.com.evil.example", None, False),
        ("mira@evilgmail.com", None, False),
        ("mira@sub.gmail.com", None, False),
        ("mira@gmai\u217c.com", None, False),
        ("mira@gma\u0131l.com", None, False),
    ],
    ids=short,
)
def test_google_answers_for_the_addresses_it_runs_itself(email, hd, trusted):
    """Any other address was verified once, and may have changed hands since."""
    profile = google(email=email, hd=hd)
    assert (profile.email, profile.email_verified) == (email, True)
    assert profile.email_trusted is trusted


@pytest.mark.parametrize("flag", [False, None, "false", 1])
@pytest.mark.parametrize("hd", [None, "gmail.com"])
def test_google_trusts_no_address_that_it_did_not_verify(flag, hd):
    profile = google(email_verified=flag, hd=hd)
    assert profile.email == "mira.okafor@gmail.com"
    assert not profile.email_verified
    assert not profile.email_trusted


@pytest.mark.parametrize("email", [None, ["mira@gmail.com"], "mira", 5, "eve@x.org@gmail.com"])
def test_google_without_an_address_is_still_somebody(email):
    profile = google(email=email, email_verified=True, hd="gmail.com")
    assert profile == Profile(
        subject="104857600123456789012",
        name="Mira Okafor",
        picture="https://lh3.googleusercontent.com/a/mira=s96-c",
    )


USERINFO = {"sub": "104857600123456789012", "name": "From userinfo", "picture": "https://u.example"}


def test_google_is_asked_for_userinfo_only_when_something_is_missing():
    assert google(userinfo=AssertionError("was asked")).name == "Mira Okafor"


@pytest.mark.parametrize("nothing", [None, "", "absent"])
@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ("name", ("From userinfo", "https://lh3.googleusercontent.com/a/mira=s96-c")),
        ("picture", ("Mira Okafor", "https://u.example")),
    ],
)
def test_google_finds_in_userinfo_what_the_id_token_lacks(missing, expected, nothing):
    """Workspace accounts may keep their picture private in the id_token, or send it empty."""
    said = answers("google", **{missing: nothing})
    if nothing == "absent":
        del said["id_token"][missing]
    said["userinfo"] = USERINFO
    profile = profile_of("google", said)
    assert (profile.name, profile.picture) == expected
    assert (profile.email, profile.email_trusted) == ("mira.okafor@gmail.com", True)


@pytest.mark.parametrize(
    "failure",
    [NotShared("401"), ProviderDown("away", timed_out=True), ProviderError("503")],
    ids=repr,
)
def test_google_without_userinfo_costs_a_name_but_no_sign_in(failure):
    profile = google(userinfo=failure, name=None, picture=None)
    assert (profile.name, profile.picture) == (None, None)
    assert profile.email_trusted


def test_what_was_signed_wins_over_userinfo():
    said = answers("google", name=None, email_verified=False)
    said["userinfo"] = USERINFO | {"email_verified": True, "picture": "https://other.example"}
    profile = profile_of("google", said)
    assert profile.name == "From userinfo"
    assert profile.picture == "https://lh3.googleusercontent.com/a/mira=s96-c"
    assert not profile.email_verified


@pytest.mark.parametrize("flag", ["absent", None])
def test_one_addresss_flag_never_verifies_another_address(flag):
    """An address and the word that it is verified must come from the same place."""
    said = answers("google", name=None, email="victim@gmail.com", email_verified=flag)
    if flag == "absent":
        del said["id_token"]["email_verified"]
    said["userinfo"] = USERINFO | {"email": "mallory@evil.example", "email_verified": True}
    profile = profile_of("google", said)
    assert (profile.email, profile.email_verified) == ("victim@gmail.com", False)
    assert not profile.email_trusted


def test_nor_does_a_flag_without_an_address_verify_the_one_of_userinfo():
    said = answers("google", name=None, email=None, email_verified=True)
    said["userinfo"] = USERINFO | {"email": "victim@gmail.com"}
    profile = profile_of("google", said)
    assert (profile.email, profile.email_verified) == ("victim@gmail.com", False)


def test_an_address_with_its_flag_may_come_from_userinfo():
    said = answers("google", name=None, email=None, email_verified=None)
    said["userinfo"] = USERINFO | {"email": "mira@gmail.com", "email_verified": True}
    profile = profile_of("google", said)
    assert (profile.email, profile.email_verified) == ("mira@gmail.com", True)


@pytest.mark.parametrize(
    "answer",
    [
        *(None, [], "text", 5, {}, {"sub": None}, {"sub": 5}, {"sub": ["a"]}, {"sub": "b"}),
        *({"sub": "A"}, {"sub": "a "}, {"sub": "\ud800"}, {"sub": True}),
    ],
    ids=short,
)
def test_userinfo_of_anybody_else_is_none(answer):
    """OpenID Connect Core 5.3.2: claims of another sub must not be used."""
    with pytest.raises(NotShared):
        check_userinfo(answer, "a")
    assert check_userinfo({"sub": "a", "name": "x"}, "a") == {"sub": "a", "name": "x"}


# Facebook.


@pytest.mark.parametrize(
    "flags",
    [
        {"verified": True},
        {"email_verified": True},
        {"is_verified": True, "account_verified": True},
        {"email_verified": "true", "email_trusted": True},
    ],
)
def test_facebook_never_verifies_an_address(flags):
    """Its old field "verified" is about the account; no field is about the address."""
    profile = facebook(**flags)
    assert profile.email == "tomas.l@example.com"
    assert not profile.email_verified
    assert not profile.email_trusted


@pytest.mark.parametrize(
    "picture",
    [
        *(None, [], "https://a.example/", {}, {"data": None}, {"data": []}, {"data": {}}),
        *({"data": {"url": None}}, {"data": {"url": "http://a.example/"}}),
    ],
    ids=short,
)
def test_facebook_without_a_picture_is_still_somebody(picture):
    profile = facebook(picture=picture)
    assert profile.picture is None
    assert profile.name == "Tomas Lindqvist"


@pytest.mark.parametrize("answer", [None, [], "text", 5, True, {}, {"error": {"code": 190}}])
def test_facebook_that_says_nothing_is_refused(answer):
    with pytest.raises(ProviderError):
        profile_of("facebook", {ME: answer})


# GitHub.


def row(email: Any, *flags: str) -> dict[str, Any]:
    return {"email": email, "visibility": None} | {
        flag: flag in flags for flag in ("primary", "verified")
    }


A, B = "a@b.example", "b@b.example"
NO_REPLY = "58291733+nadiak@users.noreply.github.com"
NOT_NO_REPLY = "x@users.noreply.github.com.evil.example"


@pytest.mark.parametrize(
    ("emails", "expected"),
    [
        ([row(A, "primary", "verified"), row(NO_REPLY, "verified")], (A, True)),
        ([row(A, "verified"), row(B, "primary")], (B, False)),
        ([row(A), row(B, "verified")], (B, True)),
        ([row(A), row(B)], (A, False)),
        ([row(A, "primary") | {"verified": "true"}], (A, False)),
        ([row(A, "primary") | {"verified": 1}], (A, False)),
        ([row(A) | {"primary": "true"}, row(B, "verified")], (B, True)),
        ([row(NO_REPLY, "primary", "verified")], (None, False)),
        ([row("nadiak@USERS.noreply.GitHub.com", "primary", "verified")], (None, False)),
        ([row(NOT_NO_REPLY, "verified")], (NOT_NO_REPLY, True)),
        ([None, 5, A, [], {}, row(B, "verified")], (B, True)),
        ([row(None), row([A]), row(5, "primary", "verified")], (None, False)),
        ([row("not an address", "primary", "verified")], (None, False)),
        ([], (None, False)),
    ],
    ids=short,
)
def test_github_primary_before_verified_before_the_rest(emails, expected):
    profile = github(emails)
    assert (profile.email, profile.email_verified) == expected
    assert profile.email_trusted is profile.email_verified


def test_github_that_shares_no_list_is_still_somebody():
    """404 where the person did not grant user:email."""
    profile = github(NotShared("404"), email=None)
    assert (profile.subject, profile.username, profile.email) == ("58291733", "nadiak", None)


@pytest.mark.parametrize("emails", [[], NotShared("404")])
def test_githubs_public_address_serves_without_a_list_and_is_never_verified(emails):
    """/user carries no flag: whoever typed it in may not own it."""
    profile = github(emails, email="nadia@example.org", verified=True, email_verified=True)
    assert (profile.email, profile.email_verified) == ("nadia@example.org", False)
    assert not profile.email_trusted


@pytest.mark.parametrize("emails", [[row(NO_REPLY, "verified")], NotShared("404")])
def test_githubs_address_for_no_reply_is_never_taken(emails):
    """It cannot receive mail, wherever it stands."""
    profile = github(emails, email=NO_REPLY)
    assert profile.email is None


@pytest.mark.parametrize("emails", [{}, "text", 5, True, {"message": "Not Found"}])
def test_github_with_a_list_that_is_none_is_refused(emails):
    with pytest.raises(ProviderError):
        github(emails)


@pytest.mark.parametrize("failure", [ProviderDown("away"), ProviderError("500")])
def test_github_whose_list_cannot_be_read_is_refused(failure):
    """Else a person would lose a verified address because of a bad minute."""
    with pytest.raises(ProviderError):
        github(failure)


def test_github_is_known_by_its_number_and_not_by_its_login():
    """A login can be renamed, and then be taken by somebody else."""
    assert github(login="renamed").subject == github().subject
    assert github(id=1).subject != github().subject


# Anything at all.


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
    """JSON of every shape that likes to use these names."""
    keys = st.sampled_from(sorted(names)) | TEXT
    return st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=8),
        max_leaves=12,
    )


def almost(answer: Any) -> st.SearchStrategy[Any]:
    """A good answer but for a few values: without these, hardly one would have a subject."""
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
    if "id_token" in shapes:  # by then it is checked: an object with a text for sub
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
def test_whatever_a_provider_answers_is_a_profile_or_its_fault(name, data):
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
            # Cc: no database takes a NUL, no page a line break; Cs: nothing can encode these.
            assert unicodedata.category(character) not in ("Cc", "Cs")


# All the way into the database.


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize(
    "scope", ["a\0b user:email", "\ud800 user:email", 'a"b user:email', "\x1b"]
)
def test_a_scope_that_the_standard_does_not_allow_is_not_kept(
    make_site, monkeypatch, database, scope
):
    """RFC 6749 3.3; no database takes a NUL or half a surrogate pair."""
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
