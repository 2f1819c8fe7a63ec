"""Settings: their meaning, and what they refuse."""

import stat
import threading

import pytest

import config
from config.registrations import CREDENTIALS, Registration
from config.settings import Settings
from errors import SettingsError
from providers import PROVIDERS

LIVE = {
    "PUBLIC_URL": "https://login.example.org",
    "SECRET_KEY": "k" * 40,
    "DATABASE_URL": "postgresql://u:hunter2@db/quickstep",
}


def load(**variables: str) -> Settings:
    return config.load(PROVIDERS.values(), variables, None)


def faults(**variables: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(**variables)
    return caught.value.faults


def test_without_settings_a_local_server_works():
    settings = load()
    assert settings.public_url == "http://localhost:5000"
    assert settings.registrations == {}
    assert settings.demo is None
    assert settings.account_linking == "ask"
    assert settings.is_local


def test_the_port_is_part_of_the_default_address():
    assert load(PORT="8080").public_url == "http://localhost:8080"


def test_an_empty_value_counts_as_not_set():
    assert load(PORT="", APP_NAME=" ", GOOGLE_CLIENT_ID="").brand_name == "Quickstep"


def test_all_faults_are_reported_together_and_by_name():
    found = faults(
        PORT="lots",
        PUBLIC_URL="http://login.example.org",
        LOG_LEVEL="LOUD",
        ACCOUNT_LINKING="always",
        GOOGLE_CLIENT_ID="id",
        GITHUB_CLIENT_SECRET="secret",
        FACEBOOK_CLIENT_ID="id",
        FACEBOOK_CLIENT_SECRET="secret",
        FACEBOOK_TOKEN_URL="http://evil.example",
    )
    named = {fault.partition(":")[0] for fault in found}
    assert named == {
        "PORT",
        "PUBLIC_URL",
        "LOG_LEVEL",
        "ACCOUNT_LINKING",
        "GOOGLE_CLIENT_SECRET",
        "GITHUB_CLIENT_ID",
        "FACEBOOK_TOKEN_URL",
    }


def test_a_fault_never_shows_the_value():
    found = faults(
        DATABASE_URL="mysql://root:hunter2@db/x", SECRET_KEY="hunter2" * 9, PORT="hunter2"
    )
    assert "hunter2" not in "".join(found)


def test_settings_never_show_a_secret():
    settings = load(**LIVE, GOOGLE_CLIENT_ID="id", GOOGLE_CLIENT_SECRET="hunter2")
    assert "hunter2" not in repr(settings)
    assert "kkkk" not in repr(settings)


@pytest.mark.parametrize("id_name", CREDENTIALS["client_id"])
@pytest.mark.parametrize("secret_name", CREDENTIALS["client_secret"])
def test_a_registration_may_use_each_of_the_usual_variable_names(id_name, secret_name):
    variables = {id_name.format("GITHUB"): "id", secret_name.format("GITHUB"): "secret"}
    client = load(**variables).registrations["github"]
    assert (client.client_id, client.secret) == ("id", "secret")


def test_aliases_of_a_variable_may_repeat_a_value_but_not_contradict_it():
    both = {"GITHUB_CLIENT_ID": "id", "AUTH_GITHUB_ID": "id", "GITHUB_CLIENT_SECRET": "secret"}
    assert load(**both).registrations["github"].client_id == "id"
    (fault,) = faults(**{**both, "AUTH_GITHUB_ID": "other"})
    assert "GITHUB_CLIENT_ID and AUTH_GITHUB_ID" in fault


def test_secrets_may_come_from_files(tmp_path):
    file = tmp_path / "secret"
    file.write_text("from a file\n")
    variables = {"GOOGLE_CLIENT_ID": "id", "GOOGLE_CLIENT_SECRET_FILE": str(file)}
    client = load(**variables).registrations["google"]
    assert client.secret == "from a file"
    (fault,) = faults(**variables, GOOGLE_CLIENT_SECRET="too")
    assert fault.startswith("GOOGLE_CLIENT_SECRET: set it or GOOGLE_CLIENT_SECRET_FILE")


@pytest.mark.parametrize("content", [None, "", "\xff"])
def test_a_secret_file_that_cannot_be_used_is_a_fault(tmp_path, content):
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content.encode("latin-1"))
    (fault,) = faults(SECRET_KEY_FILE=str(file))
    assert fault.startswith("SECRET_KEY_FILE: ")


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example.org",
        "https://login.example.org/auth",
        "https://login.example.org?x=1",
        "https://user:pw@login.example.org",
        "login.example.org",
        "ftp://login.example.org",
        "https://",
        "javascript:alert(1)",
    ],
)
def test_a_public_url_is_https_with_a_host_and_nothing_else(url):
    (fault,) = faults(**{**LIVE, "PUBLIC_URL": url})
    assert fault.startswith("PUBLIC_URL: must")


