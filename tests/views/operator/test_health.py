"""/livez, /healthz and /readyz: the responses to probes."""

import socket
from collections.abc import Iterator

import pytest
import requests

from tests.site import Site


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield listener.getsockname()[1]


def ready(site: Site) -> tuple[int, dict[str, str]]:
    answer = requests.get(f"{site.url}/readyz", timeout=30)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert ("Retry-After" in answer.headers) is (answer.status_code == 503)
    return answer.status_code, dict(line.split(": ", 1) for line in answer.text.splitlines())


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_healthy_server_is_live_and_ready(make_site, database):
    assert ready(make_site(database)) == (
        200,
        {"database": "ok", "schema": "ok", "signing_key": "ok"},
    )


@pytest.mark.parametrize("path", ["/livez", "/healthz", "/readyz"])
def test_probes_may_use_any_host_name_and_get_no_cookie(make_site, path):
    """A kubelet uses the pod's address."""
    site = make_site(DEMO="1")
    with requests.Session() as http:
        http.cookies.set("session", "whatever")
        for host in ("10.0.0.7:8000", "127.0.0.1", f"127.0.0.1:{site.url[-5:]}", "x"):
            headers = {"Host": host, "X-Forwarded-Proto": "https"}
            answer = http.get(f"{site.url}{path}", headers=headers, allow_redirects=False)
            assert answer.status_code == 200, (host, answer.text)
            assert "Set-Cookie" not in answer.headers
            assert http.head(site.url + path, headers=headers).status_code == 200


def test_probes_are_not_logged(make_site, capfd):
    site = make_site()
    capfd.readouterr()
    for path in ("/livez", "/readyz"):
        requests.get(site.url + path, timeout=30)
    assert not capfd.readouterr().err


def test_a_server_without_its_database_is_live_but_not_ready(make_site, capfd):
    """The response does not name the database; the log names the failure once."""
    site = make_site(DATABASE_URL="postgresql://me:never-shown@127.0.0.1:9/people")
    for _ in range(2):
        status, lines = ready(site)
        assert (status, lines["database"]) == (503, "OperationalError")
        assert set(lines) == {"database", "schema", "signing_key"}
    assert requests.get(f"{site.url}/livez", timeout=30).status_code == 200
    log = capfd.readouterr().err
    assert log.count("check=database") == 1
    assert "never-shown" not in log


def test_a_server_whose_database_hangs_is_not_ready_within_the_time_limit(make_site, black_hole):
    """The network drops packets, and the probe still gets a response."""
    site = make_site(DATABASE_URL=f"postgresql://me@127.0.0.1:{black_hole}/people")
    told = ""
    for _ in range(3):
        answer = requests.get(f"{site.url}/readyz", timeout=10)
        assert answer.status_code == 503
        told += answer.text
    assert "database: no answer within 2 seconds" in told


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_server_with_another_schema_version_is_not_ready(make_site, database):
    site = make_site(database)
    (known,) = site.rows("SELECT version_num FROM alembic_version")[0]
    site.execute("UPDATE alembic_version SET version_num = '0000'")
    status, lines = ready(site)
    assert status == 503
    assert lines["schema"] == f"is at 0000 and not at {known}: flask --app app db upgrade"
    site.execute("UPDATE alembic_version SET version_num = :known", known=known)
    assert ready(site)[0] == 200
    # The next release is starting alongside this server, and has migrated the schema first.
    site.execute("UPDATE alembic_version SET version_num = '9999'")
    assert ready(site)[0] == 200


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_server_with_an_empty_database_is_not_ready(make_site, database):
    site = make_site(database)
    site.execute("DROP TABLE alembic_version")
    status, lines = ready(site)
    assert status == 503
    assert lines["database"] == "ok"
    assert lines["schema"] == "there is none: flask --app app db upgrade"


def test_a_server_is_ready_again_after_its_connections_were_cut(make_site):
    """The database restarted; this server need not."""
    site = make_site("postgresql")
    browser = site.browser()
    browser.sign_in("google", "ada")
    assert ready(site)[0] == 200
    others = "datname = current_database() AND pid <> pg_backend_pid()"
    site.rows(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
    assert browser.get("/account").status == 200
    assert ready(site)[0] == 200
