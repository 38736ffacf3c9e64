"""Loads that are killed, and what is wrong with the order of the versions that are there after it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable

from onefold.load import steps
from onefold.load.job import Job
from tests.connectors.cdc.loaded_log import LoadedLog

FORK = multiprocessing.get_context("fork")
MOMENTS = ("any moment", "published, not confirmed", "gated", "confirmed")


def killed(job: Job, when: str, seconds: float) -> bool:
    """Whether the load was killed before it had ended: at a moment of its own, or after so many seconds."""
    process = FORK.Process(target=_load, args=(job, when))
    process.start()
    process.join(None if when != "any moment" else seconds)
    if process.is_alive():
        process.kill()
    process.join()
    return process.exitcode == -signal.SIGKILL


def _load(job: Job, when: str) -> None:
    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def then_die(step: Callable[..., object]) -> Callable[..., None]:
        def stepped(*given: object, **more: object) -> None:
            step(*given, **more)
            die()

        return stepped

    if when == "published, not confirmed":
        steps._confirm = die
    elif when == "confirmed":
        steps._confirm = then_die(steps._confirm)
    elif when == "gated":
        steps.require_publishable = die
    steps.land(job)
    steps.publish(job)
    os._exit(0)


def out_of_order(log: LoadedLog, had_states: Iterable[tuple[str, dict[str, object] | None]]) -> list[tuple[str, str]]:
    """Versions that are no state which the row had at the source after the one before. `had_states` are all states of
    all rows, in their order: the key and the row, None where it was deleted."""
    states: dict[str, list[dict[str, object] | None]] = {}
    for key, row in had_states:
        states.setdefault(key, []).append(row)
    wrong = []
    versions = log.query(
        "select _key, _payload, _deleted, _cursor from staging.test_log__order order by _key, _load_id"
    )
    places: dict[str, int] = {}
    for key, payload, deleted, cursor in versions:
        row = None if deleted else {name: value for name, value in payload.items() if name[0] != "_"}
        had = states.get(key, [])
        place = next((at for at in range(places.get(key, 0), len(had)) if had[at] == row), None)
        if place is None:
            wrong.append((key, cursor))
        else:
            places[key] = place
    return wrong
