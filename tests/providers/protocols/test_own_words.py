"""Each provider's own words for a refused code, a dead grant and wrong settings."""

import json

import pytest
from urllib3 import HTTPHeaderDict

from errors import CodeRefused, Misconfigured, ProviderBusy, ProviderError
from providers import PROVIDERS
from providers.http.responses import Answer
from providers.protocols.token_endpoint import read_token_response

X = "Value passed for the {} was invalid."
LINKEDIN = (
    "Unable to retrieve access token: appid/redirect uri/code verifier does not match "
    "authorization code. Or authorization code expired. Or external member binding exists"
)
DEAD = [
    ("github", 200, {"error": "bad_verification_code"}),
    ("github", 200, {"error": "bad_refresh_token", "error_description": "… incorrect or expired"}),
    ("twitter_oauth2", 400, {"error": "invalid_request", "error_description": X.format("token")}),
    (
        "twitter_oauth2",
        400,
        {"error": "invalid_request", "error_description": X.format("authorization code")},
    ),
    (
        "facebook",
        400,
        {"error": {"code": 100, "message": "This code has been used."}},
    ),
    ("linkedin", 400, {"error": "invalid_request", "error_description": LINKEDIN}),
    ("linkedin", 401, {"error": "invalid_redirect_uri", "error_description": LINKEDIN}),
    (
        "atlassian",
        403,
        {"error": "unauthorized_client", "error_description": "refresh_token is invalid"},
    ),
    (
        "atlassian",
        403,
        {"error": "invalid_grant", "error_description": "Unknown or invalid refresh token."},
    ),
    ("zoom", 400, {"error": "invalid_request", "reason": "Invalid authorization code abc"}),
    ("zoom", 401, {"error": "invalid_request", "reason": "Invalid Token!"}),
    ("twitch", 400, {"status": 400, "message": "Invalid refresh token"}),
    ("twitch", 400, {"status": 400, "message": "Invalid authorization code"}),
    ("twitch", 401, {"error": "Unauthorized", "status": 401, "message": "Invalid refresh token"}),
    ("slack", 200, {"ok": False, "error": "invalid_code"}),
    ("slack", 200, {"ok": False, "error": "invalid_refresh_token"}),
    ("reddit", 400, {"message": "Bad Request", "error": 400}),
    ("reddit", 200, {"error": "invalid_grant"}),
    (
        "naver",
        200,
        {"error": "invalid_request", "error_description": "no valid data in session"},
    ),
    ("yandex", 400, {"error": "bad_verification_code", "error_description": "Invalid code"}),
    ("salesforce", 400, {"error": "inactive_user", "error_description": "user is inactive"}),
    ("kakao", 400, {"error": "invalid_grant", "error_code": "KOE322"}),
    ("microsoft", 400, {"error": "interaction_required", "suberror": "basic_action"}),
    ("google", 400, {"error": "invalid_grant", "error_subtype": "invalid_rapt"}),
    *((name, 400, {"error": "invalid_grant"}) for name in PROVIDERS if name != "twitter"),
]
WRONG_SETTINGS = [
    ("github", 200, {"error": "incorrect_client_credentials"}),
    ("twitter_oauth2", 401, {"error": "unauthorized_client"}),
    ("facebook", 400, {"error": {"code": 101, "message": "Error validating application."}}),
    ("zoom", 400, {"error": "invalid_request", "reason": "Redirect URI mismatch."}),
    ("zoom", 401, {"error": "invalid_client", "reason": "Invalid client_id or client_secret"}),
    ("twitch", 403, {"status": 403, "message": "invalid client secret"}),
    ("twitch", 400, {"status": 400, "message": "invalid client"}),
    ("slack", 200, {"ok": False, "error": "bad_client_secret"}),
    ("google", 401, {"error": "deleted_client"}),
]
PASSING = [
    ("facebook", 400, {"error": {"code": 4, "message": "Application request limit reached"}}),
    ("facebook", 400, {"error": {"code": 2, "message": "Service temporarily unavailable"}}),
    ("salesforce", 400, {"error": "rate_limit_exceeded"}),
    ("slack", 200, {"ok": False, "error": "ratelimited"}),
    ("twitch", 400, {"status": 400, "message": "Too many requests"}),
    ("google", 503, {"error": "invalid_grant"}),
    ("github", 429, {"error": "bad_refresh_token"}),
    ("zoom", 500, {"error": "invalid_request", "reason": "Invalid Token!"}),
]


def error_of(provider: str, status: int, body: dict[str, object]) -> ProviderError:
    headers = HTTPHeaderDict({"Content-Type": "application/json"})
    answer = Answer("https://provider.example/token", status, headers, json.dumps(body).encode())
    with pytest.raises(ProviderError) as caught:
        read_token_response(answer, PROVIDERS[provider])
    return caught.value


def name_of(value: object) -> str:
    return ascii(value)[:60] if isinstance(value, dict) else str(value)


@pytest.mark.parametrize(("provider", "status", "body"), DEAD, ids=name_of)
def test_a_dead_grant_or_a_refused_code_is_recognised(provider, status, body):
    """Otherwise the dead grant is tried again for ever, and `providers check` fails."""
    assert type(error_of(provider, status, body)) is CodeRefused


@pytest.mark.parametrize(("provider", "status", "body"), WRONG_SETTINGS, ids=name_of)
def test_wrong_settings_are_not_taken_for_a_refused_code(provider, status, body):
    assert type(error_of(provider, status, body)) is Misconfigured


@pytest.mark.parametrize(("provider", "status", "body"), PASSING, ids=name_of)
def test_a_passing_failure_is_not_taken_for_a_dead_grant(provider, status, body):
    assert type(error_of(provider, status, body)) is ProviderBusy


def test_the_words_of_one_provider_mean_nothing_at_another():
    body: dict[str, object] = {"error": "invalid_request", "reason": "Invalid Token!"}
    assert type(error_of("google", 400, body)) is ProviderError
