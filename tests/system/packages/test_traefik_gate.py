"""Traefik's files for a gate: the names and values that its documentation has. No test runs it."""

from typing import Any

import pytest
import yaml

from tests.system.packages.fronts import DEPLOY

NAMES = ("User", "Email", "Name", "Groups", "Provider", "Assertion")


@pytest.fixture
def http() -> Any:
    (document,) = yaml.safe_load_all((DEPLOY / "traefik" / "gate.yaml").read_text())
    assert list(document) == ["http"]
    return document["http"]


@pytest.fixture
def static() -> Any:
    return yaml.safe_load((DEPLOY / "traefik" / "traefik.yaml").read_text())


def test_every_router_asks_and_first_removes_what_visitors_claim(http):
    for router in http["routers"].values():
        assert router["middlewares"] == ["wiki-visitors", "wiki-gate"]
        assert set(router["middlewares"]) <= set(http["middlewares"])
        assert router["service"] in http["services"]
        assert "Host(`wiki.example.org`)" in router["rule"]


def test_all_identity_headers_are_replaced(http):
    gate = http["middlewares"]["wiki-gate"]["forwardAuth"]
    assert gate["address"].endswith("/forward-auth/wiki")
    assert gate["authResponseHeaders"] == [f"X-Auth-Request-{name}" for name in NAMES]
    assert gate["trustForwardHeader"] is False
    assert gate["maxResponseBodySize"] > 0
    removed = http["middlewares"]["wiki-visitors"]["headers"]["customRequestHeaders"]
    assert set(removed.values()) == {""}
    assert {"X-Original-URL", "X-Original-Method"} <= set(removed)


def test_names_that_applications_take_for_ours_do_not_come_in(static, http):
    for entry_point in static["entryPoints"].values():
        assert entry_point["http"]["aliasHeadersStrategy"] == "delete"
        assert "forwardedHeaders" not in entry_point
    for router in http["routers"].values():
        assert set(router["entryPoints"]) <= set(static["entryPoints"])


def test_the_probe_takes_the_way_of_the_application(http):
    routers, services = http["routers"], http["services"]
    assert "Path(`/.quickstep/probe`)" in routers["wiki-probe"]["rule"]
    (server,) = services[routers["wiki-probe"]["service"]]["loadBalancer"]["servers"]
    assert server["url"].endswith(":8099")
