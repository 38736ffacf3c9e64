"""What a look-up source is asked next: whoever waits longest first, so that a quota starves nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from onefold.catalog.reader import read_catalog
from onefold.connectors.lookup import LookupKeys
from onefold.connectors.window import Window
from onefold.load import ledger
from onefold.load import lookup_keys as asking
from onefold.load.ledger import Run

CATALOG = read_catalog()
NOW = datetime(2026, 3, 10, 3, tzinfo=UTC)
ANSWERED = {"a": 1, "b": 26, "c": 50, "d": 26}
"""How many hours ago; e and f were never asked."""


@pytest.fixture
def ask(loader: psycopg.Connection, loader_url: str, monkeypatch: pytest.MonkeyPatch) -> LookupKeys:
    monkeypatch.setattr(
        asking, "named_values_sql", lambda *_, **__: "select value from unnest('{f,e,d,c,b,a}'::text[]) as v(value)"
    )
    window = Window(NOW - timedelta(days=1), NOW)
    load = ledger.begin(loader, "white_list", "subject", window, Run("sync__white_list", "manual__1", "os:test"))
    for question, hours in ANSWERED.items():
        loader.execute(
            "insert into ops.lookup_cache (system, stream, lookup_key, outcome, answered_at, load_id)"
            " values ('white_list', 'subject', %s, 'found', %s, %s)",
            (question, NOW - timedelta(hours=hours), load.load_id),
        )
    system = CATALOG.systems["white_list"]
    return asking.lookup_keys(loader_url, system, "subject", CATALOG.systems, CATALOG.entities, NOW)


def test_what_was_never_asked_comes_first_then_the_oldest_answers(ask: LookupKeys) -> None:
    assert list(ask(None, ())) == ["e", "f", "c", "b", "d"]


def test_a_read_goes_on_after_any_question_in_the_same_order(ask: LookupKeys) -> None:
    whole = list(ask(None, ()))
    for at, question in enumerate(whole):
        assert list(ask(question, ())) == whole[at + 1 :]


def test_what_a_feed_names_is_asked_though_its_answer_is_fresh(ask: LookupKeys) -> None:
    assert list(ask(None, ["a"])) == ["e", "f", "c", "b", "d", "a"]


def test_a_window_asks_what_the_feed_names_of_what_others_name_or_we_hold(ask: LookupKeys) -> None:
    assert list(ask(None, ["z", "f", "a", "c"], "known")) == ["a", "c", "f"]
    assert list(ask("a", ["z", "f", "a", "c"], "known")) == ["c", "f"]
    assert list(ask(None, [], "known")) == []


def test_a_migrations_window_asks_all_that_the_feed_names(ask: LookupKeys) -> None:
    assert list(ask(None, ["z", "f", "a", "f"], "feed")) == ["a", "f", "z"]
    assert list(ask("f", ["z", "f", "a"], "feed")) == ["z"]


def test_a_company_that_the_feed_names_on_many_days_is_asked_about_in_one_chunk_of_a_migration(
    ask: LookupKeys, loader: psycopg.Connection
) -> None:
    window = Window(NOW - timedelta(days=60), NOW - timedelta(days=30))
    loader.execute("update ops.load set state = 'published'")
    load = ledger.begin(loader, "white_list", "subject", window, Run("migrate", "manual__1", "os:test"))
    loader.execute("insert into landing.lookup_result values (%s, 'f', 'found', %s)", (load.load_id, NOW))
    assert list(ask(None, ["a", "f"], "feed")) == ["a", "f"]  # no chunk of a migration in progress
    migration_id = loader.execute(
        "insert into ops.migration"
        " (system, streams, window_start, window_end, chunk, mode, reason, actor, run_id, plan) values"
        " ('white_list', '{subject}', %s, %s, '30 days', 'incremental', 'a test', 'os:test', 'manual__1', '{}')"
        " returning migration_id",
        (window.start, NOW),
    ).fetchone()[0]
    loader.execute(
        "insert into ops.migration_chunk (migration_id, stream, position, window_start, window_end, dry_run_load)"
        " values (%s, 'subject', 1, %s, %s, %s)",
        (migration_id, window.start, window.end, load.load_id),
    )
    assert list(ask(None, ["a", "f"], "feed")) == ["a"]
    assert list(ask(None, ["a", "f"], "known")) == ["a", "f"]  # a backfill is a load like any other
    loader.execute("update ops.migration set ended_at = now(), state = 'failed'")
    assert list(ask(None, ["a", "f"], "feed")) == ["a", "f"]  # what it had read is published by nobody
