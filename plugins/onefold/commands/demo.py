"""onefold demo: the nightly sync of every system through the real scheduler, and what came out of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import click
import requests

from onefold.errors import Fatal
from onefold.settings import Settings, settings

if TYPE_CHECKING:
    from onefold.catalog.entity import Entity
    from onefold.catalog.system import System
    from onefold.insight.entities import EntityStatus

AIMS = {"precision": 0.99, "recall": 0.97}
DAILY = ("reconcile", "retention")
NEXT_STEPS = """\
Ask it:      bin/onefold sql "select legal_name, tax_id_pl, systems from conformed.customer limit 5"
Check it:    bin/onefold audit verify
End it:      make down
"""


@click.command(epilog="Example: SANDBOX_COMPANIES=500 onefold demo")
def demo() -> None:
    """Start everything, sync every system, publish the entities, and report.

    The stand-ins of the source systems are asked, so it needs no account anywhere. Where nobody has signed in, it signs
    the demo's engineer in, and further commands act in that name. At its end something changes at each source that
    tells of it by itself, and somebody makes a customer in the CRM, which is written into other systems. Run it again
    and it finds nothing else that is new. Exits 0 only when every load was published and the golden records agree with
    the stand-ins' truth.
    """
    from onefold.catalog.reader import read_catalog
    from onefold.catalog.target_reader import read_targets
    from onefold.commands.demo_api import service_lines
    from onefold.commands.demo_changes import arrival_lines, change_sources
    from onefold.commands.demo_write_back import make_customer, write_back_lines
    from onefold.commands.platform import say
    from onefold.commands.platform import sign_in as how_to_sign_in
    from onefold.platform import lifecycle
    from onefold.platform.people import first_of
    from onefold.platform.processes import exclusive
    from onefold.platform.sign_in import sign_in, signed_in
    from onefold.platform.warehouse import connect_as, superuser_url
    from onefold.warehouse.connection import connect

    began = time.monotonic()
    here = settings()
    catalog = read_catalog()
    targets = read_targets(catalog)
    with exclusive(here.home, "demo"):
        running = lifecycle.up(here, True, say)
        engineer = first_of("engineer").name
        before = signed_in(here)
        if before is None or before.user == engineer:
            sign_in(here, engineer, running.secrets.ui[engineer])
        change_sources(here)  # so that there is something to load from each
        watched = [name for name, system in catalog.systems.items() if system.start == "on_change"]
        runs = _sync_all(here, in_order(catalog.systems, catalog.entities), watched, list(targets))
        changes, made = change_sources(here), make_customer(here)
        agrees = _report(here, runs)
        with connect_as("engineer", autocommit=True) as connection:
            for line in arrival_lines(connection, changes, catalog.systems):
                click.echo(line)
            for line in write_back_lines(connection, made, targets, catalog.systems, lambda some: _sync(here, some)):
                click.echo(line)
    click.echo(f"\nLook at it:  {here.ui_url}   {how_to_sign_in(here, engineer, running.secrets.ui[engineer])}")
    with connect(superuser_url(), autocommit=True) as warehouse:
        for line in service_lines(here, warehouse):
            click.echo(line)
    click.echo(NEXT_STEPS)
    click.echo(f"Done in {time.monotonic() - began:.0f} s.")
    if not agrees:
        raise Fatal("the golden records do not agree with the truth as they should; see the figures above.")


def in_order(systems: Mapping[str, System], entities: Mapping[str, Entity]) -> list[list[str]]:
    """The systems in groups to sync one after the other: who is asked about an attribute comes after most who name it.

    Where registers name what each other are asked about, what one misses the next sync asks.
    """
    named_by = {name: _named_by(system, entities) - {name} for name, system in systems.items()}
    groups: list[list[str]] = []
    while named_by:
        missing = {name: others & named_by.keys() for name, others in named_by.items()}
        next_ones = {name for name in missing if not missing[name]}
        mostly = {name for name in missing if 2 * len(missing[name]) < len(named_by[name])}
        next_ones |= {name for name in mostly if not missing[name] & next_ones}
        groups.append([name for name in named_by if not next_ones or name in next_ones])
        named_by = {name: others for name, others in named_by.items() if name not in groups[-1]}
    return groups


def _named_by(system: System, entities: Mapping[str, Entity]) -> set[str]:
    """The systems that name what this one is asked about."""
    lookups = [stream.lookup for stream in system.streams.values() if stream.lookup]
    asked = [name.split(".") for lookup in lookups for name in lookup.attributes]
    sources = [source for entity, attribute in asked for source in entities[entity].attributes[attribute].sources]
    return {source.split(".")[0] for source in sources}


def _sync_all(here: Settings, groups: list[list[str]], watched: list[str], targets: list[str]) -> list[tuple[str, str]]:
    """Run each group's DAGs side by side, then conform; returns (dag id, run id) of every sync. From then on changes of
    the watched systems start their syncs, and publishes the write-backs to the targets."""
    from onefold.commands.runs import airflow, follow

    api = airflow(here)
    done: list[tuple[str, str]] = []
    # Paused until the last system is loaded, and after a failure too: golden ids are permanent, and a first publish of
    # half the systems would assign others. The next demo, or `onefold conform`, unpauses it.
    api.wait_for_dag("conform")
    api.pause("conform")
    for system in watched:
        api.wait_for_dag(f"sync__{system}")
    unwatched = [f"sync__{system}" for system in watched if api.is_paused(f"sync__{system}")]
    for group in groups:
        done += _sync(here, group)
    follow(api, api.start_dag("conform"))
    if unwatched:
        api.read_again(unwatched[0])  # one file has them all
    for dag_id in (
        *DAILY,
        *(f"write_back__{target}" for target in targets),
    ):  # from now on by their schedule; switching them on begins no run
        api.wait_for_dag(dag_id)
        api.unpause(dag_id)
    return done


def _sync(here: Settings, systems: list[str]) -> list[tuple[str, str]]:
    """Run the syncs of these systems side by side; returns their (dag id, run id)."""
    from onefold.commands.runs import airflow, follow, sync_now

    api = airflow(here)
    started = [sync_now(api, system) for system in systems]
    return [(run.dag_id, follow(api, run).run_id) for run in started]


def _report(here: Settings, runs: Iterable[tuple[str, str]]) -> bool:
    """Print what came out; False when the golden records are further from the truth than they may be."""
    from onefold.commands.report_text import entity_lines, held_back_lines, load_table, withheld_lines
    from onefold.conform.resolution_quality import pairwise_quality
    from onefold.insight.entities import entity_statuses
    from onefold.insight.held_back import held_back
    from onefold.insight.loads import loads_of_run
    from onefold.load.withheld_rates import withheld_rates
    from onefold.platform.warehouse import connect_as

    with connect_as("engineer") as connection:
        loads = [load for run in runs for load in loads_of_run(connection, *run)]
        click.echo(f"\n{load_table(loads)}\n")
        entities = entity_statuses(connection)
        click.echo("\n".join(entity_lines(entities)))
        click.echo("\n".join([_held_back_rate(entities), *held_back_lines(held_back(connection), {})]))
        click.echo("\n".join(withheld_lines(withheld_rates(connection))))
        truth = _truth(here)
        quality = pairwise_quality(connection, truth)
    click.echo(
        f"Against the stand-ins' truth: precision {quality.precision:.4f} (aim {AIMS['precision']}), "
        f"recall {quality.recall:.4f} (aim {AIMS['recall']}), over {quality.records:,} records of "
        f"{quality.companies:,} companies."
    )
    click.echo(_awkward_share(here))
    return quality.precision >= AIMS["precision"] and quality.recall >= AIMS["recall"]


def _held_back_rate(entities: Iterable[EntityStatus]) -> str:
    """How many golden records of all entities are held back, and have a warning, with their shares."""
    known = list(entities)
    held, golden = sum(each.held_back for each in known), sum(each.golden for each in known)
    warned, all_of_them = sum(each.warnings for each in known), max(golden + held, 1)
    return (
        f"Held back: {held:,} of {golden + held:,} golden records ({held / all_of_them:.2%}); "
        f"with a warning: {warned:,} ({warned / all_of_them:.2%})."
    )


def _awkward_share(here: Settings) -> str:
    """How many of the stand-ins' records are ordinary but awkward, and of how many kinds."""
    answer = requests.get(f"{here.sandbox_url}/control/awkward", timeout=300)
    answer.raise_for_status()
    counted = answer.json()
    kinds = sum(1 for records in counted["by_kind"].values() if records)
    return (
        f"Of the stand-ins' {counted['records']:,} records {counted['awkward']:,} ({counted['share']:.1%}) are ordinary"
        f" but awkward, of {kinds} kinds: see sandbox/awkward/README.md."
    )


def _truth(here: Settings) -> list[tuple[str, str, str, str]]:
    token = (here.home / "sandbox" / "truth-token").read_text().strip()
    answer = requests.get(f"{here.sandbox_url}/control/truth", headers={"X-Truth-Token": token}, timeout=60)
    answer.raise_for_status()
    return [
        (record["system"], record["stream"], record["key"], str(record["company_id"]))
        for record in answer.json()["records"]
        if record["company_id"] is not None and not record["broken"] and not record["deleted"]
    ]
