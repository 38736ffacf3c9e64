"""Asking a model: failover, cache, and what is recorded of each call."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from onefold.catalog.privacy import TechnicalRetention
from onefold.errors import Fatal, Retriable
from onefold.llm.router import AnswerRefused
from onefold.retention.records import record_purges
from onefold.settings import ROOT
from tests.http.web_server import Say
from tests.llm.chat_server import FAULTS, KEY, NOT_SENT, error
from tests.llm.conftest import Models, question

WORDS = "Zenobia Kanarek, pesel 44051401359"


@pytest.mark.parametrize("fault", FAULTS)
def test_when_the_first_provider_fails_the_second_is_asked_and_nothing_is_counted_that_was_surely_not_used(
    models: Models, fault: str
) -> None:
    first, second = models.servers
    first.faults.append(FAULTS[fault])
    answer = models.router(timeout=0.5).ask(question(), str.upper)
    assert (answer.value, answer.model) == ("IT IS SO.", "model-1")
    assert (len(first.prompts), len(second.prompts)) == (1, 1)
    failed, answered = models.calls()
    assert (failed["provider"], answered["provider"]) == ("llm", "llm_second")
    assert (failed["state"], answered["state"]) == (
        "not_sent" if fault in NOT_SENT else "unanswered",
        "answered",
    )
    used = failed["input_tokens"] + failed["output_tokens"]
    assert used == (0 if fault in NOT_SENT else failed["reserved_tokens"])
    assert failed["estimated"] == (fault not in NOT_SENT)
    assert 0 < answered["input_tokens"] + answered["output_tokens"] < answered["reserved_tokens"]


def test_a_provider_whose_circuit_breaker_is_open_is_not_asked_and_the_next_one_is(models: Models) -> None:
    first, second = models.servers
    first.faults += [error(500, "server_error")] * 2
    router = models.router(threshold=2)
    for number in range(3):
        router.ask(question(number), str)
    assert (len(first.prompts), len(second.prompts)) == (2, 3)
    assert [call["state"] for call in models.calls() if call["provider"] == "llm"][2:] == ["not_sent"]


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_somebody_must_set_right_is_an_error_that_says_what_and_no_other_provider_is_asked(
    models: Models, status: int
) -> None:
    first, second = models.servers
    first.faults.append(error(status, "invalid_request_error", WORDS))
    with pytest.raises(Fatal, match=f"status {status}.*Airflow connection 'llm'") as raised:
        models.router().ask(question(), str)
    assert ("The key is the connection's password" if status == 401 else "must be one that") in str(raised.value)
    assert "Kanarek" not in str(raised.value) and KEY not in str(raised.value)
    assert second.prompts == []
    (call,) = models.calls()
    assert (call["state"], call["input_tokens"], call["output_tokens"]) == ("refused", 0, 0)


def test_when_no_provider_answers_the_error_names_each_and_why(models: Models) -> None:
    for server in models.servers:
        server.faults.append(error(503, "overloaded_error", WORDS))
    with pytest.raises(Retriable, match="No language model answered") as raised:
        models.router().ask(question(), str)
    assert str(raised.value).count("status 503") == 2
    assert "Kanarek" not in str(raised.value)


def test_where_the_provider_does_not_say_what_was_used_all_that_was_reserved_counts(models: Models) -> None:
    models.servers[0].without_usage = True
    models.router().ask(question(), str)
    (call,) = models.calls()
    assert call["estimated"]
    assert call["input_tokens"] + call["output_tokens"] == call["reserved_tokens"]
    assert call["cost"] == call["reserved_cost"] > 0


def test_the_same_is_not_asked_twice_but_other_facts_are_and_a_refused_answer_is_not_cached(models: Models) -> None:
    def refuse(_: str) -> str:
        raise AnswerRefused("no")

    first, _ = models.servers
    router = models.router()
    with pytest.raises(AnswerRefused):
        router.ask(question(1), refuse)
    assert not router.ask(question(1), str).from_cache
    assert models.router().ask(question(1), str).from_cache
    assert len(first.prompts) == 2
    router.ask(question(2), str)
    models.router(settings=(models.setting(1),)).ask(question(1), str)  # other models
    assert (len(first.prompts), len(models.servers[1].prompts)) == (3, 1)
    assert models.query("select count(*) from ops.llm_answer") == [(3,)]


@pytest.mark.parametrize(
    ("finish", "message", "why"),
    [
        ("length", {}, "too long"),
        ("stop", {"content": None}, "no text"),
        ("tool_calls", {"tool_calls": [{"function": {"name": "run"}}]}, "tool"),
    ],
)
def test_an_answer_that_is_cut_or_no_text_is_refused_and_what_it_used_counts(
    models: Models, finish: str, message: dict[str, object], why: str
) -> None:
    models.servers[0].finish, models.servers[0].message = finish, message
    with pytest.raises(AnswerRefused, match=why):
        models.router().ask(question(), str)
    assert models.calls()[0]["state"] == "answered"


def test_every_call_is_in_the_audit_chain_before_it_is_made_by_its_hash_and_never_its_words(models: Models) -> None:
    models.servers[0].faults.append(Say(hang_up=True))
    models.router().ask(question(), str)
    events = models.query('select action, subject, "from", "to", payload, result from audit.event order by seq')
    assert [(action, to, result) for action, _, _, to, _, result in events] == [
        ("llm.ask", "llm", "ok"),
        ("llm.end", "llm", "unanswered"),
        ("llm.ask", "llm_second", "ok"),
        ("llm.end", "llm_second", "ok"),
    ]
    hashes = {bytes(call["prompt_sha256"]).hex() for call in models.calls()}
    assert {event[4]["prompt_sha256"] for event in events} == hashes
    assert "Explain" not in str(events) and "It is so" not in str(events)


def test_tokens_and_cost_of_a_system_and_a_day_are_sums_of_one_table_in_exact_decimals(models: Models) -> None:
    router = models.router()
    for number in range(5):
        router.ask(question(number), str)
    (row,) = models.query(
        "select system, (reserved_at at time zone 'UTC')::date = (now() at time zone 'UTC')::date, sum(input_tokens),"
        " sum(output_tokens), sum(cost), min(currency) from ops.llm_call group by 1, 2"
    )
    into = sum(len(prompt) // 4 + 1 for prompt in models.servers[0].prompts)
    out = 5 * (len("It is so.") // 4 + 1)
    cost = (Decimal("0.15") * into + Decimal("0.60") * out) / 1_000_000
    assert row == ("crm", True, into, out, cost, "USD")


def test_answers_and_calls_are_deleted_when_they_are_due_but_no_call_of_this_month(
    models: Models, warehouse_url: str
) -> None:
    router = models.router()
    for number in range(2):
        router.ask(question(number), str)
    with psycopg.connect(warehouse_url) as owner:
        owner.execute("update ops.llm_call set reserved_at = reserved_at - interval '40 days' where call_id = 1")
        owner.execute(
            "update ops.llm_answer set answered_at = answered_at - interval '40 days' where prompt_sha256 ="
            " (select prompt_sha256 from ops.llm_call where call_id = 1)"
        )
    periods = TechnicalRetention(ledger=timedelta(days=1), llm_answers=timedelta(days=30))
    with psycopg.connect(models.url) as connection:
        purges = record_purges(connection, periods, datetime.now(UTC))
        found = {each.subject: each for each in purges if each.subject.startswith("ops.llm_")}
        assert [found[each].delete_batch(connection) for each in ("ops.llm_call", "ops.llm_answer")] == [1, 1]
    assert [call["call_id"] for call in models.calls()] == [2]
    assert router.ask(question(1), str).from_cache
    assert not router.ask(question(0), str).from_cache


def test_a_command_imports_no_client_while_no_model_is_set() -> None:
    program = "import sys, onefold.commands.map, onefold.commands.explain; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "plugins")},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"onefold.llm.router", "onefold.llm.provider", "onefold.http.client", "requests"} & set(loaded)
