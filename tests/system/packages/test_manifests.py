"""Compose, Kubernetes, systemd: what their own checkers say, and what is promised of each."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER

from config.settings import Settings
from tests.missing import lack

ROOT = Path(__file__).parents[3]
KUBERNETES = ROOT / "deploy" / "kubernetes"
UNIT = ROOT / "deploy" / "systemd" / "quickstep.service"
MANIFESTS = sorted(path for path in KUBERNETES.glob("*.yaml") if path.name != "kustomization.yaml")
OURS = {field.upper() for field in Settings.model_fields}


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    (found,) = documents(ROOT / "compose.yaml")
    return found


# Compose.


def test_nothing_in_compose_can_do_more_than_it_must(compose):
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        assert "mem_limit" in service, name


def test_only_the_proxy_of_the_machine_reaches_the_server_and_nobody_the_rest(compose):
    ports = {name: one.get("ports") for name, one in compose["services"].items()}
    assert ports.pop("quickstep") == ["127.0.0.1:8000:8000"]
    assert not any(ports.values())
    assert compose["networks"]["back"] == {"internal": True}
    for name in ("db", "redis", "migrate"):
        assert compose["services"][name]["networks"] == ["back"]


def test_the_server_waits_for_the_schema_and_the_schema_for_the_database(compose):
    services = compose["services"]
    after = {name: one.get("depends_on", {}) for name, one in services.items()}
    assert after["quickstep"]["migrate"] == {"condition": "service_completed_successfully"}
    assert after["quickstep"]["redis"] == {"condition": "service_healthy"}
    assert after["migrate"]["db"] == {"condition": "service_healthy"}
    assert services["migrate"]["command"] == ["migrate"]
    assert "healthcheck" in services["db"]
    assert "healthcheck" in services["redis"]


def test_the_server_may_open_files_for_many_connections(compose):
    assert compose["services"]["quickstep"]["ulimits"] == {"nofile": 16384}
    assert "\nLimitNOFILE=16384\n" in UNIT.read_text()


def test_secrets_are_files_and_the_settings_are_ours(compose):
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if name.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in service["secrets"]
        assert set(service.get("secrets", [])) <= set(compose["secrets"])
    ours = {name.removesuffix("_FILE") for name in compose["services"]["quickstep"]["environment"]}
    assert ours <= OURS
    assert "secrets/" in (ROOT / ".gitignore").read_text().splitlines()


# Kubernetes.


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_manifests_are_what_kubernetes_takes(path):
    for document in documents(path):
        if not document["apiVersion"].startswith("traefik.io/"):  # Traefik's own kinds
            kubernetes_validate.validate(document, "1.37", strict=True)


def test_the_ingress_passes_on_whole_requests_and_closes_idle_connections_first():
    (ingress,) = documents(KUBERNETES / "ingress.yaml")
    (service,) = documents(KUBERNETES / "service.yaml")
    middleware, transport = documents(KUBERNETES / "traefik.yaml")
    annotations = ingress["metadata"]["annotations"] | service["metadata"]["annotations"]
    prefix = "traefik.ingress.kubernetes.io"
    named = annotations[f"{prefix}/router.middlewares"]
    assert named == f"login-{middleware['metadata']['name']}@kubernetescrd"
    buffering = middleware["spec"]["buffering"]
    assert buffering["memRequestBodyBytes"] == buffering["maxRequestBodyBytes"] > 0
    named = annotations[f"{prefix}/service.serverstransport"]
    assert named == f"login-{transport['metadata']['name']}@kubernetescrd"
    idle = transport["spec"]["forwardingTimeouts"]["idleConnTimeout"]
    assert int(idle.removesuffix("s")) < STOP_KEEPALIVE_LINGER
    assert annotations["nginx.ingress.kubernetes.io/proxy-request-buffering"] == "on"


def test_kustomize_finds_every_manifest():
    (kustomization,) = documents(KUBERNETES / "kustomization.yaml")
    left_out = {"secret.example.yaml", "autoscaler.yaml"}
    assert set(kustomization["resources"]) == {path.name for path in MANIFESTS} - left_out
    text = "".join(path.read_text() for path in MANIFESTS)
    assert "namespace:" not in text
    assert "<<:" not in text  # which kustomize does not read


def pods() -> dict[str, dict[str, Any]]:
    found = [document for path in MANIFESTS for document in documents(path)]
    return {
        each["kind"]: each["spec"]["template"]
        for each in found
        if each["kind"] in ("Deployment", "Job")
    }


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_pods_are_nobody_and_can_write_nothing_but_tmp(kind):
    spec = pods()[kind]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [each["mountPath"] for each in container["volumeMounts"]] == ["/tmp"]
    assert container["resources"]["limits"]["memory"]
    assert container["resources"]["requests"]["memory"]


def test_an_update_goes_on_serving():
    (deployment,) = documents(KUBERNETES / "deployment.yaml")
    spec = deployment["spec"]
    assert spec["replicas"] >= 2
    assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    pod = spec["template"]["spec"]
    (server,) = pod["containers"]
    assert server["readinessProbe"]["httpGet"]["path"] == "/readyz"
    # A database that is away must not have every pod restarted.
    assert server["livenessProbe"]["httpGet"]["path"] == "/livez"
    slept = server["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] >= slept + 30


def test_every_selector_finds_the_pods_of_the_server_only():
    pod_labels = {kind: template["metadata"]["labels"] for kind, template in pods().items()}
    selectors = []
    for path in MANIFESTS:
        for document in documents(path):
            spec = document.get("spec", {})
            if document["kind"] == "Service":
                selectors.append(spec["selector"])
            elif document["kind"] in ("Deployment", "PodDisruptionBudget"):
                selectors.append(spec["selector"]["matchLabels"])
    assert len(selectors) == 3
    for selector in selectors:
        assert selector.items() <= pod_labels["Deployment"].items()
        assert not selector.items() <= pod_labels["Job"].items()


def test_settings_of_the_manifests_are_ours():
    names: set[str] = set()
    for name, key in (("config.yaml", "data"), ("secret.example.yaml", "stringData")):
        (document,) = documents(KUBERNETES / name)
        names |= set(document[key])
    assert {name for name in names if not name.startswith("GOOGLE_")} <= OURS


# systemd.


def test_systemd_understands_the_unit(tmp_path):
    if shutil.which("systemd-analyze") is None:
        lack("systemd-analyze (Debian: systemd)")
    text = UNIT.read_text().replace("/opt/quickstep/.venv/bin/python", "/bin/true")
    (tmp_path / UNIT.name).write_text(text)
    socket = UNIT.with_suffix(".socket")
    (tmp_path / socket.name).write_text(socket.read_text())
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / UNIT.name)]
    end = subprocess.run(command, capture_output=True, text=True, check=False)
    ours = [line for line in end.stderr.splitlines() if "quickstep" in line]
    assert (end.returncode, ours) == (0, [])


def test_systemd_finds_the_service_well_locked_up():
    if shutil.which("systemd-analyze") is None:
        lack("systemd-analyze (Debian: systemd)")
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(UNIT)]
    end = subprocess.run(command, capture_output=True, text=True, check=False)
    assert end.returncode == 0, end.stdout
    level = re.search(r"exposure level for quickstep.service: ([\d.]+)", end.stdout)
    assert level
    assert float(level[1]) <= 2
