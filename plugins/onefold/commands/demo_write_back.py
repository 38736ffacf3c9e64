"""What the demo shows of write-back: a customer is made in the CRM, the other systems get it by themselves, and their
numbers of it come back into the crosswalk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import requests
from psycopg import Connection

from onefold.commands.demo_changes import Change
from onefold.errors import Fatal, Retriable
from onefold.settings import Settings
from onefold.write_back.waiting import waiting_plans

if TYPE_CHECKING:
    from onefold.catalog.system import System
    from onefold.catalog.target import Target

Found = TypeVar("Found")
LONGEST = 240.0
"""Seconds after which a customer has not arrived."""
EVERY = 0.5
_WRITTEN = """
select o.target, o.target_key, o.state, o.reason, o.ended_at from ops.outbox as o
    join conformed.customer_crosswalk as x on x.customer_id = o.golden_id
where x.system = %s and x.stream = %s and x.key = %s and o.wanted = 'write'
"""
_NUMBERS = """
select x.system, x.stream, x.key from conformed.customer_crosswalk as x
    join conformed.customer_crosswalk as made on made.customer_id = x.customer_id
where made.system = %s and made.stream = %s and made.key = %s order by 1, 2, 3
"""


def make_customer(here: Settings) -> Change:
    """Let a user of the CRM make a customer there. Raises Fatal when it cannot be made."""
    answer = requests.post(f"{here.sandbox_url}/control/customer", timeout=60)
    if not answer.ok:
        raise Fatal(f"The sandbox made no customer (status {answer.status_code}): {answer.text[:500]}")
    made = answer.json()
    return Change(made["system"], made["stream"], made["key"], datetime.fromisoformat(made["at"]))


def write_back_lines(
    connection: Connection,
    made: Change,
    targets: Mapping[str, Target],
    systems: Mapping[str, System],
    sync: Callable[[list[str]], object],
) -> Iterator[str]:
    """Once every target has the customer, after how many seconds each had; then `sync` loads from these systems, and
    the numbers that the crosswalk has of the customer are shown. Raises Retriable when one does not have it in time."""
    yield f"A customer made in {systems[made.system].title}, and how long it took until other systems had it:"
    wanted = sorted(each.system for each in targets.values())
    width = max(len(systems[name].title) for name in wanted)
    written = _wait(
        lambda: _written(connection, made, targets), "the write-backs' runs", lambda found: len(targets) <= len(found)
    )
    for name, (key, ended_at) in sorted(written.items(), key=lambda each: each[1][1]):
        title = systems[targets[name].system].title
        yield f"  {title:<{width}}  as {key:<12} {(ended_at - made.at).total_seconds():5.1f} s"
    sync(wanted)
    numbers = _wait(
        lambda: connection.execute(_NUMBERS, (made.system, made.stream, made.key)).fetchall(),
        "the runs of conform",
        lambda found: set(wanted) <= {system for system, _, _ in found},
    )
    shown = ", ".join(f"{system}.{stream} {key}" for system, stream, key in numbers)
    yield f"The next sync of each joins its number to the same golden record: {shown}"


def _written(connection: Connection, made: Change, targets: Mapping[str, Target]) -> dict[str, tuple[str, datetime]]:
    """By target, the record there, and when it was read back. Raises Fatal when one was refused, or waits for an
    approval: then more than the customer is to be written."""
    found: dict[str, tuple[str, datetime]] = {}
    for target, key, state, reason, ended_at in connection.execute(_WRITTEN, (made.system, made.stream, made.key)):
        if state == "refused":
            raise Fatal(f"The customer was not written into {target}; bin/onefold write-back {target} shows: {reason}")
        if state == "confirmed" and target in targets:
            found[target] = key, ended_at
    for target in (name for name in targets if name not in found):
        if waiting := waiting_plans(connection, target):
            raise Fatal(
                f"The customer waits with {waiting[-1].writes:,} records for an approval by another person than you: "
                f"bin/onefold write-back {target} --approve {waiting[-1].plan_id}"
            )
    return found


def _wait(find: Callable[[], Found], where: str, is_whole: Callable[[Found], bool]) -> Found:
    deadline = time.monotonic() + LONGEST
    while not is_whole(found := find()):
        if time.monotonic() > deadline:
            raise Retriable(f"The customer did not arrive within {LONGEST:.0f} s. Look at {where} in Airflow's UI.")
        time.sleep(EVERY)
    return found
