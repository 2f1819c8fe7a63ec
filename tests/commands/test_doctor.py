"""``providers check``, the doctor: clock, providers and this server."""

import base64
import json
import socket
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from commands import check_server
from tests.commands.console import run
from tests.commands.doctor import certificate, line_of, lines, served, token_endpoint
from tests.site import SECRET_KEY
from web.checks.metadata import age_days, kind_of

GOOD_KEY = "Zk3vN0q8YhXr5tJwUeLbAoP1dMxCsF6gHiT2yKzVnRu"


# Our clock, compared with the providers'.


@pytest.mark.parametrize(
    ("seconds", "age", "status", "said"),
    [
        (0, 0, 0, "ok    Clock: agrees with the providers, by 1 that answered"),
        (-999, 999, 0, "ok    Clock: agrees with the providers"),
        (100, 0, 0, "seconds behind those of the providers; set it by NTP"),
        (-100, 0, 0, "seconds ahead of those of the providers; set it by NTP"),
        (1000, 0, 1, "FAIL  Clock: "),
        (-1000, 0, 1, "FAIL  Clock: "),
    ],
)
def test_the_doctor_reports_a_wrong_clock(make_site, seconds, age, status, said):
    with served(token_endpoint(age), ahead=seconds) as url:
        site = make_site(look_alikes=("github",), GITHUB_TOKEN_URL=f"{url}/token")
        line = line_of(lines(site, "github", status=status), "Clock")
    assert said in line
    assert line.startswith({0: "warn", 1: "FAIL"}[status] if seconds + age else "ok")


def test_one_provider_with_a_wrong_clock_is_not_blamed_on_ours(make_site):
    with served(token_endpoint(), ahead=1000) as url:
        site = make_site(GITHUB_TOKEN_URL=f"{url}/token")
        assert "ok    Clock: agrees with the providers, by 3 that answered" in lines(site)


# Providers.


def test_a_provider_that_never_answers_does_not_delay_the_other_checks(make_site, monkeypatch):
    monkeypatch.setattr("web.checks.findings.CHECK_SECONDS", 3.0)
    silent = socket.create_server(("127.0.0.1", 0), backlog=64)
    port = silent.getsockname()[1]
    site = make_site(GITHUB_TOKEN_URL=f"http://127.0.0.1:{port}/token")
    output = lines(site, status=1)
    silent.close()
    assert "FAIL  GitHub: did not respond in time" in output
    assert "ok    Google: reachable and knows the client" in output
    assert "ok    Clock: agrees with the providers, by 2 that answered" in output


def test_the_doctor_describes_metadata_and_keys(site):
    assert "ok    Google: metadata and keys can be read: RSA 2048 (1)" in lines(site, "google")


def test_keys_that_cannot_verify_a_sign_in_are_counted(site):
    """Keycloak publishes one for encryption; a key for another purpose would hide here."""
    site.simulator.google.key_rows = lambda row: [row, {**row, "use": "enc"}, {"kty": "oct"}]
    said = "RSA 2048 (2), oct (1); 2 of them cannot verify a sign-in"
    assert f"ok    Google: metadata and keys can be read: {said}" in lines(site, "google")


def issuer_without_keys(environ: Any, start_response: Any) -> Iterable[bytes]:
    """An issuer that accepts our client, and whose keys are on an unreachable server."""
    url = f"http://localhost:{environ['SERVER_PORT']}"
    metadata = {
        "issuer": url,
        "authorization_endpoint": f"{url}/authorize",
        "token_endpoint": f"{url}/token",
        "jwks_uri": "http://127.0.0.1:9/keys",
    }
    is_token = environ["PATH_INFO"] == "/token"
    status = "400 Bad Request" if is_token else "200 OK"
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps({"error": "invalid_grant"} if is_token else metadata).encode()]


def test_the_doctor_reports_keys_that_cannot_be_read(make_site):
    with served(issuer_without_keys) as url:
        site = make_site(
            OIDC_PROVIDERS="acme",
            OIDC_ACME_ISSUER=url,
            OIDC_ACME_CLIENT_ID="a",
            OIDC_ACME_CLIENT_SECRET="b",
        )
        output = lines(site, "acme", status=1)
    assert "ok    Acme: reachable and knows the client" in output
    assert "FAIL  Acme: GET http://127.0.0.1:9/keys: " in output


def test_the_age_of_a_key_is_read_from_its_certificate(tmp_path):
    _context, path = certificate(tmp_path, days=9, since_days=40)
    der = x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(serialization.Encoding.DER)
    row = {"kty": "EC", "crv": "P-256", "x5c": [base64.b64encode(der).decode()]}
    age = age_days(row)
    assert age is not None
    assert round(age) == 40
    assert kind_of(row) == "EC P-256"
    odd: dict[str, Any]
    for odd in ({"x5c": [1]}, {"x5c": ["é"]}, {"x5c": ["AAAA"]}, {"iat": "soon"}, {"nbf": []}, {}):
        assert age_days(odd) is None


def test_the_doctor_makes_a_client_secret_of_apples_key(make_site):
    site = make_site(look_alikes=("apple",))
    assert "client secrets can be signed with key" in lines(site, "apple")
    assert "each is valid for 3600 seconds" in lines(site, "apple")


def test_one_provider_is_checked_alone(site):
    output = lines(site, "github")
    assert "Google" not in output
    assert "Database" not in output
    assert "ok    Firebase: its keys can be read" in lines(site, "firebase")
    result = run(site, "providers", "check", "nobody")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nobody is not on. There are: google, facebook, github, firebase." in result.stderr


