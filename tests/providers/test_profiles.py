"""Providers' statements about users become one shape or are refused: subjects, addresses, names."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errors import ProviderError
from providers.base import Profile
from providers.profile import (
    EMAIL_MAX_CHARACTERS,
    NAME_MAX_CHARACTERS,
    claims_at,
    email_key,
    make_profile,
)
from tests.providers.profiles import answers, github, profile_of, row, short

KELVIN, DOTLESS_I, LONG_S, DOTTED_I = "\u212a", "\u0131", "\u017f", "\u0130"


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
        ("1 \u200b", "1 \u200b"),
        ("-", "-"),
        ("ß", "ß"),
        ("e\u0301", "e\u0301"),
        ("9" * 255, "9" * 255),
    ],
)
def test_a_subject_is_kept_byte_for_byte_and_an_integer_becomes_its_digits(value, subject):
    assert make_profile(subject=value).subject == subject


def test_subjects_that_look_alike_stay_distinct():
    """social-core CVE-2024-32879: a case-insensitive comparison joined two users."""
    alike = ["ada", "ADA", "ada ", "ad\u0430", "\u00e9", "e\u0301", "1", "01", "\uff11"]
    assert len({make_profile(subject=each).subject for each in alike}) == len(alike)


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", True, False, 1.0, 1e20, float("inf"), float("nan"), [], ["1"], {}, {"id": 1}),
        *("9" * 256, 10**5000, -(10**5000), b"1"),
        *("a\0", "a\nb", "a\x7f", "a\x85", "a\u2028b", "\u202ea", "\u2066a", "a\u200f", "\ud800"),
        *(" ", "\u00a0\u3000", "\u200b", "\u3164", "\u2800", "\u115f\u1160\uffa0", "\ufeff"),
        *("\u00ad", "\u0301", "\ufe0f", "\U000e0001", "\U000e0100"),
    ],
    ids=short,
)
def test_an_invalid_subject_is_refused(value):
    """A missing uid stored as "None", or a True that equals 1, gives many users one account."""
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
def test_an_address_is_stored_as_the_provider_gave_it(address):
    profile = make_profile(subject="1", email=address, email_verified=True)
    assert profile.email == address
    assert profile.email_verified


@pytest.mark.parametrize(
    "address",
    [
        *(None, "", 0, 1, True, 1.5, [], ["ada@b.example"], {"email": "ada@b.example"}),
        *("ada", "@b.example", "ada@", "@", "ada@@b.example", "ada@b@c.example"),
        *("ada @b.example", "ada@b .example", " ", " @ "),
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
def test_an_invalid_address_counts_as_missing_and_unverified(address):
    profile = make_profile(subject="1", email=address, email_verified=True, email_trusted=True)
    assert profile == Profile(subject="1")


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0", "\u3000", " \u2003 "], ids=short)
def test_blanks_around_an_address_are_removed(blank):
    for address in (f"{blank}ada@b.example", f"ada@b.example{blank}"):
        profile = make_profile(subject="1", email=address, email_verified=True)
        assert (profile.email, profile.email_verified) == ("ada@b.example", True)


@pytest.mark.parametrize("flag", [True, "true"])
def test_a_verified_flag_may_be_true_or_the_text_true(flag):
    """Apple and Cognito send text."""
    assert make_profile(subject="1", email="a@b.example", email_verified=flag).email_verified


@pytest.mark.parametrize(
    "flag", [False, None, "false", "False", "TRUE", "yes", "1", "", 1, 0, 1.0, [True], {"a": 1}]
)
def test_any_other_verified_flag_is_false(flag):
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
    """GitHub's 2019 takeover: Unicode case mapping made another address equal to the victim's."""
    victims = {email_key(each) for each in ("mike@example.org", "MIKE@EXAMPLE.ORG", "mike@s.org")}
    assert email_key(homograph) not in victims


@given(st.text(st.characters()))
@settings(deadline=None)
def test_the_comparison_key_of_an_address_changes_ascii_letters_only(text):
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
        *(
            (each, None)
            for each in ("\u3164", "\u200b", "\u2800", "\u200b \u2060", "\ufeff", "\u00ad")
        ),
        *((each, None) for each in ("\u115f\u1160", "\u0301", "\U000e0020", "\ufe0f", "\u180e")),
        ("\u3164Ada", "\u3164Ada"),
    ],
    ids=short,
)
def test_a_name_becomes_one_line_without_direction_marks(value, name):
    profile = make_profile(subject="1", name=value, username=value)
    assert profile.name == name
    assert profile.username == name


def test_names_hold_no_bidirectional_or_control_characters():
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
def test_an_https_picture_url_is_kept(url):
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
def test_any_other_picture_url_is_dropped(url):
    assert make_profile(subject="1", picture=url).picture is None


def test_a_claim_path_with_dots_is_followed_and_may_be_missing():
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
        ({"name": "\u3164", "nick": "al"}, "al"),
        ({"name": None, "nick": "al"}, "al"),
        ({"nick": "al"}, "al"),
        ({"name": ["Ada"], "nick": "al"}, None),
        ({"name": None}, None),
    ],
)
def test_of_several_claim_paths_the_first_non_empty_one_counts(answer, name):
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
def test_a_number_in_a_claim_path_is_a_list_index(images, picture):
    profile = claims_at("me", subject="id", picture="images.0.url")
    assert profile({"me": {"id": 7, "images": images}}.__getitem__).picture == picture


@pytest.mark.parametrize("flag", [1, "yes", [True], {"a": 1}, False, "false", None])
def test_only_true_makes_an_address_trusted(flag):
    """A claim may be of any type."""
    profile = make_profile(
        subject="1", email="a@b.example", email_verified=True, email_trusted=flag
    )
    assert profile.email_trusted is False


FALLBACKS = {
    "discord": ({"global_name": "\u3164"}, "name"),
    "zoom": ({"display_name": "\u200b"}, "name"),
    "yandex": ({"real_name": "\u2800"}, "name"),
    "bitbucket": ({"nickname": "\u3164", "username": "ines"}, "username"),
}


@pytest.mark.parametrize("provider", FALLBACKS)
def test_an_invisible_name_gives_way_to_the_providers_next_one(provider):
    changes, field = FALLBACKS[provider]
    assert getattr(profile_of(provider, answers(provider, **changes)), field)


def test_an_invisible_claim_is_looked_up_in_userinfo():
    said = answers("google", name="\u3164")
    said["userinfo"] = {"sub": said["id_token"]["sub"], "name": "From userinfo"}
    assert profile_of("google", said).name == "From userinfo"


def test_a_noreply_address_with_blanks_is_never_used():
    hidden = " 58291733+nadiak@users.noreply.github.com "
    assert github([row(hidden, "primary", "verified")]).email is None
