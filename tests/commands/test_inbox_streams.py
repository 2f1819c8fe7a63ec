"""``inbox google`` and ``inbox twitch``: streams are made, shown and stopped through an API."""

import json

import pytest

from tests.commands.console import answer, run
from tests.eavesdropper import EAR
from tests.site import Site


@pytest.fixture
def key(site: Site, tmp_path) -> str:
    """The key file of the service account, which must not come into the log."""
    text = site.simulator.google.key_file()
    EAR.learn(json.loads(text)["private_key"])
    path = tmp_path / "key.json"
    path.write_text(text)
    return str(path)


def test_a_stream_is_registered_verified_and_stopped(site, key):
    assert answer(site, "inbox", "google", "status", "--key", key)["status"] == "none"
    url = f"{site.url}/inbox/google"
    assert answer(site, "inbox", "google", "register", "--key", key) == {"url": url}
    stream = site.simulator.google.stream
    assert stream["delivery"]["url"] == url
    oauth = "https://schemas.openid.net/secevent/oauth/event-type/tokens-revoked"
    assert oauth in stream["events_requested"]
    state = answer(site, "inbox", "google", "status", "--key", key)
    assert state == {"status": "enabled", "url": url}
    assert "The verification came." in run(site, "inbox", "google", "verify", "--key", key).stdout
    assert site.rows("SELECT kind FROM receipts") == [("ping",)]
    run(site, "inbox", "google", "stop", "--key", key)
    assert answer(site, "inbox", "google", "status", "--key", key)["status"] == "disabled"
    run(site, "inbox", "google", "register", "--key", key)
    assert answer(site, "inbox", "google", "status", "--key", key)["status"] == "enabled"


def test_a_verification_that_does_not_come_is_told(site, key, monkeypatch):
    monkeypatch.setattr("commands.inbox_streams.WAIT_SECONDS", 0.1)
    run(site, "inbox", "google", "register", "--key", key)
    run(site, "inbox", "google", "stop", "--key", key)
    result = run(site, "inbox", "google", "verify", "--key", key)
    assert result.exit_code == 1
    assert f"No verification came to {site.url}/inbox/google." in result.stderr


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("The project is managed by Firebase.", "Firebase owns the stream of this project"),
        ("Receiver URL must be HTTPS.", "the address must begin with https"),
        ("The domain is not authorized.", "add the domain of PUBLIC_URL"),
        ("No OAuth client is configured.", "the project has no OAuth client"),
        ("The caller does not have permission", "roles/riscconfigs.admin"),
        ("Something new\x1b[31m", "Google refuses: Something new [31m."),
    ],
)
def test_each_refusal_says_what_to_do(site, key, said, advice):
    site.simulator.google.refuses_stream = said
    result = run(site, "inbox", "google", "register", "--key", key)
    assert result.exit_code == 1
    assert advice in result.stderr


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"client_email": "a", "private_key": "secret"}'])
def test_a_file_that_is_no_key_is_refused_and_not_repeated(site, tmp_path, text):
    path = tmp_path / "key.json"
    path.write_text(text)
    result = run(site, "inbox", "google", "status", "--key", str(path))
    assert result.exit_code == 1
    assert "the file is no JSON key of a service account" in result.stderr
    assert "secret" not in result.output


def test_another_accounts_key_is_refused(make_site, site, tmp_path):
    path = tmp_path / "other.json"
    path.write_text(make_site().simulator.google.key_file())
    result = run(site, "inbox", "google", "register", "--key", str(path))
    assert result.exit_code == 1
    assert "401: Request had invalid authentication credentials." in result.stderr


def test_a_subscription_is_made_shown_and_deleted(make_site):
    site = make_site(look_alikes=("twitch",), TWITCH_WEBHOOK_SECRET="a secret for twitch")
    assert answer(site, "inbox", "twitch", "status") == {"status": "none", "url": None}
    url = f"{site.url}/inbox/twitch"
    for _ in range(2):  # a second time is no fault
        assert answer(site, "inbox", "twitch", "register") == {"url": url}
    assert answer(site, "inbox", "twitch", "status") == {"status": "enabled", "url": url}
    assert site.rows("SELECT kind FROM receipts") == [("ping",)]
    assert run(site, "inbox", "twitch", "stop").exit_code == 0
    assert answer(site, "inbox", "twitch", "status")["status"] == "none"


def test_without_a_secret_no_subscription_is_made(make_site):
    result = run(make_site(look_alikes=("twitch",)), "inbox", "twitch", "register")
    assert result.exit_code == 1
    assert "set TWITCH_WEBHOOK_SECRET, and restart the server." in result.stderr
    assert "twitch is not on." in run(make_site(), "inbox", "twitch", "status").stderr
