"""Up and down: the order in which the parts of the installation start and end."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from onefold.audit.places.sending import places_of, send
from onefold.errors import Fatal, Retriable
from onefold.orchestration.pools import POOLS, SERVICE_ACCOUNT
from onefold.platform import airflow, api, own_services, postgres_account, processes, sandbox_database
from onefold.platform.again import again
from onefold.platform.postgres import Postgres
from onefold.platform.secrets import Secrets, load_secrets
from onefold.settings import Settings

READY_SECONDS = 300
HEARTBEAT_SECONDS = 30
"""A service that has been silent for longer hangs; Airflow's own health check says the same."""
WATCHDOG_SECONDS = 60
"""How long `up` and `down` wait for the watchdog to end what it is doing; a restart takes half a minute at most."""
WITHOUT_DATABASE = ("sandbox", "watchdog", processes.HOOKS, processes.API, processes.METRICS)
"""The services that live on without a database."""
OWNED = (
    *("postgres", "airflow", "audit", "sandbox", "dbt", "logs", "privacy"),
    *("run", "secrets", "secrets.json", "sessions"),
)
"""What the installation keeps in its home, and all that `down --delete-data` deletes."""

Report = Callable[[str, float], None]
"""Called at the end of each step with what is now true and the seconds it took."""


@dataclass(frozen=True)
class Installation:
    """The parts of one installation, wired together but not started."""

    settings: Settings
    secrets: Secrets
    postgres: Postgres
    services: tuple[processes.Service, ...]
    watchdog: processes.Service
    variables: Mapping[str, str]


def installation(settings: Settings, sandbox: bool = True) -> Installation:
    """Wire the parts up. Generates the secrets on the first call, starts nothing."""
    secrets = load_secrets(settings.home)
    postgres = Postgres(settings.home, settings.pg_port)
    variables = airflow.environment(settings, secrets, postgres, sandbox)
    services = airflow.services(settings, secrets, postgres, variables)
    if sandbox:
        services.insert(0, own_services.sandbox(settings, postgres))
    if own_services.has_hooks(settings):
        services.append(own_services.hooks(settings, postgres, variables))
    services.append(own_services.api(settings, secrets, postgres, variables))
    services.append(own_services.metrics(settings, postgres, variables))
    watchdog = own_services.watchdog(settings, with_sandbox=sandbox)
    return Installation(settings, secrets, postgres, tuple(services), watchdog, variables)


def up(settings: Settings, sandbox: bool, report: Report) -> Installation:
    """Start what is missing, restart what died or is set up otherwise now, and return once all of it answers.

    Raises Fatal when a setting is wrong, a port is taken or a part refuses to start, Retriable when one is not ready
    in time.
    """
    places_of(settings)  # raises now, not after the first commit
    target = installation(settings, sandbox)
    with _alone(settings):
        _start(target, sandbox, report)
    return target


def _start(target: Installation, sandbox: bool, report: Report) -> None:
    settings = target.settings
    with _step(report) as done:
        services = (*target.services, target.watchdog)
        ended = stale(settings.home, services, target.postgres.started())
        processes.stop(settings.home, ended)
        if ended:
            names = ", ".join(service.name for service in ended)
            done(f"ended what is changed, dead, not needed or without its database: {names}")
    running = processes.recorded(settings.home)
    _require_free_ports(target, running)
    with _step(report) as done:
        location = target.postgres.start()
        url, passwords = target.postgres.url(), target.secrets.database
        again(lambda: airflow.create_database(url, passwords["airflow"]))
        if sandbox:
            again(lambda: sandbox_database.create_databases(url, passwords))
        done(f"PostgreSQL on port {settings.pg_port}")
    if location.note:
        report(location.note, 0)
    missing = [service for service in target.services if service.name not in running]
    for service in missing:
        if service.name == "sandbox":
            processes.start(settings.home, service)
    _prepare_databases(target, report)
    _require_erased(target)
    _sign_audit_chain(target, report)
    began = time.time()
    for service in missing:
        if service.name != "sandbox":
            processes.start(settings.home, service)
    _wait_until_ready(target, began, report)
    session = api.AirflowApi(settings.ui_url, SERVICE_ACCOUNT, target.secrets.ui[SERVICE_ACCOUNT])
    for name, (slots, description) in POOLS.items():
        session.ensure_pool(name, slots, description)
    if target.watchdog.name not in running:
        processes.start(settings.home, target.watchdog)