# This server.


def test_the_doctor_reports_passed_checks(make_site):
    output = lines(make_site(SECRET_KEY=GOOD_KEY))
    assert "ok    Database: sqlite, reachable, and its schema is up to date" in output
    assert "ok    Secret key: SECRET_KEY is long and random enough" in output
    assert "FAIL" not in output


def test_the_doctor_checks_postgresql(make_site):
    assert "ok    Database: postgresql, reachable" in lines(make_site("postgresql"))


def test_an_unusable_database_is_one_failure_among_the_other_checks(site):
    site.execute("UPDATE alembic_version SET version_num = '0001'")
    output = lines(site, status=1)
    assert "FAIL  Database: The database's schema is not up to date. Run:" in output
    assert "ok    Google: reachable" in output
    site.restart(DATABASE_URL="postgresql://quickstep:hidden@127.0.0.1:9/x")
    output = lines(site, status=1)
    assert "FAIL  Database: The database cannot be reached" in output
    assert "hidden" not in output


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY has fewer than 32 characters"),
        ({"SECRET_KEY": "ab" * 30}, "SECRET_KEY repeats a few characters"),
        ({"SECRET_KEY": SECRET_KEY}, "SECRET_KEY looks like an example"),
        ({"TOKEN_ENCRYPTION_KEYS": f"{GOOD_KEY},x"}, "TOKEN_ENCRYPTION_KEYS, no. 2, has fewer"),
        ({"SECRET_KEY_FALLBACKS": "y"}, "SECRET_KEY_FALLBACKS, no. 1, has fewer"),
        ({"TRUSTED_PROXIES": "1"}, "visitors choose their address; set it to 0"),
        ({"DEMO": "1"}, "Demo mode: the people are invented"),
        ({"FIREBASE_AUTH_EMULATOR_HOST": "127.0.0.1:9099"}, "unsigned tokens are accepted"),
        ({"PUBLIC_URL": "https://localhost:9"}, "TRUSTED_PROXIES is 0: if a proxy terminates TLS"),
    ],
)
def test_settings_that_could_be_better_are_warnings(make_site, settings, said):
    output = lines(make_site(**{"SECRET_KEY": GOOD_KEY, **settings}))
    (line,) = [each for each in output.splitlines() if said in each]
    assert line.startswith("warn")
    assert not [
        value
        for name, value in settings.items()
        if "_KEY" in name and len(value) > 5 and value in output
    ]


def test_the_doctor_reports_a_database_that_other_users_can_read():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "quickstep.sqlite"
        path.touch(0o644)
        path.chmod(0o644)
        assert check_server.check_file_mode(path) == []  # nobody else comes into the folder
        Path(folder).chmod(0o755)
        (finding,) = check_server.check_file_mode(path)
        assert finding.level == "warn"
        assert f"Run: chmod 600 {path}*" in finding.message
        path.chmod(0o600)
        assert check_server.check_file_mode(path) == []


def test_the_doctor_reports_a_key_file_that_other_users_can_read(tmp_path):
    path = tmp_path / "secret_key"
    path.touch(0o600)
    assert check_server.check_key_file(path).level == "ok"
    path.chmod(0o640)
    finding = check_server.check_key_file(path)
    assert finding.level == "warn"
    assert f"Run: chmod 600 {path}" in finding.message


def test_the_doctor_advises_a_prefixed_session_cookie(make_site):
    url = "https://localhost:9"
    site = make_site(look_alikes=("google",), PUBLIC_URL=url)
    assert "ok    Session cookie: __Host-session cannot be" in lines(site)
    site.restart(SESSION_COOKIE_NAME="session")
    assert "can plant a cookie named session; remove SESSION_COOKIE_NAME" in lines(site)
    site.restart(GOOGLE_MOBILE_CLIENT_IDS="an-app")
    assert "ok    Session cookie: named session, which apps may look for" in lines(site)


def test_the_doctor_reports_a_disk_that_fills_up(site, monkeypatch):
    monkeypatch.setattr(check_server, "FREE_WARN_BYTES", 2**60)
    assert "warn  Disk: only " in lines(site)
    monkeypatch.setattr(check_server, "FREE_FAIL_BYTES", 2**60)
    assert "FAIL  Disk: only " in lines(site, status=1)


def test_the_doctor_reports_sqlite_on_a_network_filesystem(site, monkeypatch, tmp_path):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        f"2 1 0:44 / {tmp_path} rw,relatime shared:1 - nfs4 files:/srv rw\n"
        "3 1 0:45 / /elsewhere rw - tmpfs tmpfs rw\n"
    )
    monkeypatch.setattr(check_server, "MOUNTS", mounts)
    assert "warn  SQLite: its file is on a network filesystem (nfs4)" in lines(site)
    mounts.write_text("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n")
    assert "ok    SQLite: its file is on a local disk" in lines(site)


def test_the_doctor_prints_one_json_document(make_site):
    site = make_site(GITHUB_CLIENT_SECRET="wrong")
    result = run(site, "providers", "check", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["level"] == "fail"
    assert {"about", "check", "level", "message"} <= document["items"][0].keys()
    assert {
        (item["about"], item["level"]) for item in document["items"] if item["level"] == "fail"
    } == {("github", "fail")}
    listed = json.loads(run(site, "providers", "list", "--json").stdout)
    google = next(item for item in listed["items"] if item["name"] == "google")
    assert google["on"] is True
    assert google["redirect_uri"] == f"{site.url}/login/google/authorized"
