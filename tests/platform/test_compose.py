"""docker-compose.yml is valid, gives no password a default, and asks for programs that exist."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from airflow.cli.cli_parser import get_parser
from jsonschema import Draft7Validator

from onefold.settings import ROOT

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SCHEMA = json.loads((Path(__file__).parent / "compose-spec.json").read_text())

FROM_THE_IMAGE = {"celery"}  # of the celery provider, which the apache/airflow image has and this environment has not


def commands() -> list[tuple[str, str]]:
    """Each `airflow …` that a container runs or is checked by, with the name of its service."""
    found = []
    for name, service in COMPOSE["services"].items():
        for words in (service.get("command", []), service.get("healthcheck", {}).get("test", [])):
            steps = re.split(r"&&|bash -c|CMD ", " ".join(words))
            found += [(name, step.strip()) for step in steps if re.match(r"\s*(exec )?airflow ", step)]
    return found


def test_the_file_is_valid_by_the_compose_schema() -> None:
    assert [error.message for error in Draft7Validator(SCHEMA).iter_errors(COMPOSE)] == []
    broken = {**COMPOSE, "services": {**COMPOSE["services"], "worker": {"comand": []}}}
    assert list(Draft7Validator(SCHEMA).iter_errors(broken)) != []


def test_every_variable_must_be_set_and_has_no_default() -> None:
    references = re.findall(r"\$\{([^}]*)\}", TEXT)
    assert references
    assert [reference for reference in references if ":?" not in reference] == []
    named = {reference.split(":?")[0] for reference in references}
    example = re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert {name for name, _ in example} == named
    assert {value for _, value in example} == {""}


def test_ports_are_published_on_this_machine_only() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_multi_container_set_up_is_complete() -> None:
    airflow = {"airflow-init", "api-server", "scheduler", "dag-processor", "triggerer", "worker"}
    assert set(COMPOSE["services"]) == airflow | {"postgres", "redis", "sandbox"}
    assert COMPOSE["services"]["sandbox"]["profiles"] == ["sandbox"]
    for name, service in COMPOSE["services"].items():
        assert "healthcheck" in service or name == "airflow-init"
    assert COMPOSE["services"]["postgres"]["image"] == "postgres:18"
    assert "container_name" not in COMPOSE["services"]["worker"], "a named container cannot be scaled"


@pytest.mark.parametrize(("service", "command"), commands())
def test_every_airflow_command_exists(service: str, command: str) -> None:
    words = command.removeprefix("exec ").split()[1:]
    assert words[0] in FROM_THE_IMAGE or get_parser().parse_known_args(words)[0].func, service
