"""What the demo shows of systems that tell of their changes: one at each, and the seconds until it is published."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import requests
from psycopg import Connection, sql

from onefold.errors import Fatal, Retriable
from onefold.settings import Settings
from onefold.warehouse.tables import StagingTable

if TYPE_CHECKING:
    from onefold.catalog.system import System

LONGEST = 120.0
"""Seconds after which a change has not arrived."""
EVERY = 0.1


@dataclass(frozen=True, slots=True)
class Change:
    """A record of a stream that changed at its source, and when that was committed or sent."""

    system: str
    stream: str
    key: str
    at: datetime


def change_sources(here: Settings) -> list[Change]:
    """Let one thing happen at each stand-in that tells of its changes by itself. Raises Fatal when one cannot tell."""
    answer = requests.post(f"{here.sandbox_url}/control/happen", timeout=60)
    if not answer.ok:
        raise Fatal(f"The sandbox could not change anything (status {answer.status_code}): {answer.text[:500]}")
    return [
        Change(each["system"], each["stream"], each["key"], datetime.fromisoformat(each["at"]))
        for each in answer.json()["happened"]
    ]


def arrival_lines(connection: Connection, changes: Sequence[Change], systems: Mapping[str, System]) -> Iterator[str]:
    """Once all changes are published, a line for each that says after how many seconds it was.

    Raises Retriable when one is not after LONGEST.
    """
    yield "One change at each source that tells of it, and how long it took to be published in staging:"
    took = _seconds_until_published(connection, changes)
    width = max(len(systems[each.system].title) for each in changes)
    for change in changes:
        system = systems[change.system]
        yield f"  {system.title:<{width}}  {system.protocol:<12} {took[change]:5.1f} s"


def _seconds_until_published(connection: Connection, changes: Sequence[Change]) -> dict[Change, float]:
    deadline = time.monotonic() + LONGEST
    took: dict[Change, float] = {}
    while missing := [each for each in changes if each not in took]:
        if time.monotonic() > deadline:
            raise Retriable(
                f"Not published within {LONGEST:.0f} s: the change in {', '.join(each.system for each in missing)}. "
                "Look at the runs of its sync in Airflow's UI, and into logs/triggerer.log."
            )
        for change in missing:
            if _is_published(connection, change):
                took[change] = (datetime.now(UTC) - change.at).total_seconds()
        time.sleep(EVERY)
    return took


def _is_published(connection: Connection, change: Change) -> bool:
    """Whether the record's current version was read after the change."""
    versions = StagingTable(change.system, change.stream).current
    query = sql.SQL("select from {} where _key = %s and _extracted_at > %s").format(versions)
    return connection.execute(query, (change.key, change.at)).fetchone() is not None
