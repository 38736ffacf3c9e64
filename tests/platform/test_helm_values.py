"""Our values for Airflow's official chart say what docker-compose.yml says. The chart is in no package registry: what
its own schema says of them `helm template` tells who installs it (docs/deploy.md)."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from airflow.configuration import conf

from onefold.orchestration.pools import POOLS
from onefold.settings import ROOT

AIRFLOW = ROOT / "deploy" / "helm" / "airflow"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
VALUES = yaml.safe_load((AIRFLOW / "values.yaml").read_text())
OURS = yaml.safe_load((ROOT / "deploy" / "helm" / "onefold" / "values.yaml").read_text())
# What the chart sets itself, or gives to each pod from the secrets that its values name.
OF_THE_CHART = re.compile(r"_CMD$|__EXECUTOR$|EXECUTION_API_SERVER_URL$")


def variables(given: list[dict[str, str]]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in given}


def test_each_component_has_the_settings_that_its_container_in_docker_compose_has() -> None:
    for name, given in (("worker", VALUES["env"]), ("api-server", VALUES["env"] + VALUES["apiServer"]["env"])):
        there = {key for key in COMPOSE[name]["environment"] if not OF_THE_CHART.search(key)} - {"DUMB_INIT_SETSID"}
        there -= set() if name == "api-server" else {key for key in there if "SIMPLE_AUTH" in key}
        assert set(variables(given)) == there, name
    same = variables(VALUES["env"])
    assert {key: COMPOSE["worker"]["environment"][key] for key in same if not key.endswith("_FILE")} == {
        key: value for key, value in same.items() if not key.endswith("_FILE")
    }
    for key in (each for each in same if each.startswith("AIRFLOW__")):
        section, option = key.lower().removeprefix("airflow__").split("__")
        assert option in conf.configuration_description[section]["options"]
    assert set(re.findall(r"airflow pools set (\w+) ", str(VALUES["migrateDatabaseJob"]))) == set(POOLS)


def test_every_file_that_a_variable_names_is_mounted_from_a_secret() -> None:
    def mounted(volumes: list[dict[str, Any]], mounts: list[dict[str, Any]]) -> set[str]:
        paths = {each["name"]: each["mountPath"] for each in mounts}
        return {
            f"{paths[volume['name']]}/{item['path']}"
            for volume in volumes
            for item in volume.get("secret", {}).get("items", [])
        }

    everywhere = mounted(VALUES["volumes"], VALUES["volumeMounts"])
    server = mounted(VALUES["apiServer"]["extraVolumes"], VALUES["apiServer"]["extraVolumeMounts"])
    assert {value for key, value in variables(VALUES["env"]).items() if key.endswith("_FILE")} == everywhere
    own = {value for key, value in variables(VALUES["apiServer"]["env"]).items() if key.endswith("_URL_FILE")}
    assert own | {"/run/secrets/ui/ui_passwords"} == server
    made = (ROOT / "bin" / "make-secrets").read_text()
    assert all(re.search(rf"\b{path.rpartition('/')[2]}\b", made) for path in everywhere | server)
    (state,) = [each for each in VALUES["volumes"] if "persistentVolumeClaim" in each]
    assert state["persistentVolumeClaim"]["claimName"] == OURS["state"]["claim"]


@pytest.mark.parametrize("name", ["local", "celery", "kubernetes"])
def test_there_are_values_for_each_executor_and_no_password_in_them(name: str) -> None:
    text = (AIRFLOW / f"{name}.yaml").read_text()
    values = yaml.safe_load(text)
    assert values["executor"].lower() == f"{name}executor"
    assert ("brokerUrlSecretName" in text) == (name == "celery")
    assert values["redis"] == {"enabled": False} and VALUES["postgresql"] == {"enabled": False}
    assert not re.search(r"postgres(ql)?://|redis://|password:", text + (AIRFLOW / "values.yaml").read_text())
