"""/metrics: access, and what is counted."""

import re
from datetime import timedelta

import pytest
import requests
from sqlalchemy import create_engine, text, update
from sqlalchemy.pool import NullPool

import config
from errors import SettingsError
from issuer.models import LogoutRow, SigningKeyRow
from storage import Base, atomic, db, now
from tests.issuer.relying_party import App
from tests.site import Site
from tests.web.test_limits import bogus_code
from vault.models import Revocation

TOKEN = "a token for scrapers"


def scrape(site: Site, **headers: str) -> requests.Response:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.get(f"{site.url}/metrics", headers=headers, timeout=30)


def series(site: Site) -> dict[str, float]:
    """Samples by name and labels, without buckets."""
    lines = scrape(site, Authorization=f"Bearer {TOKEN}").text.splitlines()
    found = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in found if "_bucket{" not in name}


class Counts:
    """The increase since its creation; the tests of a run share one process and its counts."""

    def __init__(self, site: Site) -> None:
        self._site, self._before = site, series(site)

    def __getitem__(self, name: str) -> float:
        return series(self._site).get(name, 0) - self._before.get(name, 0)

    def new(self) -> set[str]:
        return set(series(self._site)) - set(self._before)


@atomic
def add(*rows: Base) -> None:
    db.session.add_all(rows)


@atomic
def make_keys_older(than: timedelta) -> None:
    db.session.execute(update(SigningKeyRow).values(active_from=now() - than))


@pytest.fixture
def counts(site: Site) -> Counts:
    return Counts(site)


def test_metrics_can_be_read_from_this_machine(site):
    answer = scrape(site)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert "quickstep_build_info{" in answer.text
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"X-Real-IP": "192.0.2.1"},
        {"Host": "rebound.example.org"},
    ],
    ids=str,
)
def test_metrics_cannot_be_read_from_elsewhere(site, headers):
    """A proxy's requests come from this machine too, and so do those of a page whose host name
    resolves to it."""
    assert requests.get(f"{site.url}/metrics", headers=headers, timeout=30).status_code == 404


def test_behind_a_proxy_a_loopback_address_does_not_open_the_metrics(make_site):
    site = make_site(TRUSTED_PROXIES="1")
    assert scrape(site).status_code == 404
    assert scrape(site, X_Forwarded_For="127.0.0.1").status_code == 404


