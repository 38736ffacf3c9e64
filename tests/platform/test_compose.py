"""docker-compose.yml is valid, gives no password a default, and asks for programs that exist."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import yaml
from airflow.cli.cli_parser import get_parser
from airflow.configuration import conf
from cryptography.fernet import Fernet
from jsonschema import Draft7Validator

from onefold.commands.api import api
from onefold.commands.hooks import hooks
from onefold.commands.metrics import metrics
from onefold.orchestration.pools import POOLS
from onefold.platform.airflow import TUNING
from onefold.privacy import suppressions
from onefold.settings import ROOT, settings
from onefold.warehouse.access import ROLES

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


def test_no_secret_stands_in_an_environment_or_an_argument() -> None:
    """What `docker inspect` and the list of processes show."""
    secret = re.compile(r"password|secret|token|key|salt|url|backend", re.IGNORECASE)
    harmless = {"AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"}
    for name, service in COMPOSE["services"].items():
        for variable, value in service.get("environment", {}).items():
            if secret.search(variable) and variable not in harmless:
                assert variable.endswith(("_FILE", "_CMD")), f"{name}: {variable}"
                mounted = re.fullmatch(r"(?:cat )?/run/secrets/(\w+)", value)
                assert mounted and mounted[1] in service["secrets"], f"{name}: {variable}"
        assert "requirepass $" not in str(service.get("command"))


def test_every_secret_is_generated_and_mounted_where_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "bin/make-secrets", tmp_path / "bin")
    (tmp_path / ".env").write_text("UI_USERS=anna:op,jan:user\n")
    subprocess.run([tmp_path / "bin/make-secrets"], check=True, capture_output=True)
    made = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    files = {name: Path(secret["file"]) for name, secret in COMPOSE["secrets"].items()}
    assert {path.name for path in files.values()} == set(files) <= made.keys()
    assert set(files) == {name for service in COMPOSE["services"].values() for name in service.get("secrets", [])}
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert all(made.values()) and f":{made['onefold_loader_password']}@" in made["warehouse_url"]
    assert re.fullmatch(r"anna:[0-9a-f]{24},jan:[0-9a-f]{24}", made["ui_passwords"])
    Fernet(made["fernet_key"])
    subprocess.run([tmp_path / "bin/make-secrets"], check=True, capture_output=True)
    assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == made, "what is there stays"


def test_every_image_is_pinned_by_a_digest(tmp_path: Path) -> None:
    images = {service["image"] for service in COMPOSE["services"].values()} - {"onefold"}
    images |= set(re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    assert len(images) == 5
    assert [image for image in images if not re.fullmatch(r"[\w./-]+:[\w.-]+@\$\{\w+_DIGEST[^}]*\}", image)] == []
    (tmp_path / "bin").mkdir()
    for name in ("bin/pin-images", ".env.example"):
        shutil.copy(ROOT / name, tmp_path / name)
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\necho $4 >>{tmp_path}/asked\necho sha256:{'0' * 64}\n")
    docker.chmod(0o755)
    path = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run([tmp_path / "bin/pin-images"], env=path, check=True, capture_output=True)
    asked = (tmp_path / "asked").read_text().split()
    assert {image.partition("@")[0] for image in images} == set(asked)
    pinned = re.findall(r"^(\w+)_DIGEST=sha256:0{64}$", (tmp_path / ".env").read_text(), re.MULTILINE)
    assert sorted(pinned) == ["AIRFLOW", "GRAFANA", "POSTGRES", "PROMETHEUS", "REDIS"]
    docker.write_text("#!/bin/sh\necho not found\n")
    assert subprocess.run([tmp_path / "bin/pin-images"], env=path, capture_output=True).returncode == 1


def test_ports_are_published_on_this_machine_only() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_multi_container_set_up_is_complete() -> None:
    always = {
        "airflow-init",
        "api-server",
        "scheduler",
        "dag-processor",
        "triggerer",
        "watchdog",
        "metrics",
        "postgres",
    }
    profiles = {"celery": {"redis", "worker"}, "webhooks": {"hooks"}} | {
        name: {name} for name in ("api", "sandbox", "prometheus", "grafana")
    }
    found: dict[str, set[str]] = {}
    for name, service in COMPOSE["services"].items():
        for profile in service.get("profiles", ["always"]):
            found.setdefault(profile, set()).add(name)
    assert found == {"always": always, **profiles}
    for name, service in COMPOSE["services"].items():
        for other, how in service.get("depends_on", {}).items():
            switched_on = set(service.get("profiles", [])) & set(COMPOSE["services"][other].get("profiles", []))
            assert other in always or switched_on or how.get("required") is False, f"{name} would never start"
    receiver = COMPOSE["services"]["hooks"]
    assert receiver["secrets"] == ["receiver_url"], "who can be reached from outside knows no other password"
    assert set(receiver["environment"]) == {"ONEFOLD_RECEIVER_URL_FILE", "AIRFLOW_HOME"}
    register = COMPOSE["services"]["api"]
    assert register["secrets"] == ["api_url", "api_writer_url", "api_signing_key", "metrics_token"]
    named = {f"ONEFOLD_{name.upper()}_FILE" for name in register["secrets"]}
    assert set(register["environment"]) == named | {"AIRFLOW_HOME"}
    scraped = COMPOSE["services"]["metrics"]
    assert scraped["secrets"] == ["metrics_url", "metrics_token"]
    assert set(scraped["environment"]) == {f"ONEFOLD_{name.upper()}_FILE" for name in scraped["secrets"]}
    for name, service in COMPOSE["services"].items():
        assert "healthcheck" in service or name == "airflow-init"
    assert COMPOSE["services"]["postgres"]["image"].startswith("postgres:18@")
    assert "container_name" not in COMPOSE["services"]["worker"], "a named container cannot be scaled"


@pytest.mark.parametrize(("service", "command"), commands())
def test_every_airflow_command_exists(service: str, command: str) -> None:
    words = command.removeprefix("exec ").split()[1:]
    assert words[0] in FROM_THE_IMAGE or get_parser().parse_known_args(words)[0].func, service


def test_every_setting_that_a_container_is_given_is_one_that_somebody_reads() -> None:
    """Of Airflow's: it exists, and one that is given by a command may be. Of ours: the code names it."""
    texts = TEXT + (ROOT / "Dockerfile").read_text()
    of_the_image = {"AIRFLOW__CELERY__BROKER_URL_CMD", "AIRFLOW__CELERY__RESULT_BACKEND_CMD"}
    for variable in sorted(set(re.findall(r"\bAIRFLOW__\w+", texts)) - of_the_image):
        section, key = variable.removesuffix("_CMD").lower().removeprefix("airflow__").split("__")
        assert key in conf.configuration_description[section]["options"], variable
        assert not variable.endswith("_CMD") or (section, key) in conf.sensitive_config_values, variable
    read = "".join(path.read_text() for path in (ROOT / "plugins" / "onefold").rglob("*.py"))
    roles = {f"{role.upper()}_PASSWORD" for role in ROLES}
    assert {f"{role}_FILE" for role in roles} <= set(COMPOSE["services"]["airflow-init"]["environment"])
    ours = {
        name.removesuffix("_FILE") for name in re.findall(r"\b(?:ONEFOLD_\w+|UI_PASSWORDS\w*|POSTGRES_URL\w*)", TEXT)
    }
    assert len(ours) > 8
    assert [name for name in sorted(ours - roles) if f'"{name}"' not in read] == []


