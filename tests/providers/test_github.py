"""GitHub's profile: which address counts, and the user's number as subject."""

import pytest

import config
from errors import ProviderDown, ProviderError, SettingsError
from providers import PROVIDERS
from providers.base import NotShared
from tests.providers.profiles import A, B, github, row, short

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
def test_github_prefers_the_primary_then_a_verified_address(emails, expected):
    profile = github(emails)
    assert (profile.email, profile.email_verified) == expected
    assert profile.email_trusted is profile.email_verified


def test_a_github_profile_without_an_address_list_is_accepted():
    """404 if the user did not grant user:email."""
    profile = github(NotShared("404"), email=None)
    assert (profile.subject, profile.username, profile.email) == ("58291733", "nadiak", None)


@pytest.mark.parametrize("emails", [[], NotShared("404")])
def test_githubs_public_address_is_the_fallback_and_never_verified(emails):
    """/user has no verified flag, and its address may belong to somebody else."""
    profile = github(emails, email="nadia@example.org", verified=True, email_verified=True)
    assert (profile.email, profile.email_verified) == ("nadia@example.org", False)
    assert not profile.email_trusted


@pytest.mark.parametrize("emails", [[row(NO_REPLY, "verified")], NotShared("404")])
def test_githubs_noreply_address_is_never_used(emails):
    """It cannot receive mail."""
    profile = github(emails, email=NO_REPLY)
    assert profile.email is None


@pytest.mark.parametrize("emails", [{}, "text", 5, True, {"message": "Not Found"}])
def test_a_malformed_github_address_list_is_refused(emails):
    with pytest.raises(ProviderError):
        github(emails)


@pytest.mark.parametrize("failure", [ProviderDown("away"), ProviderError("500")])
def test_an_unreadable_github_address_list_is_refused(failure):
    """Otherwise a temporary failure would remove a verified address."""
    with pytest.raises(ProviderError):
        github(failure)


def test_a_github_user_is_identified_by_number_and_not_by_login():
    """A login can be renamed, and then taken by somebody else."""
    assert github(login="renamed").subject == github().subject
    assert github(id=1).subject != github().subject


def test_the_address_of_an_api_may_end_without_a_slash(make_site):
    """GitHub Enterprise's own form is https://HOST/api/v3."""
    site = make_site(look_alikes=("github",))
    with_slash = site.simulator.github.endpoints.api
    assert with_slash.endswith("/")
    site.restart(GITHUB_API_URL=with_slash.rstrip("/"))
    assert site.browser().sign_in("github", "ada").path == "/account"


@pytest.mark.parametrize("key", ["facebook", "github", "twitter", "discord"])
@pytest.mark.parametrize("end", ["", "/"])
def test_every_base_address_ends_with_one_slash_whether_written_or_not(key, end):
    upper = key.upper()
    variables = {f"{upper}_CLIENT_ID": "id", f"{upper}_CLIENT_SECRET": "secret"}
    variables[f"{upper}_API_URL"] = f"https://ghe.example/api/v3{end}"
    settings = config.load(PROVIDERS.values(), variables, None)
    assert settings.registrations[key].api_url == "https://ghe.example/api/v3/"


def test_a_base_address_with_a_query_is_a_fault_of_the_settings():
    variables = {"GITHUB_CLIENT_ID": "id", "GITHUB_CLIENT_SECRET": "secret"}
    variables["GITHUB_API_URL"] = "https://ghe.example/api?v=3"
    with pytest.raises(SettingsError, match="GITHUB_API_URL: must be without a query"):
        config.load(PROVIDERS.values(), variables, None)
