"""The services of an installation that are not Airflow's: the sandbox, what receives webhooks, the register API, the
metrics, the watchdog."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping

from onefold.catalog.reader import read_systems
from onefold.catalog.yaml_file import CatalogError
from onefold.platform import processes, sandbox_database
from onefold.platform.airflow import WAREHOUSE_DATABASE, engine_state
from onefold.platform.postgres import Postgres
from onefold.platform.processes import API, HOOKS, METRICS, Service
from onefold.platform.secrets import Secrets
from onefold.settings import (
    API_SIGNING_KEY,
    API_URLS,
    METRICS_TOKEN,
    METRICS_URL,
    RECEIVER_URL,
    Settings,
    notify_setting,
    ui_tls_variables,
)


def has_hooks(settings: Settings) -> bool:
    """Whether the catalogue has a webhook; while it cannot be read, what runs stays."""
    try:
        systems = read_systems().values()
    except CatalogError:  # the DAG processor says it, with file and line
        return HOOKS in processes.recorded(settings.home)
    return any(stream.webhook for system in systems for stream in system.streams.values())


def hooks(settings: Settings, postgres: Postgres, variables: Mapping[str, str]) -> Service:
    """What receives webhooks. It finds the connections where Airflow's services do, and signs in to the warehouse as
    who only adds to the inbox."""
    command = [sys.executable, "-m", "onefold.commands.main", "hooks", "--port", str(settings.hooks_port)]
    own = {name: value for name, value in variables.items() if name != "ONEFOLD_WAREHOUSE_URL"}
    return Service(HOOKS, command, {**own, RECEIVER_URL: postgres.url(WAREHOUSE_DATABASE, "onefold_receiver")})


def api(settings: Settings, secrets: Secrets, postgres: Postgres, variables: Mapping[str, str]) -> Service:
    """The register API. It finds the registers' connections where Airflow's services do, and signs in to the warehouse
    as who reads what is not personal, and as who records. Its webhooks are signed with a key of its own."""
    command = [sys.executable, "-m", "onefold.commands.main", "api", "--port", str(settings.api_port)]
    own = {name: value for name, value in variables.items() if name != "ONEFOLD_WAREHOUSE_URL"}
    urls = [postgres.url(WAREHOUSE_DATABASE, role) for role in ("onefold_api", "onefold_api_writer")]
    key = hashlib.sha256(f"onefold register api {secrets.api_secret}".encode()).hexdigest()
    own |= _metrics_token()
    return Service(API, command, {**own, **dict(zip(API_URLS, urls, strict=True)), API_SIGNING_KEY: key})


def metrics(settings: Settings, postgres: Postgres, variables: Mapping[str, str]) -> Service:
    """What Prometheus scrapes, on this machine. It signs in to the warehouse as who only audits, and knows no other
    secret but the token that a scrape must send, where one is set."""
    command = [sys.executable, "-m", "onefold.commands.main", "metrics", "--port", str(settings.metrics_port)]
    own = {name: variables[name] for name in ("ONEFOLD_HOME", "PYTHONPATH", "PYTHONUNBUFFERED")}
    return Service(
        METRICS, command, {**own, **_metrics_token(), METRICS_URL: postgres.url(WAREHOUSE_DATABASE, "onefold_auditor")}
    )


def _metrics_token() -> dict[str, str]:
    """As the caller has set it; so that a service is started anew when it is another one."""
    return {name: os.environ[name] for name in (METRICS_TOKEN, f"{METRICS_TOKEN}_FILE") if name in os.environ}


def sandbox(settings: Settings, postgres: Postgres) -> Service:
    """The stand-ins of the source systems."""
    state = settings.home / "sandbox"
    command = [sys.executable, "-m", "sandbox", "--port", str(settings.sandbox_port), "--state", str(state)]
    environment = {
        "PYTHONPATH": f"{settings.root / 'plugins'}{os.pathsep}{settings.root}",
        "SANDBOX_COMPANIES": os.environ.get("SANDBOX_COMPANIES", "2000"),
        "SANDBOX_HOOKS_URL": settings.hooks_url,
        "SANDBOX_REDIS_PORT": str(settings.sandbox_redis_port),
        **{f"SANDBOX_{name.upper()}_URL": postgres.url(name, name) for name in sandbox_database.NAMES},
    }
    return Service("sandbox", command, environment)


def watchdog(settings: Settings, *, with_sandbox: bool) -> Service:
    """It reads the secrets itself, so that its environment, which others may see, has none."""
    command = [sys.executable, "-m", "onefold.platform.watchdog", *([] if with_sandbox else ["--no-sandbox"])]
    environment = {
        "PYTHONPATH": f"{settings.root / 'plugins'}{os.pathsep}{settings.root}",
        "ONEFOLD_HOME": str(settings.home),
        "ONEFOLD_PG_PORT": str(settings.pg_port),
        "ONEFOLD_UI_PORT": str(settings.ui_port),
        "ONEFOLD_SANDBOX_PORT": str(settings.sandbox_port),
        "ONEFOLD_HOOKS_PORT": str(settings.hooks_port),
        "ONEFOLD_API_PORT": str(settings.api_port),
        "ONEFOLD_METRICS_PORT": str(settings.metrics_port),
        "ONEFOLD_NOTIFY": notify_setting(),
        "ONEFOLD_WATCHDOG": os.environ.get("ONEFOLD_WATCHDOG", ""),
        "ONEFOLD_ENGINE": engine_state(settings.root / "plugins"),
        **(ui_tls_variables(settings.ui_tls) if settings.ui_tls else {}),
    }
    return Service("watchdog", command, environment)
