"""What the tasks of the DAG `replay` do: choose the rows, replay those of one stream, check the totals."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from airflow.sdk import Context

from onefold.catalog.reader import read_catalog
from onefold.errors import Fatal
from onefold.load.job import Job
from onefold.orchestration.assets import REPLAYED, staging_asset
from onefold.orchestration.forms import instant, numbers
from onefold.orchestration.tasks.asset_events import figures
from onefold.orchestration.tasks.errors import airflow_errors
from onefold.orchestration.tasks.load_steps import load_in_steps
from onefold.orchestration.tasks.run import is_retry, run_is_over, run_of
from onefold.replay.ledger import close_replay, open_replay, require_replay
from onefold.replay.report import ALL_REFUSED, replay_lines
from onefold.replay.selection import Selection
from onefold.settings import warehouse_url
from onefold.warehouse.connection import connect
from onefold.warehouse.post_commit import after_commit

log = logging.getLogger(__name__)


def choose(context: Context) -> list[str]:
    """Fix the rows that the run's form asks for; returns their streams, as system.stream."""
    params, url = context["params"], warehouse_url()
    with airflow_errors():
        selection = Selection(
            system=params.get("system"),
            stream=params.get("stream") or None,
            expectation=params.get("expectation") or None,
            start=instant(params.get("quarantined_from")),
            end=instant(params.get("quarantined_to")),
            mapping_version=params.get("mapping_version"),
            rows=numbers(params.get("rows")),
        )
        with connect(url, autocommit=True) as connection:
            opened = open_replay(connection, selection, str(params["reason"]), run_of(context), read_catalog().systems)
        after_commit(url)
    for stream in opened.streams:
        log.info("replay %s: %s rows of %s", opened.replay_id, f"{stream.selected:,}", stream.name)
    return [stream.name for stream in opened.streams]


def replay(context: Context, name: str) -> Mapping[str, object]:
    """Land, gate and publish what the run chose of a stream (system.stream); returns the ledger's figures."""
    catalog, url, run, task = read_catalog(), warehouse_url(), run_of(context), context["ti"]
    system, stream = name.split(".")
    with airflow_errors():
        with connect(url) as connection:
            opened = require_replay(connection, run)
        job = Job(
            system=catalog.systems[system],
            stream_name=stream,
            run=run,
            source=None,
            source_url=None,
            warehouse_url=url,
            entities=catalog.entities,
            run_is_over=run_is_over(context),
            last_attempt=task.try_number > task.max_tries,
            is_retry=is_retry(context),
            replay_id=opened.replay_id,
        )
        load = load_in_steps(job)
    context["outlet_events"][REPLAYED].add(
        staging_asset(system, stream), {"replay_id": opened.replay_id, **figures(load)}
    )
    return figures(load)


def prove(context: Context) -> Mapping[str, object]:
    """Prove that every row is accounted for and close the replay; returns its account.

    Raises Fatal, with the replay closed, when every row came back: nothing was mended, and the run says so.
    """
    url = warehouse_url()
    with airflow_errors():
        with connect(url, autocommit=True) as connection:
            closed = close_replay(connection, run_of(context))
        after_commit(url)
    for line in "\n".join(replay_lines(closed)).splitlines():
        log.info("%s", line)
    if closed.nothing_mended:
        with airflow_errors():
            raise Fatal(ALL_REFUSED)
    return closed.as_json()