def test_the_metrics_token_opens_the_metrics_from_anywhere(make_site):
    site = make_site(TRUSTED_PROXIES="1", METRICS_TOKEN=TOKEN)
    good = scrape(site, Authorization=f"Bearer {TOKEN}", X_Forwarded_For="203.0.113.9")
    assert good.status_code == 200
    for wrong in ("", "Bearer", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer é"):
        answer = requests.get(
            f"{site.url}/metrics", headers={"Authorization": wrong.encode()}, timeout=30
        )
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert "quickstep" not in answer.text
    assert requests.get(f"{site.url}/metrics?token={TOKEN}", timeout=30).status_code == 401


def test_sign_ins_are_counted_by_outcome(site, counts):
    ada = site.browser()
    ada.sign_in("google", "ada")
    ada.sign_in("google", "ada")
    ada.link("github", "ada")
    site.browser().sign_in("google", "grace")
    site.browser().sign_in("github", "grace")
    site.browser().cancel("github")
    name = 'quickstep_sign_ins_total{{outcome="{}",provider="{}"}}'.format
    assert counts[name("created", "google")] == 2
    assert counts[name("signed_in", "google")] == 1
    assert counts[name("linked", "github")] == 1
    assert counts[name("asked", "github")] == 1
    assert counts[name("refused", "github")] == 1
    assert counts['quickstep_refusals_total{provider="github",reason="cancelled"}'] == 1


def test_calls_to_providers_are_timed_by_outcome(make_site):
    site = make_site(FACEBOOK_TOKEN_URL="http://127.0.0.1:9/token")
    counts = Counts(site)
    site.browser().sign_in("google", "ada")
    assert bogus_code(site.browser()) == 502
    site.browser().sign_in("facebook", "ada")
    name = 'quickstep_upstream_seconds_count{{provider="{}",result="{}"}}'.format
    assert counts[name("google", "2xx")] >= 2
    assert counts[name("github", "4xx")] + counts[name("github", "2xx")] == 1
    assert counts[name("facebook", "unreachable")] == 1


def test_responses_are_timed_by_endpoint(site, counts):
    requests.get(f"{site.url}/login", timeout=30)
    requests.get(f"{site.url}/nowhere", timeout=30)
    name = 'quickstep_request_seconds_count{{endpoint="{}",status="{}"}}'.format
    assert counts[name("login.choose", "2xx")] == 1
    assert counts[name("none", "4xx")] == 1


def test_gauges_show_current_users_sessions_and_queues(site):
    browser = site.browser()
    browser.sign_in("google", "ada")
    site.browser().begin("github")
    found = series(site)
    assert found["quickstep_users"] == 1
    assert found["quickstep_sessions"] == 1
    assert found["quickstep_flows"] == 1
    assert found["quickstep_revocations_waiting"] == 0
    assert found["quickstep_logouts_waiting"] == 0
    assert found["quickstep_database_connections_in_use"] == 0


def test_gauges_show_how_old_the_oldest_row_of_each_outbox_is(site):
    assert series(site)["quickstep_revocations_oldest_seconds"] == 0
    assert series(site)["quickstep_logouts_oldest_seconds"] == 0
    client_id = App(site).client_id
    for hours in (3, 1):
        when = {"created_at": now() - timedelta(hours=hours), "due_at": now() + timedelta(days=1)}
        revocation = Revocation(provider="google", issuer="one", sealed="nothing", **when)
        site.inside(add, revocation, LogoutRow(client_id=client_id, sub="ada", **when))
    found = series(site)
    for outbox in ("revocations", "logouts"):
        assert found[f"quickstep_{outbox}_waiting"] == 2
        assert 10_800 <= found[f"quickstep_{outbox}_oldest_seconds"] < 10_900


def test_gauges_show_whether_the_signing_keys_open_and_their_age(site):
    requests.get(f"{site.url}/oauth2/jwks", timeout=30)
    site.inside(make_keys_older, timedelta(days=40))
    found = series(site)
    assert found["quickstep_signing_key_readable"] == 1
    assert 40 * 86_400 <= found["quickstep_signing_key_age_seconds"] < 40 * 86_400 + 100
    site.restart(SECRET_KEY="another key of the same length or so")
    found = series(site)
    assert found["quickstep_ready"] == 1
    assert found["quickstep_signing_key_readable"] == 0


def test_metrics_are_served_while_the_database_is_unreachable(make_site, postgres_server):
    """That is when they are needed. A failed attempt is not a connection in use."""
    site = make_site("postgresql")
    assert series(site)["quickstep_ready"] == 1
    name = site.rows("SELECT current_database()")[0][0]
    engine = create_engine(postgres_server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    for _ in range(3):
        assert site.browser().fetch("/login/github").status == 503
    found = series(site)
    assert found["quickstep_ready"] == 0
    assert found["quickstep_database_connections_in_use"] == 0
    assert "quickstep_users" not in found


def test_no_client_supplied_text_becomes_a_metric_label(site, counts):
    """Otherwise a client could fill our memory and the Prometheus server's."""
    browser = site.browser()
    state = re.search(r"state=([^&]+)", browser.begin("github"))
    assert state
    for path in (
        "/evil-path",
        "/login/evil-provider",
        "/login/evil-provider/authorized",
        f"/login/github/authorized?state={state[1]}&error=evil-error",
        "/login/google/authorized?state=evil-state",
        "/api/v1/evil",
        "/static/evil.css",
        "/account/unlink/evil",
    ):
        browser.fetch(path)
        browser.fetch(path, "POST", data={"csrf_token": "evil-token"})
        requests.request("EVIL", site.url + path, headers={"Host": "evil"}, timeout=30)
    assert not [name for name in series(site) if "evil" in name.lower()]
    labels = {key for name in counts.new() for key in re.findall(r'(\w+)="', name)}
    assert labels <= {"endpoint", "status", "provider", "reason", "outcome", "result"}


def test_a_short_metrics_token_is_refused_at_start():
    with pytest.raises(SettingsError, match="METRICS_TOKEN"):
        config.load([], {"METRICS_TOKEN": "short"}, None)
