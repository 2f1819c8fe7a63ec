"""The parts of the benchmark still work together; no figure is asserted."""

import asyncio
import shutil

import pytest

from bench import certificates, gate, openid, people, report, servers
from bench.admin import ADMINISTRATOR, Admin
from bench.browser import Connection, check, sign_in
from bench.results import Results


@pytest.fixture
def provider(tmp_path):
    made = certificates.make(tmp_path)
    with servers.Provider(made.server) as provider:
        yield provider, made.bundle


def test_a_benchmark_sign_in_ends_as_the_right_user(provider, template, tmp_path):
    look_alike, bundle = provider
    shutil.copy(template, tmp_path / "ours.sqlite")
    url = f"sqlite:///{tmp_path}/ours.sqlite"

    async def visit(server):
        connection = Connection(server.port)
        for name in server.providers:
            done = await sign_in(connection, name, "42")
            await check(connection, done, server.me)
            assert (done.error, done.is_wrong) == ("", False)
        done.person = "43"
        await check(connection, done, server.me)
        assert done.is_wrong, "the check tells one person from another"
        connection.close()

    with servers.ours(look_alike, bundle, url, tmp_path / "log") as server:
        asyncio.run(visit(server))  # type: ignore[no-untyped-call]
        assert server.cpu() > 0
        assert len(server.memory("Rss")) > servers.WORKERS
    assert look_alike.control("/")["requests"] >= 2 + 1 + 3 + 2, "it was asked over TLS"


def test_a_benchmark_application_gate_and_administrator_are_let_in(provider, template, tmp_path):
    look_alike, bundle = provider
    shutil.copy(template, tmp_path / "ours.sqlite")
    url = f"sqlite:///{tmp_path}/ours.sqlite"
    people.seed(url, 30, look_alike.url("openid"))
    results = Results()
    measure = openid.OpenID(results, lambda _number: 2)
    with (
        servers.ours(look_alike, bundle, url, tmp_path / "log") as ours,
        servers.empty(tmp_path) as empty,
    ):
        asyncio.run(measure.round(list(openid.PARTS), ours, empty))
        asyncio.run(gate.Gate(results, lambda _number: 2).round(list(gate.PARTS), ours, empty))
        servers.run_command(ours, "users", "admin", f"google:{ADMINISTRATOR}")
        asyncio.run(Admin(results, 1).measure(ours, 1000))
    measured = {figure for figure, by_server in results.values.items() if len(by_server) == 2}
    known = {each[2] for each in report.FIGURES}
    assert measured <= known
    assert {"authorize_token_rs256_ms", "refresh_es256_ms", "jwks_ms"} <= measured
    assert {"gate_ms", "gate_session_ms"} <= measured
    assert {"admin_1000_median_ms", "admin_1000_p95_ms"} <= set(results.values) & known
    assert not any(results.errors.values()), results.errors


def test_the_table_compares_ours_with_the_stock_app_and_the_empty_view():
    results = Results()
    for server, value in (("ours", 1.0), ("stock", 20.0), ("empty", 0.5)):
        results.add("visit_1_ms", server, value)
    lines = report.markdown(report.rows(results, "ours")).splitlines()
    assert lines[2].startswith("| CPU of a visit, one visitor |")
    assert lines[2].endswith("| 1.00 ms | 20.0 ms | 0.50 ms | 0.05 | 2.00 |")
    assert {line.count("|") for line in lines} == {len(report.HEADINGS) + 1}
