"""What look-ups answered, kept by the load that publishes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg

from onefold.connectors.window import Window
from onefold.load import ledger
from onefold.load.ledger import Run
from onefold.load.lookup_cache import MANY, store_lookup_results

NOW = datetime(2026, 3, 10, 3, tzinfo=UTC)


def kept(loader: psycopg.Connection, keys: int) -> None:
    """Publish a load that has the answers to so many keys."""
    window = Window(NOW - timedelta(days=1), NOW)
    load = ledger.begin(loader, "krs", "extract", window, Run("migrate", "manual__1", "os:test"))
    loader.execute(
        "insert into landing.lookup_result select %s, 'q' || n, 'found', %s from generate_series(1, %s) n",
        (load.load_id, NOW, keys),
    )
    with loader.transaction():
        store_lookup_results(loader, load)
    loader.execute("update ops.load set state = 'published'")


def known_rows(loader: psycopg.Connection) -> int:
    """How many answers the planner takes ops.lookup_cache to have; -1 when it was never told."""
    return loader.execute("select reltuples::int from pg_class where oid = 'ops.lookup_cache'::regclass").fetchone()[0]


def test_the_planner_knows_of_many_answers_as_soon_as_they_are_published(loader: psycopg.Connection) -> None:
    kept(loader, MANY - 1)
    assert known_rows(loader) == -1
    kept(loader, 2 * MANY)
    assert known_rows(loader) == 2 * MANY
