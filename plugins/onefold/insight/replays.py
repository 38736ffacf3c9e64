"""Replays: who has asked for each, and how it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from onefold.insight.page import bounded


@dataclass(frozen=True, slots=True)
class ReplaySummary:
    """One replay. `verdict`: running, complete, partly refused, all refused; the outcomes are None while it runs."""

    replay_id: int
    run_id: str
    actor: str
    reason: str
    verdict: str
    selected: int
    published: int | None
    superseded: int | None
    refused: int | None
    started_at: datetime
    ended_at: datetime | None


_SELECT = (
    "select replay_id, run_id, actor, reason, verdict, selected, published, superseded, refused, started_at, ended_at"
    " from ops.replay"
)


def recent_replays(connection: psycopg.Connection, limit: int = 10) -> Sequence[ReplaySummary]:
    """The newest first."""
    with connection.cursor(row_factory=class_row(ReplaySummary)) as cursor:
        return cursor.execute(_SELECT + " order by replay_id desc limit %s", (bounded(limit),)).fetchall()


def replay_of_run(connection: psycopg.Connection, run_id: str) -> ReplaySummary | None:
    """The replay that a run of the DAG `replay` has opened; None before it has."""
    with connection.cursor(row_factory=class_row(ReplaySummary)) as cursor:
        return cursor.execute(_SELECT + " where dag_id = 'replay' and run_id = %s", (run_id,)).fetchone()
