"""Prometheus metrics: the only door to prometheus_client.

Every label comes from the code or from the settings, never from a request, so strangers cannot make
the number of series grow. docs/reference/metrics.md has the table,
which is generated from the help texts here.

If PROMETHEUS_MULTIPROC_DIR is set before the first import (gunicorn.conf.py), the counts of all
processes are added up; otherwise they are this process's.
"""

import functools
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client import values as kinds_of_values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

VERSION = "0.1.0"
CONTENT_TYPE = CONTENT_TYPE_LATEST
# Whether the counts of several processes are kept in shared files.
IS_SHARED = bool(kinds_of_values.ValueClass._multiprocess)  # noqa: SLF001 (it says so nowhere else)

_ours = CollectorRegistry()
REQUESTS = Histogram(
    "quickstep_request_seconds",
    "Responses, by endpoint (a name in the code, such as login.choose or google.authorized; none "
    "for an unknown address) and class of status: 2xx to 5xx.",
    ["endpoint", "status"],
    registry=_ours,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 12, 30),
)
SIGN_INS = Counter(
    "quickstep_sign_ins",
    "How sign-ins and links ended: signed_in, created, joined, linked, merged, asked (a question "
    "was asked) or refused.",
    ["provider", "outcome"],
    registry=_ours,
)
REFUSALS = Counter(
    "quickstep_refusals",
    "Refusals of people and programs, by error code; provider none if none is involved.",
    ["provider", "reason"],
    registry=_ours,
)
APPS = Counter(
    "quickstep_app_requests",
    "Answers to applications, by endpoint and outcome: issued, or the name of the fault.",
    ["kind", "outcome"],
    registry=_ours,
)
GATES = Counter(
    "quickstep_gate_answers",
    "Answers to proxies, by gate and outcome: passed, begun (sent to sign in), entered (came back "
    "with a code) or refused. Applications on our own host have the gate PUBLIC_URL.",
    ["gate", "outcome"],
    registry=_ours,
)
NOTICES = Counter(
    "quickstep_notices",
    "Reports of providers, by kind and effect; effect refused if it did not prove itself, copy "
    "if it was taken before, unknown if it is about nobody here.",
    ["provider", "kind", "effect"],
    registry=_ours,
)
MAILS = Counter(
    "quickstep_mails",
    "Attempts to send a mail, by kind of mail and outcome: sent, postponed, undeliverable (the "
    "server refuses the address) or given_up.",
    ["kind", "outcome"],
    registry=_ours,
)
UPSTREAM = Histogram(
    "quickstep_upstream_seconds",
    "Calls to providers: 2xx to 5xx, timeout, unreachable, failed (not HTTP, or too large).",
    ["provider", "result"],
    registry=_ours,
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 12),
)
CONNECTIONS = Gauge(
    "quickstep_database_connections_in_use",
    "Database connections in use, in all processes.",
    registry=_ours,
    multiprocess_mode="livesum",
)
BUILD = {
    "version": VERSION,
    "python": platform.python_version(),
    "flask": metadata.version("flask"),
}


COUNTED = (REQUESTS, SIGN_INS, REFUSALS, APPS, GATES, NOTICES, MAILS, UPSTREAM, CONNECTIONS)
BUILD_INFO = "quickstep_build_info"
BUILD_MEANING = "Always 1; the labels say what runs."
# Gauges that are read at the time of the scrape; those of the database only while it is ready.
FACTS = {
    "quickstep_ready": "1 if /readyz returns 200; the metrics below exist only then.",
    "quickstep_users": "Accounts.",
    "quickstep_sessions": "Active sessions.",
    "quickstep_flows": "Open flows.",
    "quickstep_revocations_waiting": "Provider tokens still to be revoked.",
    "quickstep_revocations_oldest_seconds": "Age of the oldest of them, 0 if there is none.",
    "quickstep_logouts_waiting": "Applications still to be told of a sign-out.",
    "quickstep_logouts_oldest_seconds": "Age of the oldest of them, 0 if there is none.",
    "quickstep_mails_waiting": "Mails still to be sent.",
    "quickstep_mails_oldest_seconds": "Age of the oldest of them, 0 if there is none.",
    "quickstep_signing_key_readable": "1 if the keys that sign ID tokens open, 0 if they do not.",
    "quickstep_signing_key_age_seconds": "For how long the oldest of them has been the one that "
    "signs; keys are replaced after 90 days.",
}

# The children of the most frequent metrics, looked up once.
_requests = functools.cache(REQUESTS.labels)
_gates = functools.cache(GATES.labels)


def count_request(endpoint: str, status: str, seconds: float) -> None:
    """Count a request. ``status``: 2xx, 3xx, 4xx, 5xx."""
    _requests(endpoint, status).observe(seconds)


def count_sign_in(provider: str, outcome: str) -> None:
    """Count a sign-in: signed_in, created, joined, linked, merged, asked or refused."""
    SIGN_INS.labels(provider, outcome).inc()


def count_refusal(provider: str | None, reason: str) -> None:
    """Count a refusal. ``reason``: a code of errors.py."""
    REFUSALS.labels(provider or "none", reason).inc()


def count_app(kind: str, outcome: str) -> None:
    """Count an application's request. ``outcome``: issued, or the name of a fault."""
    APPS.labels(kind, outcome).inc()


def count_gate(gate: str, outcome: str) -> None:
    """Count an answer to a proxy. ``gate``: the name of one that exists, or PUBLIC_URL."""
    _gates(gate, outcome).inc()


def count_notice(provider: str, kind: str, effect: str) -> None:
    """Count what a provider reported. ``kind``: of inbox/notices.py; none if it was refused."""
    NOTICES.labels(provider, kind, effect).inc()


def count_mail(kind: str, outcome: str) -> None:
    """Count an attempt to send a mail. ``kind``: of notices/mails.py."""
    MAILS.labels(kind, outcome).inc()


class Call:
    """A request to a provider; ``result`` is set before it ends."""

    result = "failed"


@contextmanager
def upstream_call(provider: str) -> Iterator[Call]:
    """Time a request to a provider. Results: 2xx, 3xx, 4xx, 5xx, timeout, unreachable, failed."""
    call, began = Call(), time.perf_counter()
    try:
        yield call
    finally:
        UPSTREAM.labels(provider, call.result).observe(time.perf_counter() - began)


class _Facts(Collector):
    """Gauges that are read at the time of the scrape."""

    def __init__(self, facts: Mapping[str, float]) -> None:
        self._facts = facts

    def collect(self) -> Iterator[GaugeMetricFamily]:
        build = GaugeMetricFamily(BUILD_INFO, BUILD_MEANING, labels=list(BUILD))
        build.add_metric(list(BUILD.values()), 1)
        yield build
        for name, value in self._facts.items():
            yield GaugeMetricFamily(name, FACTS[name], value)


def exposition(facts: Mapping[str, float]) -> bytes:
    """Return all metrics in Prometheus' text format. ``facts``: values of FACTS."""
    now = CollectorRegistry()
    now.register(_Facts(facts))
    counted = _ours
    if IS_SHARED:
        counted = CollectorRegistry()
        MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    return generate_latest(counted) + generate_latest(now)


def forget_process(pid: int) -> None:
    """Drop the gauges of a process that ended. Its counts stay."""
    if IS_SHARED:
        mark_process_dead(pid)  # type: ignore[no-untyped-call]
