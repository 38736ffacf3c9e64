"""What a look-up source is asked next: whoever waits longest first, so that a quota starves nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from onefold.catalog.reader import read_catalog
from onefold.connectors.page import Window
from onefold.warehouse import ledger
from onefold.warehouse import questions as asking
from onefold.warehouse.ledger import Run

Ask = Callable[[str | None, Iterable[str]], Iterator[str]]
CATALOG = read_catalog()
NOW = datetime(2026, 3, 10, 3, tzinfo=UTC)
ANSWERED = {"a": 1, "b": 26, "c": 50, "d": 26}
"""How many hours ago; e and f were never asked."""


@pytest.fixture
def ask(loader: psycopg.Connection, loader_url: str, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.setattr(
        asking, "named_values_sql", lambda *_, **__: "select value from unnest('{f,e,d,c,b,a}'::text[]) as v(value)"
    )
    window = Window(NOW - timedelta(days=1), NOW)
    load = ledger.begin(loader, "white_list", "subject", window, Run("sync__white_list", "manual__1", "os:test"))
    for question, hours in ANSWERED.items():
        loader.execute(
            "insert into ops.answer (system, stream, question, outcome, answered_at, load_id)"
            " values ('white_list', 'subject', %s, 'found', %s, %s)",
            (question, NOW - timedelta(hours=hours), load.load_id),
        )
    system = CATALOG.systems["white_list"]
    return asking.questions(loader_url, system, "subject", CATALOG.systems, CATALOG.entities, NOW)


def test_what_was_never_asked_comes_first_then_the_oldest_answers(ask: Ask) -> None:
    assert list(ask(None, ())) == ["e", "f", "c", "b", "d"]


def test_a_read_goes_on_after_any_question_in_the_same_order(ask: Ask) -> None:
    whole = list(ask(None, ()))
    for at, question in enumerate(whole):
        assert list(ask(question, ())) == whole[at + 1 :]


def test_what_a_feed_names_is_asked_though_its_answer_is_fresh(ask: Ask) -> None:
    assert list(ask(None, ["a"])) == ["e", "f", "c", "b", "d", "a"]