@pytest.mark.parametrize(
    "url",
    ["http://localhost:5000", "http://127.0.0.1:8000", "http://[::1]:80", "http://a.localhost"],
)
def test_http_is_for_loopback(url):
    assert load(PUBLIC_URL=url).public_url == url


@pytest.mark.parametrize(
    "host", ["localhost.example.org", "127.0.0.1.nip.io", "0.0.0.0", "10.0.0.1"]
)
def test_a_host_that_only_looks_like_loopback_is_refused(host):
    assert faults(PUBLIC_URL=f"http://{host}")


def test_a_public_server_needs_its_own_keys():
    """No default secret."""
    (fault,) = faults(DATABASE_URL="sqlite:////srv/quickstep.sqlite")
    assert fault.startswith("SECRET_KEY: must be set")
    (fault,) = faults(DATABASE_URL="sqlite:////srv/quickstep.sqlite", SECRET_KEY="a,b")
    assert "comma" in fault
    (fault,) = faults(PUBLIC_URL="https://login.example.org", SECRET_KEY="short")
    assert "at least 32 characters" in fault


def test_demo_mode_is_for_loopback_only():
    (fault,) = faults(**LIVE, DEMO="1")
    assert fault.startswith("DEMO: ")
    assert load(DEMO="1").demo is True
    assert load(DEMO="0").demo is False


def test_cookie_prefixes_need_https():
    (fault,) = faults(SESSION_COOKIE_NAME="__Host-session")
    assert fault.startswith("SESSION_COOKIE_NAME: ")
    assert load(**LIVE, SESSION_COOKIE_NAME="__Host-session")
    assert faults(SESSION_COOKIE_NAME="a b;")


def test_every_postgresql_url_uses_psycopg():
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        settings = load(**{**LIVE, "DATABASE_URL": f"{scheme}://u@h/d"})
        assert settings.database_url
        assert settings.database_url.get_secret_value() == "postgresql+psycopg://u@h/d"


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://cache.example:6380/2",
        "redis://:pw%23@localhost:6379/0",
        "rediss://user:pw@[::1]:6379/0?ssl_ca_certs=/etc/ssl/own-ca.pem",
        "unix:///run/redis/redis.sock?db=3",
    ],
)
def test_redis_is_configured_by_its_url(url, tmp_path):
    settings = load(REDIS_URL=url)
    assert settings.redis_url
    assert settings.redis_url.get_secret_value() == url
    assert "pw" not in repr(settings)
    file = tmp_path / "redis"
    file.write_text(url)
    assert load(REDIS_URL_FILE=str(file)).redis_url == settings.redis_url


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "http://localhost:6379",
        "redis://",
        "redis:///0",
        "redis://:hunter2@/0",
        "redis://localhost:hunter2",
        "redis://localhost:0",
        "redis://:hunter2#x@localhost",
        "redis://localhost/hunter2",
        "rediss://localhost?ssl_cert_reqs=none",
        "redis://localhost?socket_timeout=600",
        "unix://",
        "unix://hunter2/redis.sock",
        "redis://[::1",
    ],
)
def test_an_invalid_redis_url_is_reported_at_start(url):
    """The client would accept many of them, and connect elsewhere or differently."""
    (fault,) = faults(REDIS_URL=url)
    assert fault.startswith("REDIS_URL: m")
    assert "hunter2" not in fault


