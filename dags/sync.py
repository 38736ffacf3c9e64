"""sync__<system>: one DAG per system of the catalogue; a task per stream, which lands, gates and publishes."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, Param, get_parsing_context

from onefold.catalog.reader import read_systems
from onefold.catalog.system import System
from onefold.orchestration.assets import staging_asset
from onefold.orchestration.dag_docs import load_doc, sync_doc
from onefold.orchestration.deadlines import freshness_deadlines
from onefold.orchestration.forms import ACCEPT_DELETES, INSTANT, several_of
from onefold.orchestration.operators import LoadStream
from onefold.orchestration.prompt_start import sync_schedule
from onefold.orchestration.retries import retried

WINDOW = "Window of a single run (leave it empty in a backfill)"


def sync_dag(system: System) -> DAG:
    with DAG(
        dag_id=f"sync__{system.system}",
        description=f"Loads {system.title} into staging",
        doc_md=sync_doc(system),
        schedule=sync_schedule(system),
        start_date=datetime(2024, 1, 1, tzinfo=UTC),
        catchup=False,
        max_active_runs=1,
        deadline=freshness_deadlines(system),
        tags=["sync", system.protocol],
        params={
            "start": Param(
                None,
                **INSTANT,
                section=WINDOW,
                description="First instant of the window; empty: on from the last load, in a backfill its intervals",
            ),
            "end": Param(None, **INSTANT, section=WINDOW, description="End of the window, itself outside; empty: now"),
            "accept_deletes": Param(None, **ACCEPT_DELETES),
            "anew": Param(
                None,
                **several_of(list(system.streams)),
                description="Streams that are read from scratch and compared whole, whatever they could go on from",
            ),
        },
        default_args=retried(2),
    ) as dag:
        for stream in system.streams:
            LoadStream(
                system=system.system,
                stream=stream,
                doc_md=load_doc(system, stream),
                outlets=[staging_asset(system.system, stream)],
                execution_timeout=system.limits.load,
            )
    return dag


_only = get_parsing_context().dag_id  # set where a task reads this file: it needs no DAG but its own
for _system in read_systems().values():
    if _only in (None, f"sync__{_system.system}"):
        globals()[f"sync__{_system.system}"] = sync_dag(_system)
