"""Google's profile: addresses that it hosts, and the claims that userinfo adds."""

from typing import Any

import pytest

from errors import ProviderError
from providers.base import NotShared, Profile
from providers.protocols.id_token import check_userinfo
from tests.providers.profiles import answers, profile_of, short


def google(userinfo: Any = None, **claims: Any) -> Profile:
    said = answers("google", **claims)
    said["userinfo"] = NotShared("no userinfo") if userinfo is None else userinfo
    return profile_of("google", said)


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
def test_google_is_trusted_for_the_domains_it_hosts(email, hd, trusted):
    """Any other address was verified once, and may have a new owner since."""
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
def test_a_google_profile_without_an_address_is_accepted(email):
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
    """Workspace accounts may omit their picture from the id_token, or send it empty."""
    said = answers("google", **{missing: nothing})
    if nothing == "absent":
        del said["id_token"][missing]
    said["userinfo"] = USERINFO
    profile = profile_of("google", said)
    assert (profile.name, profile.picture) == expected
    assert (profile.email, profile.email_trusted) == ("mira.okafor@gmail.com", True)


def test_google_sign_in_works_without_userinfo():
    profile = google(userinfo=NotShared("no endpoint"), name=None, picture=None)
    assert (profile.name, profile.picture) == (None, None)
    assert profile.email_trusted


def test_signed_claims_win_over_userinfo():
    said = answers("google", name=None, email_verified=False)
    said["userinfo"] = USERINFO | {"email_verified": True, "picture": "https://other.example"}
    profile = profile_of("google", said)
    assert profile.name == "From userinfo"
    assert profile.picture == "https://lh3.googleusercontent.com/a/mira=s96-c"
    assert not profile.email_verified


@pytest.mark.parametrize("flag", ["absent", None])
def test_the_verified_flag_of_one_address_never_verifies_another(flag):
    """An address and its verified flag must come from the same document."""
    said = answers("google", name=None, email="victim@gmail.com", email_verified=flag)
    if flag == "absent":
        del said["id_token"]["email_verified"]
    said["userinfo"] = USERINFO | {"email": "mallory@evil.example", "email_verified": True}
    profile = profile_of("google", said)
    assert (profile.email, profile.email_verified) == ("victim@gmail.com", False)
    assert not profile.email_trusted


def test_a_verified_flag_without_an_address_does_not_verify_the_one_of_userinfo():
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
def test_userinfo_of_another_subject_is_refused(answer):
    """OpenID Connect Core 5.3.2: claims of another sub must not be used."""
    with pytest.raises(ProviderError) as caught:
        check_userinfo(answer, "a")
    assert not isinstance(caught.value, NotShared)
    assert check_userinfo({"sub": "a", "name": "x"}, "a") == {"sub": "a", "name": "x"}