def test_every_module_that_a_container_runs_takes_its_arguments() -> None:
    ran = [word for service in COMPOSE["services"].values() for word in [str(service.get("command", ""))]]
    modules = {match for text in ran for match in re.findall(r"'?-m'?,? '?([\w.]+)", text)}
    assert modules == {"onefold.platform.container", "onefold.commands.main", "sandbox"}
    what = set(re.findall(r"onefold\.platform\.container'?,? '?([\w-]+)", TEXT))
    source = (ROOT / "plugins/onefold/platform/container.py").read_text()
    assert len(what) == 4 and [name for name in what if f'"{name}": ' not in source] == []
    command = COMPOSE["services"]["hooks"]["command"]
    given = hooks.make_context("hooks", command[command.index("hooks") + 1 :]).params
    assert given == {"host": "0.0.0.0", "port": 8095}  # noqa: S104  compose publishes it on this machine only
    command = COMPOSE["services"]["metrics"]["command"]
    given = metrics.make_context("metrics", command[command.index("metrics") + 1 :]).params
    assert given == {"host": "0.0.0.0", "port": 8097, "once": False}  # noqa: S104  likewise
    command = COMPOSE["services"]["api"]["command"]
    given = api.make_context("api", command[command.index("api") + 1 :]).params
    assert given == {"host": "0.0.0.0", "port": 8096}  # noqa: S104  compose publishes it on this machine only
    options = set(re.findall(r"--[a-z]+", str(COMPOSE["services"]["sandbox"]["command"])))
    assert [each for each in options if f'"{each}"' not in (ROOT / "sandbox/__main__.py").read_text()] == []


