"""Names that are no settings, and values that are none: each is named, in plain words."""

import pytest

import config
from config.settings import Settings
from errors import SettingsError
from providers import PROVIDERS
from tests.commands.doctor import lines

GOOGLE = {"GOOGLE_CLIENT_ID": "id", "GOOGLE_CLIENT_SECRET": "secret"}


def load(**variables: str) -> Settings:
    return config.load(PROVIDERS.values(), variables, None)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("FACEBOK_CLIENT_ID", "did you mean FACEBOOK_CLIENT_ID?"),
        ("FACEBOK_OAUTH_CLIENT_SECRET", "did you mean FACEBOOK_OAUTH_CLIENT_SECRET?"),
        ("GITHUB_CLIENT_SECRETS", "did you mean GITHUB_CLIENT_SECRET?"),
        ("AUTH_GOGLE_SECRET", "did you mean AUTH_GOOGLE_SECRET?"),
        ("MICROSOFT_CLIENT_SECRT_FILE", "did you mean MICROSOFT_CLIENT_SECRET_FILE?"),
        ("AZURE_CLIENT_ID", "there is no such provider"),
        ("GOOGLE_SCOPES", "did you mean GOOGLE_SCOPE?"),
        ("APPLE_TEAMID", "did you mean APPLE_TEAM_ID?"),
        ("OIDC_ACME_ISSUER", "OIDC_PROVIDERS does not name acme"),
        ("OIDC_ACME_CLIENT_ID", "OIDC_PROVIDERS does not name acme"),
        ("ALLOWED_EMAIL_DOMAIN", "did you mean ALLOWED_EMAIL_DOMAINS?"),
        ("TRUSTED_PROXY", "did you mean TRUSTED_PROXIES?"),
        ("DATABASE_URI", "did you mean DATABASE_URL?"),
        ("SECRETKEY", "did you mean SECRET_KEY?"),
    ],
)
def test_a_name_that_is_no_setting_is_named_with_the_one_that_was_meant(tmp_path, name, said):
    (warning,) = load(**{name: "hunter2"}).warnings
    assert warning.startswith(f"{name}: ")
    assert said in warning
    file = tmp_path / ".env"
    file.write_text(f"{name}=hunter2\n")
    with pytest.raises(SettingsError) as caught:
        config.load(PROVIDERS.values(), {name: "hunter2"}, file)
    assert caught.value.faults == [warning]


@pytest.mark.parametrize(
    "name",
    [
        *("PATH", "HOSTNAME", "LOGNAME", "POSTGRES_PASSWORD", "GOOGLE_APPLICATION_CREDENTIALS"),
        *("GITHUB_TOKEN", "GITHUB_REPOSITORY_ID", "GITHUB_API_URL", "SLACK_WEBHOOK_URL"),
        *("GUNICORN_CMD_ARGS", "FLASK_DEBUG", "QUICKSTEP_TAG", "AUTH_SECRET", "GOOGLE_API_KEY"),
    ],
)
def test_variables_of_other_programs_are_left_alone(name):
    assert load(**{name: "theirs"}).warnings == ()


@pytest.mark.parametrize("name", ["GOOGLE_TOKEN_URL", "GOOGLE_LABEL", "GOOGLE_TEAM_ID"])
def test_a_setting_that_its_provider_does_not_use_is_named(name):
    assert load(**GOOGLE, **{name: "x"}).warnings == (f"{name}: has no effect on google",)


def test_a_misspelt_half_of_a_registration_is_named_with_the_missing_one():
    with pytest.raises(SettingsError) as caught:
        load(GOOGLE_CLIENT_ID="id", GOGLE_CLIENT_SECRET="secret")
    assert caught.value.faults == [
        "GOOGLE_CLIENT_SECRET: missing, while GOOGLE_CLIENT_ID is set",
        "GOGLE_CLIENT_SECRET: there is no such setting; did you mean GOOGLE_CLIENT_SECRET?",
    ]


def test_the_log_and_the_doctor_name_what_was_ignored(make_site, capsys):
    site = make_site(FACEBOK_CLIENT_ID="id")
    assert "did you mean FACEBOOK_CLIENT_ID?" in capsys.readouterr().err
    assert "warn  Settings: FACEBOK_CLIENT_ID: there is no such setting" in lines(site)


@pytest.mark.parametrize("value", ["abc", "-1", "11", "1.5", "true", "127.0.0.1", "1,2"])
def test_trusted_proxies_that_are_no_number_are_refused_in_plain_words(value):
    with pytest.raises(SettingsError) as caught:
        load(TRUSTED_PROXIES=value)
    (fault,) = caught.value.faults
    assert fault == "TRUSTED_PROXIES: must be a number from 0 to 10: how many proxies are in front"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "99999", "must be a number from 1 to 65535"),
        ("DEMO", "maybe", "must be 1 or 0"),
        ("ACCOUNT_LINKING", "always", "must be ask or auto or separate"),
        ("APP_NAME", "x" * 61, "must be text of at most 60 characters"),
        ("METRICS_TOKEN", "short", "must be text of at least 16 characters"),
        ("FIREBASE_PROJECT_ID", "a b", "must be a project id of letters, digits and .:_-"),
        ("GOOGLE_OFFLINE_ACCESS", "oui", "must be 1 or 0"),
    ],
)
def test_no_fault_is_told_in_the_words_of_a_library(name, value, said):
    with pytest.raises(SettingsError) as caught:
        load(**GOOGLE, **{name: value})
    assert caught.value.faults == [f"{name}: {said}"]
