"""onefold up, down and status: the installation on this machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from onefold.platform.processes import exclusive
from onefold.settings import Settings, settings

if TYPE_CHECKING:
    from onefold.insight.alerts import OpenAlert
    from onefold.insight.deliveries import TargetStatus
    from onefold.insight.held_back import HeldBack
    from onefold.insight.streams import StreamStatus
    from onefold.insight.write_backs import TargetState
    from onefold.load.new_fields import NewField
    from onefold.load.source_slots import StreamSlot
    from onefold.platform.status import PlatformStatus, WatchdogStatus


@click.command(epilog="Example: onefold up --no-sandbox")
@click.option("--no-sandbox", is_flag=True, help="Without the stand-ins of the source systems.")
def up(no_sandbox: bool) -> None:
    """Start PostgreSQL, Airflow and the sandbox; what runs already stays."""
    from onefold.orchestration.oidc.provider import identity_provider
    from onefold.platform import lifecycle
    from onefold.platform.airflow import ui_address
    from onefold.platform.people import first_of

    here = settings()
    with exclusive(here.home, "up"):
        running = lifecycle.up(here, not no_sandbox, say)
    if (provider := identity_provider()) is not None:
        click.echo(f"Airflow UI: {ui_address(here)}   people sign in at {provider.issuer}")
        return
    engineer = first_of("engineer").name
    click.echo(f"Airflow UI: {here.ui_url}   {sign_in(here, engineer, running.secrets.ui[engineer])}")


@click.command(epilog="Example: onefold down --delete-data")
@click.option("--delete-data", is_flag=True, help="Also delete databases, logs and passwords. There is no way back.")
def down(delete_data: bool) -> None:
    """End every process of this installation. The data stays unless you say otherwise."""
    from onefold.platform import lifecycle

    here = settings()
    if here.home.exists():
        with exclusive(here.home, "down"):
            lifecycle.down(here, delete_data, say)
    click.echo("Nothing of this installation runs.")


@click.command(epilog="Example: onefold status --json")
@click.option("--json", "as_json", is_flag=True, help="For scripts.")
def status(as_json: bool) -> None:
    """Show what runs, every stream with its last load, age and quarantine, what is held back, and open alerts.

    Exits 1 when a service that is needed is down or silent, or the watchdog says that something stands still.
    """
    from onefold.commands.report_text import write_back_lines
    from onefold.platform.status import platform_status

    found = platform_status(settings())
    streams, alerts, held, refused, unrecorded = _warehouse_status(found)
    new, unread, delivered = _new_fields(found), _unused_slots(found), _deliveries(found)
    outward = [each for each in _write_backs(found) if each.waits]
    if as_json:
        shown = {
            **asdict(found),
            "up": found.up,
            "streams": [asdict(stream) for stream in streams],
            "alerts": [asdict(alert) for alert in alerts],
            "held_back": [asdict(each) for each in held],
            "refused_entities": dict(refused),
            "new_fields": [asdict(each) | {"yaml": each.yaml} for each in new],
            "direct_reads_missing": unrecorded,
            "unused_slots": [asdict(each) for each in unread],
            "deliveries": [asdict(each) for each in delivered],
            "write_backs": [asdict(each) for each in outward],
        }
        click.echo(json.dumps(shown, indent=2, default=str))
    else:
        for service in found.services:
            port = f"port {service.port}" if service.port else ""
            pid = f"pid {service.pid}" if service.pid else ""
            since = f"since {service.since:%Y-%m-%d %H:%M:%S} UTC" if service.since else ""
            click.echo(f"{service.name:<14} {service.state:<6} {port:<11} {pid:<12} {since}".rstrip())
        for line in (*_watchdog_lines(found.watchdog), *map(str, delivered), *write_back_lines(outward)):
            click.echo(line)
        click.echo(f"Airflow UI: {found.ui_url}   user: {found.ui_user}   password: in {found.home}/secrets.json")
        if streams:
            from onefold.commands.report_text import lag_lines, stream_table

            click.echo(f"\nEach stream and its last load:\n{stream_table(streams, datetime.now(UTC))}")
            for line in lag_lines(streams):
                click.echo(line)
            if any(stream.open_quarantine or stream.withheld for stream in streams):
                click.echo("Which rows wait, and which values are withheld at which rate: bin/onefold quarantine")
        for slot in unread:
            click.echo(f"Slot of {slot.system}.{slot.stream}: {slot.unused}")
        if held or refused:
            from onefold.commands.report_text import held_back_lines

            click.echo("\n".join(held_back_lines(held, refused)))
        if unrecorded:
            click.echo(f"Reads past `onefold sql` are not, or not all, recorded: {unrecorded}.")
        for field in new:
            click.echo(f"New field: {field}; or: bin/onefold accept {field.system}.{field.stream}")
        for alert in alerts:
            if alert.kind == "new_field":
                continue  # said above
            click.echo(
                f"Alert since {alert.first_seen:%Y-%m-%d %H:%M} UTC: {alert.kind} of {alert.subject}. {alert.message}"
            )
    sys.exit(0 if found.up else 1)


def _watchdog_lines(watchdog: WatchdogStatus) -> list[str]:
    """What stands still or was restarted; nothing where all is well."""
    restarts = ", ".join(f"{name} {times} times" for name, times in sorted(watchdog.restarts.items()))
    return [
        *(f"Stands still: {problem.message}" for problem in watchdog.problems),
        *([f"The watchdog has restarted within a day: {restarts}. See logs/watchdog.log."] if restarts else []),
    ]


def _warehouse_status(
    found: PlatformStatus,
) -> tuple[list[StreamStatus], Sequence[OpenAlert], Sequence[HeldBack], Mapping[str, str], str | None]:
    """The catalogue's streams, what is wrong, what is held back, which entities the last publish left out, and why
    direct reads are not recorded; nothing while the warehouse is down."""
    if not any(service.name == "postgres" and service.state == "up" for service in found.services):
        return [], (), (), {}, None
    from onefold.catalog.reader import read_systems
    from onefold.insight.alerts import open_alerts
    from onefold.insight.held_back import held_back, refused_entities
    from onefold.insight.reads import direct_reads_missing
    from onefold.insight.streams import stream_statuses
    from onefold.platform.warehouse import connect_as

    with connect_as("engineer") as connection:
        return (
            stream_statuses(connection, read_systems()),
            open_alerts(connection).rows,
            held_back(connection),
            refused_entities(connection),
            direct_reads_missing(connection),
        )


def _deliveries(found: PlatformStatus) -> Sequence[TargetStatus]:
    """What other warehouses show; nothing while this one is down."""
    if not any(service.name == "postgres" and service.state == "up" for service in found.services):
        return ()
    from onefold.catalog.delivery_target import read_delivery_targets
    from onefold.insight.deliveries import target_statuses
    from onefold.platform.warehouse import connect_as

    with connect_as("engineer") as connection:
        return target_statuses(connection, read_delivery_targets())


def _write_backs(found: PlatformStatus) -> Sequence[TargetState]:
    """How the targets of write-back stand; nothing while the warehouse is down."""
    if not any(service.name == "postgres" and service.state == "up" for service in found.services):
        return ()
    from onefold.insight.write_backs import target_states
    from onefold.platform.warehouse import connect_as

    with connect_as("engineer") as connection:
        return target_states(connection, ())


def _unused_slots(found: PlatformStatus) -> Sequence[StreamSlot]:
    """What sources keep their logs for although no stream reads it; nothing while the warehouse is down."""
    if not any(service.name == "postgres" and service.state == "up" for service in found.services):
        return ()
    from onefold.catalog.reader import read_systems
    from onefold.load.source_slots import unused_slots
    from onefold.platform.warehouse import connect_as

    with connect_as("engineer") as connection:
        return unused_slots(connection, read_systems())


def _new_fields(found: PlatformStatus) -> Sequence[NewField]:
    """What sources have added and no YAML names; nothing while the warehouse is down."""
    if not any(service.name == "postgres" and service.state == "up" for service in found.services):
        return ()
    from onefold.catalog.reader import read_systems
    from onefold.insight.contract import new_fields
    from onefold.platform.warehouse import connect_as

    with connect_as("engineer") as connection:
        return new_fields(connection, read_systems())


def sign_in(here: Settings, user: str, password: str) -> str:
    """As whom to sign in to the UI. The password is shown on a terminal only: what is printed elsewhere is kept, in
    files and in the logs of whatever runs the command."""
    return f"user: {user}   password: {password if sys.stdout.isatty() else f'in {here.home}/secrets.json'}"


def say(text: str, seconds: float) -> None:
    """One line a step: what is now true, and after how long."""
    click.echo(f"{seconds:6.1f} s  {text}" if seconds >= 0.05 else f"          {text}")
