"""Alert rules and dashboard of deploy/: what promtool says, and what a Prometheus server that
scrapes us has for each."""

import json
import math
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from telemetry import metrics, reference
from tests.missing import lack
from tests.prepare import find
from tests.processes import free_port, until
from tests.site import Site
from tests.system.packages.fronts import Program

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy" / "prometheus" / "quickstep.rules.yaml"
SCENARIOS = Path(__file__).with_name("alerts.yaml")
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "quickstep.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]
PAGE = (ROOT / "docs" / "operate" / "watching.md").read_text()
ALERTS = {
    rule["alert"]: rule
    for group in yaml.safe_load(RULES.read_text())["groups"]
    for rule in group["rules"]
}
TOKEN = "a token for scrapers"
# Added by Prometheus, or by a histogram.
OF_PROMETHEUS = {"job", "instance", "le"}


def promtool(*arguments: str) -> str:
    path = find("promtool")
    if path is None:
        lack("promtool (apt-get install prometheus)")
    result = subprocess.run(
        [path, *arguments], check=False, capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_promtool_accepts_the_alert_rules():
    assert f"{len(ALERTS)} rules found" in promtool("check", "rules", str(RULES))


def test_each_alert_fires_when_it_should_and_only_then():
    promtool("test", "rules", str(SCENARIOS))


def test_there_is_a_scenario_for_each_alert_firing_and_not_firing():
    cases = [
        (case["alertname"], bool(case["exp_alerts"]))
        for test in yaml.safe_load(SCENARIOS.read_text())["tests"]
        for case in test["alert_rule_test"]
    ]
    assert {name for name, fires in cases if fires} == set(ALERTS)
    assert {name for name, fires in cases if not fires} == set(ALERTS)


def test_the_page_has_a_row_for_each_alert_with_its_severity():
    rows = re.findall(r"^\| `(Quickstep\w+)` \| (\w+) \|", PAGE, re.MULTILINE)
    assert dict(rows) == {name: rule["labels"]["severity"] for name, rule in ALERTS.items()}


@pytest.mark.parametrize(
    ("where", "query"),
    [*QUERIES, *((name, rule["expr"]) for name, rule in ALERTS.items())],
    ids=lambda value: value if len(value) < 40 else "",
)
def test_a_query_names_metrics_and_labels_that_exist(where, query):
    """A query of a metric that does not exist is no error: its panel is empty, its alert silent."""
    known = {name: (kind, set(labels)) for name, kind, labels, _meaning in reference.rows()}
    known["up"] = ("gauge", set())
    found = re.findall(r"\b(quickstep_\w+|up)\b(?:\{([^}]*)\})?", query)
    assert found, where
    labels: set[str] = set()
    for name, matchers in found:
        base = re.sub(r"_(bucket|count|sum)$", "", name)
        assert name in known or known.get(base, ("", 0))[0] == "histogram", name
        its = known[name if name in known else base][1]
        labels |= its
        used = set(re.findall(r"(\w+)(?:=~|!~|!=|=)", re.sub(r'"[^"]*"', '""', matchers)))
        assert used <= its | OF_PROMETHEUS, name
    for grouped in re.findall(r"by \(([^)]*)\)", query):
        assert {each.strip() for each in grouped.split(",")} <= labels | OF_PROMETHEUS, grouped


def test_the_panels_do_not_overlap_and_each_says_what_it_shows():
    covered: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not covered & cells, panel["title"]
        covered |= cells
        assert panel["title"]
    assert all(panel["description"].endswith(".") for panel in PANELS)
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))


def test_the_dashboard_is_bound_to_no_one_data_source():
    """Otherwise it would ask for somebody else's Prometheus after an import."""
    sources = {target["datasource"]["uid"] for panel in PANELS for target in panel["targets"]}
    assert sources == {"${datasource}"}
    names = [variable["name"] for variable in DASHBOARD["templating"]["list"]]
    assert names == ["datasource", "job"]
    assert all('job="$job"' in query for _title, query in QUERIES)


# A provider was asked between two scrapes.
ASKED = "sum(rate(quickstep_upstream_seconds_count[1m])) > 0"


class Prometheus:
    """A real server that scrapes a site every second."""

    def __init__(self, path: str, site: Site, folder: Path) -> None:
        port = free_port()
        self._url = f"http://127.0.0.1:{port}"
        token = folder / "token"
        token.write_text(TOKEN)
        target = site.url.removeprefix("http://")
        job: dict[str, Any] = {
            "job_name": "quickstep",
            "authorization": {"credentials_file": str(token)},
            "static_configs": [{"targets": [target]}],
        }
        settings = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES)],
            "scrape_configs": [job],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
        command = [
            path,
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        self.program = Program(command, port, folder / "prometheus.log", folder, {})

    def is_ready(self) -> bool:
        return requests.get(f"{self._url}/-/ready", timeout=30).ok

    def ask(self, path: str, **query: str) -> Any:
        answer = requests.get(f"{self._url}/api/v1/{path}", params=query, timeout=30).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def values(self, query: str) -> list[float]:
        """The values of a panel's query, now."""
        query = query.replace("$job", "quickstep").replace("$__rate_interval", "1m")
        return [float(one["value"][1]) for one in self.ask("query", query=query)["result"]]


@pytest.fixture
def prometheus(make_site, tmp_path) -> Iterator[Prometheus]:
    """After some use of the site: sign-ins, a refusal, an application's faulty request."""
    path = find("prometheus")
    if path is None:
        lack("prometheus (apt-get install prometheus)")
    # Counters live as long as the process; the refusals of earlier tests would fire an alert.
    metrics.REFUSALS.clear()
    site = make_site(METRICS_TOKEN=TOKEN)
    use(site)
    server = Prometheus(path, site, tmp_path)
    until(server.is_ready, "it does not start")
    until(lambda: server.values("quickstep_ready"), "it does not scrape")
    use(site)
    until(lambda: server.values(ASKED), "it stopped scraping")
    yield server
    server.program.stop()


def use(site: Site) -> None:
    ada = site.browser()
    ada.sign_in("google", "ada")
    site.browser().cancel("github")
    requests.post(f"{site.url}/oauth2/token", data={"grant_type": "none"}, timeout=30)


def test_every_panel_shows_data_of_a_server_that_is_used(prometheus):
    empty = [(title, query) for title, query in QUERIES if not prometheus.values(query)]
    assert empty == []
    query = dict(QUERIES)
    assert prometheus.values(query["Signing keys"]) == [1]
    assert prometheus.values(query["Accounts"]) == [1]
    # Providers that were not asked in this time have no quantile.
    all_times = prometheus.values(query["Response time of providers, 95th percentile"])
    times = [each for each in all_times if not math.isnan(each)]
    assert times
    assert 0 < min(times) < 5


def test_no_alert_fires_for_a_server_that_is_well(prometheus):
    groups = prometheus.ask("rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == set(ALERTS)
    assert {rule["name"]: rule["health"] for rule in rules if rule["health"] == "err"} == {}
    assert [rule["name"] for rule in rules if rule["state"] == "firing"] == []
