"""What somebody wants to have rolled back or undone, and why that may be refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import psycopg

from onefold.catalog.system import System
from onefold.errors import Fatal, Retriable
from onefold.load.superseded import first_reversible
from onefold.rollback.stream_change import Change

_BIGINT = 2**63
NOTHING = "Nothing was changed."


@dataclass(frozen=True, slots=True)
class Request:
    """Loads to roll back, by their ids and by the DAG run that brought them; or the rollback that is to be undone."""

    loads: tuple[int, ...] = ()
    run_id: str | None = None
    undo: int | None = None
    reason: str = ""


def asked_loads(connection: psycopg.Connection, request: Request) -> tuple[int, ...]:
    """The loads that a request is about, in order. Raises Fatal when it does not say, or there are none such."""
    if not request.reason.strip():
        raise Fatal(f"A rollback needs a reason: it is what others will read in ops.rollback. {NOTHING}")
    if request.undo is not None:
        if request.loads or request.run_id:
            raise Fatal(f"Name either loads to roll back or a rollback to undo, not both. {NOTHING}")
        return _of_rollback(connection, request.undo)
    loads = set(request.loads)
    if request.run_id:
        of_run = connection.execute(
            "select load_id from ops.load where run_id = %s and state = 'published'", (request.run_id,)
        ).fetchall()
        if not of_run:
            raise Fatal(
                f"No published load is of run {request.run_id!r}. {NOTHING} The runs are in ops.load, column run_id."
            )
        loads |= {load_id for (load_id,) in of_run}
    if not loads:
        raise Fatal(f"Name at least one load, or the run that brought them. {NOTHING} The loads are in ops.load.")
    return tuple(sorted(loads))


def changes(
    connection: psycopg.Connection,
    systems: Mapping[str, System],
    loads: Sequence[int],
    to: Literal["rolled_back", "published"],
) -> list[Change]:
    """The loads, by stream. Raises Fatal where one may not be changed so, Retriable while its stream is loaded."""
    found = connection.execute(
        "select load_id, system, stream, state from ops.load where load_id = any (%s) order by system, stream, load_id",
        ([load_id for load_id in loads if 0 < load_id < _BIGINT],),
    ).fetchall()
    if unknown := sorted(set(loads) - {load_id for load_id, *_ in found}):
        raise Fatal(f"There is no load {_listed(unknown)} in ops.load. {NOTHING}")
    made = []
    for (system, stream), rows in groupby(found, key=lambda row: (row[1], row[2])):
        of_stream = [(load_id, state) for load_id, _, _, state in rows]
        _may_change(connection, f"{system}.{stream}", system, stream, of_stream, to)
        if system not in systems or stream not in systems[system].streams:
            raise Fatal(
                f"{system}.{stream} is no longer in catalog/systems, which says how its records are compared. "
                f"{NOTHING} Put the stream back, roll back, and take it out again."
            )
        change = Change(system, stream, systems[system].streams[stream], tuple(load_id for load_id, _ in of_stream), to)
        _with_their_replays(connection, change)
        made.append(change)
    return made


def _may_change(
    connection: psycopg.Connection,
    name: str,
    system: str,
    stream: str,
    loads: Sequence[tuple[int, str]],
    to: Literal["rolled_back", "published"],
) -> None:
    needed = "published" if to == "rolled_back" else "rolled_back"
    first = first_reversible(connection, system, stream)
    for load_id, state in loads:
        if state in ("extracting", "landed", "gated"):
            raise Fatal(
                f"Load {load_id} of {name} is on its way (state {state}). {NOTHING} Wait until its run has ended; what "
                "is not published needs no rollback."
            )
        if state == "rejected":
            raise Fatal(f"Load {load_id} of {name} was rejected: it never wrote anything. {NOTHING}")
        if state != needed:
            already = "was rolled back already" if state == "rolled_back" else "is published: there is nothing to undo"
            raise Fatal(f"Load {load_id} of {name} {already}. {NOTHING} See ops.rollback for what was done and why.")
        if first is None or load_id < first:
            raise Fatal(
                f"Load {load_id} of {name} is final (ops.load.rollback_until): what later loads read beside it is no "
                f"longer kept, so nobody could say what they would have written. {NOTHING} Mend the source and load "
                "its window again, or raise ONEFOLD_ROLLBACK_DAYS for the loads to come."
            )
    on_its_way = connection.execute(
        "select load_id, run_id from ops.load where system = %s and stream = %s"
        " and state in ('extracting', 'landed', 'gated')",
        (system, stream),
    ).fetchone()
    if on_its_way:
        raise Retriable(
            f"{name} has load {on_its_way[0]} on its way (run {on_its_way[1]}). {NOTHING} Wait until that run has "
            "ended; this one tries again."
        )


def _with_their_replays(connection: psycopg.Connection, change: Change) -> None:
    """What a replay has judged came with the load that had it refused, and cannot be there without it."""
    alone = connection.execute(
        """
        select refused.load_id, judged.load_id
        from ops.replay_row
        join ops.quarantine using (quarantine_id)
        join ops.load refused on refused.load_id = quarantine.load_id
        join ops.load judged on judged.load_id = replay_row.load_id
        where outcome in ('published', 'again') and case
            when %(out)s then refused.load_id = any (%(loads)s) and judged.load_id <> all (%(loads)s)
                              and judged.state = 'published'
            else judged.load_id = any (%(loads)s) and refused.load_id <> all (%(loads)s)
                 and refused.state <> 'published' end
        limit 1
        """,
        {"loads": list(change.loads), "out": change.to == "rolled_back"},
    ).fetchone()
    if alone:
        first = f"Undo the rollback of load {alone[0]} first."
        remedy = "Roll both back together." if change.to == "rolled_back" else first
        raise Fatal(
            f"Of what load {alone[0]} of {change.name} had brought, load {alone[1]} of a replay has published rows, or "
            f"judged them again. {NOTHING} {remedy}"
        )


def _of_rollback(connection: psycopg.Connection, rollback_id: int) -> tuple[int, ...]:
    found = connection.execute(
        "select state, loads, undoes from ops.rollback where rollback_id = %s",
        (rollback_id if 0 < rollback_id < _BIGINT else 0,),
    ).fetchone()
    if found is None:
        raise Fatal(f"There is no rollback {rollback_id} in ops.rollback. {NOTHING}")
    state, loads, undoes = found
    if undoes is not None:
        raise Fatal(
            f"Rollback {rollback_id} was itself the undoing of rollback {undoes}. {NOTHING} Roll the loads "
            f"{_listed(loads)} back once more instead."
        )
    if state != "done":
        raise Fatal(f"Rollback {rollback_id} is {state}, not done: there is nothing to undo. {NOTHING}")
    return tuple(loads)


def _listed(loads: Sequence[int]) -> str:
    return ", ".join(map(str, loads))
