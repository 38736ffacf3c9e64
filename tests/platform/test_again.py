"""A step of `up` outlives what others do to the same database at the same moment, and nothing else."""

from __future__ import annotations

import threading

import psycopg
import pytest

from onefold.errors import Fatal
from onefold.platform import again as module
from onefold.platform.again import again, is_transient_output


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES", (0.01, 0.01))


def test_a_deadlock_is_survived(warehouse_url: str) -> None:
    """A real one: a load holds what the step wants, and wants what the step holds."""
    tries = []
    with psycopg.connect(warehouse_url) as load, psycopg.connect(warehouse_url) as ours:
        for session, timeout in ((load, "1min"), (ours, "50ms")):
            session.execute("select set_config('deadlock_timeout', %s, false)", [timeout])
            session.commit()
        load.execute("lock table ops.load in access exclusive mode")

        def want_the_other() -> None:
            load.execute("lock table ops.cursor in access exclusive mode")
            load.commit()

        other = threading.Thread(target=want_the_other)

        def step() -> str:
            tries.append(1)
            with ours.transaction():
                ours.execute("lock table ops.cursor in access exclusive mode")
                if len(tries) == 1:
                    other.start()
                ours.execute("lock table ops.load in access exclusive mode")
            return "done"

        assert again(step) == "done"
        other.join()
    assert len(tries) == 2


def test_the_tries_are_bounded_and_anything_else_is_raised_at_once() -> None:
    tries = []

    def step(error: Exception) -> None:
        tries.append(error)
        raise error

    for error, expected in (
        (psycopg.errors.LockNotAvailable(), 3),
        (psycopg.OperationalError("FATAL:  the database system is starting up"), 3),
        (psycopg.errors.UndefinedTable(), 1),
        (psycopg.OperationalError("password authentication failed"), 1),
        (Fatal("made by a newer Onefold"), 1),
    ):
        tries.clear()
        with pytest.raises(type(error)):
            again(lambda error=error: step(error))
        assert len(tries) == expected, error


def test_airflows_own_words_are_understood() -> None:
    assert is_transient_output("sqlalchemy.exc.OperationalError: (psycopg2.errors.DeadlockDetected) deadlock detected")
    assert not is_transient_output("Can't locate revision identified by 'abc'")
