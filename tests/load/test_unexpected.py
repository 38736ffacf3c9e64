"""Whatever a source, a reader or the machine comes up with: the ledger says so, and the next run works."""

from __future__ import annotations

import pytest

from onefold.errors import Fatal, OnefoldError, Retriable
from onefold.load import gate_step, steps
from tests.load.shop import pages, record

PESEL = "44051401458"
MATRIX = pytest.mark.full_matrix


class _TimeLimit(BaseException):
    """As Airflow's AirflowTaskTimeout, which is no Exception either."""


def _of(kind: type[BaseException]) -> BaseException:
    return UnicodeDecodeError("utf-8", PESEL.encode(), 0, 1, PESEL) if kind is UnicodeDecodeError else kind(PESEL)


@pytest.mark.parametrize(
    ("kind", "raised"),
    [
        *((kind, Fatal) for kind in (RecursionError, UnicodeDecodeError)),
        *(pytest.param(kind, Fatal, marks=MATRIX) for kind in (OverflowError, KeyError, AttributeError)),
        (MemoryError, Retriable),
        pytest.param(OSError, Retriable, marks=MATRIX),
        (_TimeLimit, _TimeLimit),
        (KeyboardInterrupt, KeyboardInterrupt),
    ],
)
def test_whatever_ends_the_reading_ends_the_load_in_the_ledger_without_its_words(shop, caplog, kind, raised):
    first = record("a", 1)
    with pytest.raises(raised) as ended:
        steps.run(shop.job([pages([first], [])[0], _of(kind)]))
    left = shop.last()
    assert (left.state, left.ended_at is not None) == ("rejected", True)
    assert kind.__name__ in (left.error or "") and PESEL not in (left.error or "") + caplog.text
    if issubclass(raised, OnefoldError):
        assert kind.__name__ in str(ended.value) and PESEL not in str(ended.value)
    events = str(shop.query("select payload::text from audit.event union all select event::text from lineage.event"))
    assert PESEL not in events
    assert steps.run(shop.job(pages([first]))).state == "published"
    assert set(shop.current()) == {"a"}


@pytest.mark.parametrize("kind", [MemoryError, _TimeLimit])
def test_an_attempt_that_has_more_after_it_says_why_it_waits_and_goes_on_after_its_last_page(shop, kind):
    given = pages([record("a", 1)], [record("b", 2)])
    with pytest.raises((Retriable, _TimeLimit)):
        steps.run(shop.job([given[0], _of(kind), given[1]], run="r", last_attempt=False))
    left = shop.last()
    assert left.state == "extracting" and kind.__name__ in (left.error or "")
    load = steps.run(shop.job([given[0], given[1]], run="r", is_retry=True))
    assert (load.load_id, load.state, load.pages) == (left.load_id, "published", 2)


def test_a_failure_after_the_reading_is_in_the_ledger_as_well(shop, monkeypatch):
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError(PESEL)

    with monkeypatch.context() as patched, pytest.raises(Fatal) as failed:
        patched.setattr(gate_step, "run_gate", broken)
        steps.run(shop.job(pages([record("a", 1)])))
    assert failed.value.step == "gate"
    assert shop.last().state == "rejected" and "ZeroDivisionError" in (shop.last().error or "")


@pytest.mark.parametrize("text", ["a \0 in it", "half a pair: \ud800", "long: " + "x" * 100_000])
def test_a_message_that_postgresql_cannot_hold_does_not_leave_the_load_in_progress(shop, text):
    with pytest.raises(Fatal):
        steps.run(shop.job([Fatal(text)]))
    assert shop.last().state == "rejected" and len(shop.last().error or "") <= 2000
    assert steps.run(shop.job(pages([record("a", 1)]))).state == "published"
