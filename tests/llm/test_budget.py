"""The month's budget: reserved before each call and settled after it, whoever asks beside it or dies in between."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import psycopg
import pytest

from onefold.llm.configuration import Budget
from onefold.llm.ledger import BudgetUsedUp
from onefold.settings import ROOT
from tests.effort import TORTURE
from tests.llm.conftest import Models, question

PROCESSES, CALLS, ROUNDS = (10, 50, 20) if TORTURE else (2, 50, 1)
EACH = CALLS // PROCESSES
BOUND = question(10_000).most_input_tokens + question().most_tokens
"""The most that one of the calls can use."""


@contextmanager
def asking(models: Models, first: int, count: int, tokens: int) -> Iterator[subprocess.Popen[str]]:
    arguments = [models.url, models.servers[0].web.url, str(first), str(count), str(tokens)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.llm.caller", *arguments],
        env={"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}", "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


@pytest.mark.parametrize("attempt", range(ROUNDS))
def test_50_calls_at_the_same_time_in_several_processes_never_use_more_than_the_budget_together(
    models: Models, attempt: int
) -> None:
    room = 7 + attempt
    budget = BOUND * room + BOUND // 2
    first = 10_000 + attempt * CALLS
    server = models.servers[0]
    server.until = threading.Event()  # nobody is answered before every call was let in or refused
    refused = threading.Semaphore(0)
    said: list[str] = []

    def listen(process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            said.append(line.strip())
            if line.strip() == "refused":
                refused.release()

    processes = [asking(models, first + EACH * n, EACH, budget) for n in range(PROCESSES)]
    running = [each.__enter__() for each in processes]
    listeners = [threading.Thread(target=listen, args=(each,)) for each in running]
    for each in listeners:
        each.start()
    for _ in range(CALLS - room):
        assert refused.acquire(timeout=60)
    server.until.set()
    for each in listeners:
        each.join(60)
    for each in processes:
        each.__exit__(None, None, None)
    assert (said.count("answered"), said.count("refused")) == (room, CALLS - room)
    assert len(server.prompts) == room
    (used,) = models.query("select sum(input_tokens + output_tokens) from ops.llm_call")[0]
    assert 0 < used <= budget
    assert {call["state"] for call in models.calls()} == {"answered"}


def test_who_is_killed_between_leaves_the_reservation_which_counts_until_it_expires(
    models: Models, warehouse_url: str
) -> None:
    server = models.servers[0]
    server.until = threading.Event()
    with asking(models, 10_000, 1, BOUND) as process:
        while not server.prompts:
            assert process.poll() is None
        process.kill()
        process.wait()
    server.until.set()
    (left,) = models.calls()
    assert (left["state"], left["ended_at"]) == ("reserved", None)
    assert models.query("select action from audit.event") == [("llm.ask",)]
    router = models.router(Budget(BOUND, None, None), (models.setting(0),))
    with pytest.raises(BudgetUsedUp, match=r"budget for language models is used up.*ONEFOLD_LLM_BUDGET"):
        router.ask(question(), str)
    with psycopg.connect(warehouse_url) as owner:
        owner.execute("update ops.llm_call set expires_at = clock_timestamp()")
    router.ask(question(), str)
    assert [call["state"] for call in models.calls()] == ["reserved", "answered"]


def test_a_budget_in_money_is_kept_by_each_providers_price_and_what_is_not_used_is_free_again(models: Models) -> None:
    price = models.setting(0).price
    assert price is not None
    prompt = question()
    most = price.of(prompt.most_input_tokens, prompt.most_tokens)
    router = models.router(Budget(None, most * 2, "USD"))
    asked = 0
    with pytest.raises(BudgetUsedUp, match=r"USD"):
        for asked in range(1000):
            router.ask(question(asked), str)
    (used,) = models.query("select sum(cost) from ops.llm_call")[0]
    assert asked > 2  # settled by what was used, which is less than what was reserved
    assert most / 2 < used <= most * 2
    assert isinstance(used, Decimal)


def test_what_was_used_last_month_counts_no_more(models: Models, warehouse_url: str) -> None:
    router = models.router(Budget(BOUND, None, None))
    router.ask(question(1), str)
    with pytest.raises(BudgetUsedUp):
        router.ask(question(2), str)
    with psycopg.connect(warehouse_url) as owner:
        owner.execute(
            "update ops.llm_call set reserved_at = date_trunc('month', now(), 'UTC') - interval '1 microsecond'"
        )
    assert not router.ask(question(2), str).from_cache