def down(settings: Settings, delete_data: bool, report: Report) -> None:
    """End every process of the installation, PostgreSQL last; with `delete_data` forget all that it knows."""
    with _alone(settings):
        _stop(settings, delete_data, report)


def _stop(settings: Settings, delete_data: bool, report: Report) -> None:
    services = list(processes.recorded(settings.home).values())
    if services:
        with _step(report) as done:
            processes.stop(settings.home, services)
            done(f"ended {', '.join(service.name for service in services)}")
    postgres = Postgres(settings.home, settings.pg_port)
    if postgres.pid():
        with _step(report) as done:
            postgres.stop()
            done("ended PostgreSQL")
    if delete_data:
        with _step(report) as done:
            postgres_account.delete_data(settings.home)
            for name in OWNED:
                path = settings.home / name
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            done(f"deleted the data in {settings.home}")


def _prepare_databases(target: Installation, report: Report) -> None:
    """Airflow's schema comes from its own program, the warehouse's from ours: side by side."""

    def migrate() -> str:
        airflow.prepare(target.settings, target.secrets, target.postgres)
        changed = again(lambda: airflow.migrate(target.postgres, target.variables))
        return "Airflow's database migrated" if changed else "Airflow's database is of this version"

    def install() -> str:
        from onefold.warehouse.install import install  # the engine: heavy, and not needed to stop or to look

        return str(again(lambda: install(target.postgres.url(), target.secrets.database)))

    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        futures: list[Future[str]] = [pool.submit(migrate), pool.submit(install)]
        for future in as_completed(futures):
            report(future.result(), time.monotonic() - began)


def _require_erased(target: Installation) -> None:
    """Raises Fatal when a restored backup has brought back what was erased; `erase --again` needs databases only."""
    from onefold.privacy.suppressions import require_whole_register
    from onefold.warehouse.connection import connect

    with connect(target.postgres.url(airflow.WAREHOUSE_DATABASE, "onefold_loader")) as connection:
        require_whole_register(connection)


def _sign_audit_chain(target: Installation, report: Report) -> None:
    """Make the signing key where there is none, and a checkpoint over what was appended while Onefold was down.

    A chain that is broken does not keep the installation down: it must run to be examined.
    """
    from onefold.audit import anchor
    from onefold.warehouse.connection import connect

    began = time.monotonic()
    url = target.postgres.url(airflow.WAREHOUSE_DATABASE, "onefold_loader")
    try:
        with connect(url, autocommit=True) as connection:
            new = anchor(connection, target.settings.audit_anchor)
        if new:
            report(f"audit checkpoint over {new.seq} events signed", time.monotonic() - began)
        for name, sent in send(target.settings.audit_anchor, places_of(target.settings)).items():
            if sent.error:
                report(f"no checkpoint at {name}: {sent.error}", 0)
    except Fatal as error:
        report(f"THE AUDIT CHAIN IS NOT SIGNED. {error}", time.monotonic() - began)