def test_the_image_has_every_folder_that_the_code_reads_and_its_account_may_write_its_home() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY --chown=airflow:root (\w+) /opt/onefold/\1$", dockerfile, re.MULTILINE))
    read = {
        folder
        for path in (ROOT / "plugins" / "onefold").rglob("*.py")
        for folder in re.findall(r'\b(?:ROOT|root) / "(\w+)"', path.read_text())
    }
    assert read >= {"catalog", "expectations", "plugins"}
    assert read | {"dags", "sandbox"} <= copied
    # Made by root, for whom COPY makes it: the images' own account could not.
    assert "install --directory --owner=airflow --group=root --mode=0700 /opt/onefold/.onefold" in dockerfile
    assert dockerfile.rstrip().splitlines()[-1] == "USER airflow"
    assert "state:/opt/onefold/.onefold" in COMPOSE["services"]["worker"]["volumes"]


def test_erased_persons_are_recognised_by_who_loads_and_by_the_register_api() -> None:
    """Which has the folder with the key alone, to read; the key that signs the audit chain is none of its business."""
    folder = f"privacy:/opt/onefold/.onefold/{suppressions.folder().relative_to(settings().home)}"
    services = COMPOSE["services"]
    for name in ("scheduler", "worker", "api-server", "triggerer"):
        assert folder in services[name]["volumes"]
    assert services["api"]["volumes"] == [f"{folder}:ro"]
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "--mode=0700 /opt/onefold/.onefold /opt/onefold/.onefold/privacy\n" in dockerfile


def test_prometheus_has_every_rule_and_scrapes_what_runs() -> None:
    """And Grafana the dashboard: each file that a container is told of is mounted into it."""
    services, folder = COMPOSE["services"], ROOT / "monitoring"
    assert "./monitoring:/etc/prometheus:ro" in services["prometheus"]["volumes"]
    (config,) = re.findall(r"--config.file=/etc/prometheus/([\w.]+)", str(services["prometheus"]["command"]))
    told = yaml.safe_load((folder / config).read_text())
    here = yaml.safe_load((folder / "prometheus.yml").read_text())
    assert told["rule_files"] == here["rule_files"]
    assert [job["job_name"] for job in told["scrape_configs"]] == [job["job_name"] for job in here["scrape_configs"]]
    for job in told["scrape_configs"]:
        token = job["authorization"]["credentials_file"]
        assert token == "/run/secrets/metrics_token" and "metrics_token" in services["prometheus"]["secrets"]
    targets = [
        target for job in told["scrape_configs"] for each in job.get("static_configs", []) for target in each["targets"]
    ]
    found = [each for job in told["scrape_configs"] for each in job.get("dns_sd_configs", [])]
    targets += [f"{each['names'][0]}:{each['port']}" for each in found]
    assert len(targets) == 2
    for target in targets:
        name, port = target.split(":")
        assert services[name]["command"][-1] == port and "metrics_token" in services[name]["secrets"]
    mounted = dict(volume.split(":")[:2] for volume in services["grafana"]["volumes"])
    assert json.loads((ROOT / "monitoring/onefold.dashboard.json").read_text())["uid"] == "onefold"
    provider = yaml.safe_load((folder / "grafana/dashboards/onefold.yml").read_text())["providers"][0]
    assert mounted["./monitoring/onefold.dashboard.json"] == f"{provider['options']['path']}/onefold.json"
    assert mounted["./monitoring/grafana"] == "/etc/grafana/provisioning"


def test_containers_have_the_pools_and_the_permissions_of_logs_that_one_machine_has() -> None:
    start = str(COMPOSE["services"]["airflow-init"]["command"])
    assert set(re.findall(r"airflow pools set (\w+) ", start)) == set(POOLS)
    for variable in (name for name in TUNING if name.endswith("_PERMISSIONS")):
        assert COMPOSE["services"]["worker"]["environment"][variable] == TUNING[variable]
