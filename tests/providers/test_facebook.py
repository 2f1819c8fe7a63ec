"""Facebook's profile: no address is ever verified."""

from typing import Any

import pytest

from errors import ProviderError
from providers.base import Profile
from tests.providers.profiles import answers, profile_of, short

ME = "me?fields=id,name,email,picture.width(256).height(256)"


def facebook(**values: Any) -> Profile:
    return profile_of("facebook", answers("facebook", **values))


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
    """Its old field "verified" is about the account, and no field is about the address."""
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
def test_a_facebook_profile_without_a_picture_is_accepted(picture):
    profile = facebook(picture=picture)
    assert profile.picture is None
    assert profile.name == "Tomas Lindqvist"


@pytest.mark.parametrize("answer", [None, [], "text", 5, True, {}, {"error": {"code": 190}}])
def test_an_empty_facebook_profile_is_refused(answer):
    with pytest.raises(ProviderError):
        profile_of("facebook", {ME: answer})