def test_an_openid_connect_scope_must_include_openid():
    client = {"GOOGLE_CLIENT_ID": "id", "GOOGLE_CLIENT_SECRET": "secret"}
    (fault,) = faults(**client, GOOGLE_SCOPE="email")
    assert fault.startswith("GOOGLE_SCOPE: ")
    assert (
        load(**client, GOOGLE_SCOPE="openid email").registrations["google"].scope == "openid email"
    )


def test_the_provider_order_may_name_known_providers_only():
    (fault,) = faults(PROVIDERS="github,myspace")
    assert "unknown myspace" in fault
    assert load(PROVIDERS="github, google").providers == ("github", "google")


def test_allowed_email_domains_must_be_domains():
    assert load(ALLOWED_EMAIL_DOMAINS="Example.org, @b.example").allowed_email_domains == (
        "example.org",
        "b.example",
    )
    assert faults(ALLOWED_EMAIL_DOMAINS="example")
    assert faults(ALLOWED_EMAIL_DOMAINS="*.example.org")


def test_allowed_origins_are_normalized_as_browsers_send_them():
    given = "https://App.example.org:443/, http://localhost:3000,https://[2001:DB8::1]:8443"
    assert load(CORS_ORIGINS=given).cors_origins == (
        "https://app.example.org",
        "http://localhost:3000",
        "https://[2001:db8::1]:8443",
    )


@pytest.mark.parametrize(
    "origin",
    [
        *("*", "null", "app.example.org", "https://", "https://*.example.org"),
        *("http://app.example.org", "https://app.example.org/path", "https://app.example.org?q"),
        *("https://user@app.example.org", "https://app.example.org:port", "https://äpp.example"),
        *("file:///", "https://app.example.org#f", "https://a b"),
    ],
)
def test_an_invalid_origin_is_refused_at_start(origin):
    (fault,) = faults(CORS_ORIGINS=f"https://fine.example,{origin}")
    assert fault.startswith("CORS_ORIGINS: has ")
    assert origin in fault


def test_the_environment_overrides_the_settings_file(tmp_path):
    file = tmp_path / ".env"
    file.write_text('APP_NAME="From file"\nPORT=6000\n')
    settings = config.load(PROVIDERS.values(), {"PORT": "7000"}, file)
    assert (settings.brand_name, settings.port) == ("From file", 7000)


def test_the_generated_secret_key_is_made_once_and_readable_by_its_owner_only(tmp_path):
    folder = str(tmp_path / "instance")
    keys: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: keys.append(config.embedded_secret_key(folder).get_secret_value())
        )
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(keys)) == 1
    assert len(keys[0]) >= 64
    file = tmp_path / "instance" / "secret_key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700  # the database is there too
    assert list(file.parent.iterdir()) == [file]


def test_faults_of_single_settings_do_not_hide_conflicts_between_settings():
    assert {fault.partition(":")[0] for fault in faults(PORT="lots", PROVIDERS="gogle")} == {
        "PORT",
        "PROVIDERS",
    }


def test_offline_access_is_off_unless_it_is_asked_for():
    def client(**more: str) -> Registration:
        return load(GOOGLE_CLIENT_ID="i", GOOGLE_CLIENT_SECRET="s", **more).registrations["google"]

    assert not client().offline_access
    assert not client(GOOGLE_OFFLINE_ACCESS="0").offline_access
    assert client(GOOGLE_OFFLINE_ACCESS="1").offline_access
    found = faults(
        GOOGLE_CLIENT_ID="i", GOOGLE_CLIENT_SECRET="s", GOOGLE_OFFLINE_ACCESS="sometimes"
    )
    assert [fault.partition(":")[0] for fault in found] == ["GOOGLE_OFFLINE_ACCESS"]