def _wait_until_ready(target: Installation, began: float, report: Report) -> None:
    """Report each service once it answers or has written a heartbeat since it was started."""
    clock = time.monotonic()
    deadline = clock + READY_SECONDS
    waiting = {service.name for service in target.services}
    while waiting:
        running = processes.recorded(target.settings.home)
        ready = _ready(target, running)
        for name in sorted(waiting & ready):
            report(f"{name} ready", time.monotonic() - clock if running[name].started > began - 1 else 0)
        waiting -= ready
        for name in sorted(waiting):
            if running[name].leader() is None:
                log = target.settings.home / "logs" / f"{name}.log"
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
                ended = f"{name} ended right after its start. The end of {log}:\n{tail}"
                if name != processes.HOOKS:
                    raise Fatal(ended)
                # Its connection may be missing, which is written in Airflow's UI; the watchdog starts it again.
                report(ended, 0)
                waiting.remove(name)
        if waiting and time.monotonic() > deadline:
            raise Retriable(
                f"Not ready after {READY_SECONDS} s: {', '.join(sorted(waiting))}. "
                f"Look into {target.settings.home / 'logs'}; `bin/onefold up` continues to wait."
            )
        time.sleep(0.1)


def _ready(target: Installation, running: Mapping[str, processes.Running]) -> set[str]:
    settings = target.settings
    ready = set()
    if "sandbox" in running and api.answers(f"{settings.sandbox_url}/health"):
        ready.add("sandbox")
    for name, url in processes.health_urls(settings).items():
        if name in running and api.answers(url):
            ready.add(name)
    health = api.health(settings.ui_url)
    if health and api.answers(f"{settings.ui_url}/execution/health"):  # whose first answer takes seconds to build
        ready.add("api-server")
        for name, heartbeat in health.items():
            service = running.get(name)
            if service and heartbeat and heartbeat.timestamp() >= max(service.started, time.time() - HEARTBEAT_SECONDS):
                ready.add(name)
    return ready


def stale(home: Path, services: Sequence[processes.Service], database_since: float) -> list[processes.Running]:
    """What was started in this home and is changed, dead or none of the services, and what began before its database.

    An Airflow that has lost its database dies of it, but only seconds later: PostgreSQL may be up again before that.
    `database_since` is when PostgreSQL began, in seconds since 1970; infinity while it is down.
    """
    fingerprints = {service.name: service.fingerprint() for service in services}
    return [
        running
        for running in processes.recorded(home).values()
        if running.leader() is None
        or fingerprints.get(running.name) != running.fingerprint
        or (running.started < database_since and running.name not in WITHOUT_DATABASE)
    ]


def _require_free_ports(target: Installation, running: Mapping[str, processes.Running]) -> None:
    settings = target.settings
    if not target.postgres.running():
        processes.require_free_port(settings.pg_port, "ONEFOLD_PG_PORT", "PostgreSQL")
    if "api-server" not in running:
        processes.require_free_port(settings.ui_port, "ONEFOLD_UI_PORT", "the Airflow UI")
    if "sandbox" not in running and any(service.name == "sandbox" for service in target.services):
        processes.require_free_port(settings.sandbox_port, "ONEFOLD_SANDBOX_PORT", "the sandbox")
        processes.require_free_port(
            settings.sandbox_redis_port, "ONEFOLD_SANDBOX_PORT", "the sandbox's Redis, on the port after the sandbox's"
        )
    if processes.HOOKS not in running and any(service.name == processes.HOOKS for service in target.services):
        processes.require_free_port(settings.hooks_port, "ONEFOLD_HOOKS_PORT", "webhooks")
    if processes.API not in running:
        processes.require_free_port(settings.api_port, "ONEFOLD_API_PORT", "the register API")
    if processes.METRICS not in running:
        processes.require_free_port(settings.metrics_port, "ONEFOLD_METRICS_PORT", "the metrics")


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Without the watchdog between. One that still holds the lock after its time hangs, and is ended."""
    with processes.changing(settings.home, WATCHDOG_SECONDS) as alone:
        if not alone and (hanging := processes.recorded(settings.home).get("watchdog")):
            processes.stop(settings.home, [hanging])
        yield


@contextmanager
def _step(report: Report) -> Iterator[Callable[[str], None]]:
    began = time.monotonic()
    yield lambda text: report(text, time.monotonic() - began)
