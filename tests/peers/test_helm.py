"""The chart renders by Helm's own library, is valid by Kubernetes' schemas, and gives a container what it needs."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from onefold.settings import ROOT
from tests.peers.environment import HERE, environment

pytestmark = pytest.mark.peers
CHART = ROOT / "deploy" / "helm" / "onefold"
VERSIONS = ("1.29", "1.33", "1.37")
EXECUTORS = ("LocalExecutor", "CeleryExecutor", "KubernetesExecutor")
DIGEST = "sha256:" + "0" * 64
Manifest = dict[str, Any]


def run(folder: Path, values: object) -> subprocess.CompletedProcess[str]:
    path = folder / "values.json"
    path.write_text(json.dumps(values))
    program = environment("helm") / "python"
    command = [program, HERE / "helm_chart.py", CHART, path, *VERSIONS]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def rendered(folder: Path, executor: str, **more: object) -> list[Manifest]:
    on = {name: {"enabled": True} for name in ("hooks", "api")}
    done = run(folder, {"executor": executor, "image": {"digest": DIGEST}, "services": on, **more})
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout)
    assert [each["error"] for each in said["lint"]["messages"]] == ["icon is recommended"]
    return list(said["manifests"])


@pytest.fixture(scope="module", params=EXECUTORS)
def manifests(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Manifest]:
    """All that the chart makes, valid for each of VERSIONS, as the fixture before has required."""
    return rendered(tmp_path_factory.mktemp("helm"), request.param)


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    """The specification of each pod, by the name of what makes it."""
    return {
        each["metadata"]["name"].removeprefix("onefold-"): each["spec"]["template"]["spec"]
        for each in manifests
        if each["kind"] in ("Deployment", "Job")
    }


def test_every_pod_is_hardened_limited_and_watched(manifests: list[Manifest]) -> None:
    found = pods(manifests)
    assert set(found) == {"metrics", "hooks", "api", "watchdog", "databases"}
    for name, pod in found.items():
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True and pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True and context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert container["image"].endswith(f"@{DIGEST}")
            assert set(container["resources"]) == {"requests", "limits"} and container["resources"]["limits"]["memory"]
            probes = {"startupProbe", "livenessProbe", "readinessProbe"} & set(container)
            assert len(probes) == (0 if name == "databases" else 3)


def test_secrets_are_named_and_never_made_and_a_container_has_only_its_own(manifests: list[Manifest]) -> None:
    """Each is a file that bin/make-secrets writes, and the same ones as in docker-compose.yml."""
    assert not [each for each in manifests if each["kind"] == "Secret"]
    made = (ROOT / "bin" / "make-secrets").read_text()
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for name, pod in pods(manifests).items():
        (container,) = pod["containers"]
        assert "secretKeyRef" not in json.dumps(container)
        (mounted,) = (each["secret"]["items"] for each in pod["volumes"] if each["name"] == "secrets")
        files = {each["key"] for each in mounted}
        assert {key for key in files if not re.search(rf"\b{key}\b", made)} == set()
        named = {each["value"] for each in container["env"] if each["name"].endswith("_FILE")}
        assert named == {f"/run/secrets/{key}" for key in files}
        if name in ("metrics", "hooks", "api"):
            assert files == set(compose[name]["secrets"])


def test_each_service_runs_what_its_container_in_docker_compose_runs(manifests: list[Manifest]) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for name, pod in pods(manifests).items():
        (container,) = pod["containers"]
        assert container["command"] == ["dumb-init", "--"]
        if name in compose:
            assert container["args"] == compose[name]["command"]
        if "ports" in container:
            (port,) = container["ports"]
            assert compose[name]["ports"] == [f"127.0.0.1:{port['containerPort']}:{port['containerPort']}"]
            assert container["args"][-1] == str(port["containerPort"])
            assert compose[name]["healthcheck"]["test"][-1].endswith(container["readinessProbe"]["httpGet"]["path"])
    api = {each["mountPath"]: each for each in pods(manifests)["api"]["containers"][0]["volumeMounts"]}
    assert api["/opt/onefold/.onefold/privacy"]["readOnly"] is True


def test_every_pod_has_a_policy_of_the_network_that_names_whom_it_may_reach(tmp_path: Path) -> None:
    for executor in EXECUTORS:
        found = {
            each["metadata"]["name"].removeprefix("onefold-"): each["spec"]
            for each in rendered(tmp_path, executor)
            if each["kind"] == "NetworkPolicy"
        }
        assert all(each["policyTypes"] == ["Ingress", "Egress"] for each in found.values())
        assert set(found) >= {"metrics", "hooks", "api", "watchdog", "airflow-scheduler", "airflow-api-server"}
        reach = {name: {port["port"] for to in each["egress"] for port in to["ports"]} for name, each in found.items()}
        assert reach["metrics"] == reach["hooks"] == {53, 5432} and found["metrics"]["ingress"] == []
        assert reach["api"] == {53, 5432, 443}
        assert reach["airflow-dag-processor"] == {53, 5432, 8080}
        assert ("airflow-worker" in reach) == (executor != "LocalExecutor")
        asks_systems = "airflow-scheduler" if executor == "LocalExecutor" else "airflow-worker"
        assert 443 in reach[asks_systems] and 443 in reach["airflow-triggerer"]
        assert (6379 in reach["airflow-scheduler"]) == (executor == "CeleryExecutor")
        assert (6443 in reach["airflow-scheduler"]) == (executor == "KubernetesExecutor")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "image/digest"),
        ({"image": {"digest": DIGEST}, "executor": "SequentialExecutor"}, "executor"),
        ({"image": {"digest": DIGEST}, "service": {}}, "service"),
    ],
    ids=["an image without a digest", "an executor that there is not", "a value that nothing reads"],
)
def test_values_that_cannot_be_right_are_refused(tmp_path: Path, values: object, said: str) -> None:
    done = run(tmp_path, values)
    assert done.returncode != 0 and said in done.stderr
