"""What a person asks to roll back or to undo, and why it may be refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import psycopg
from psycopg import sql

from onefold.catalog.partial_changes import MERGED
from onefold.catalog.system import System
from onefold.connectors.past import how_to_load_again
from onefold.errors import Fatal, Retriable
from onefold.load.superseded import first_reversible
from onefold.rollback.stream_change import StreamChange, Target

_BIGINT = 2**63
NOTHING_CHANGED = "Nothing was changed."


@dataclass(frozen=True, slots=True)
class RollbackRequest:
    """Loads to roll back, by their ids or by the DAG run that loaded them; or the rollback to undo.

    Airflow gives the runs of several DAGs one run id (those of one moment of the schedule), so a run is the id and the
    DAG; the id alone is enough where only one DAG has it.
    """

    loads: tuple[int, ...] = ()
    dag_id: str | None = None
    run_id: str | None = None
    undo: int | None = None
    reason: str = ""


def require_reason(request: RollbackRequest) -> None:
    """Raises Fatal when it has none."""
    if not request.reason.strip():
        raise Fatal(f"A rollback needs a reason, which others read in ops.rollback. {NOTHING_CHANGED}")


def requested_loads(connection: psycopg.Connection, request: RollbackRequest) -> tuple[int, ...]:
    """The ids of the loads that a request names, ascending. Raises Fatal for an incomplete request or unknown run."""
    if request.undo is not None:
        if request.loads or request.run_id or request.dag_id:
            raise Fatal(f"Name either loads to roll back or a rollback to undo, not both. {NOTHING_CHANGED}")
        return _loads_of_rollback(connection, request.undo)
    loads = set(request.loads)
    if request.run_id:
        loads |= _loads_of_run(connection, request.dag_id, request.run_id)
    elif request.dag_id:
        raise Fatal(f"Name the run of {request.dag_id} too: a DAG has many. {NOTHING_CHANGED} See ops.load.")
    if not loads:
        raise Fatal(f"Name at least one load, or the run that loaded them. {NOTHING_CHANGED} See ops.load.")
    return tuple(sorted(loads))


def _loads_of_run(connection: psycopg.Connection, dag_id: str | None, run_id: str) -> set[int]:
    """The published loads of a run. Raises Fatal when there are none, or when several DAGs have a run of this id."""
    found = connection.execute(
        "select dag_id, array_agg(load_id order by load_id) from ops.load"
        " where run_id = %s and state = 'published' and dag_id = coalesce(%s, dag_id) group by dag_id order by dag_id",
        (run_id, dag_id),
    ).fetchall()
    if not found:
        raise Fatal(
            f"There is no published load of run {run_id!r}{f' of {dag_id}' if dag_id else ''}. {NOTHING_CHANGED} "
            "See the columns dag_id and run_id of ops.load."
        )
    if len(found) > 1:
        which = ", ".join(f"{dag} (load {_listed(loads)})" for dag, loads in found)
        raise Fatal(f"{len(found)} DAGs have a run {run_id!r}: {which}. {NOTHING_CHANGED} Name the DAG too.")
    return set(found[0][1])


def stream_changes(
    connection: psycopg.Connection,
    systems: Mapping[str, System],
    loads: Sequence[int],
    target: Target,
) -> list[StreamChange]:
    """The loads by stream. Raises Fatal when the state of one does not allow it, Retriable while a stream is loaded."""
    made = checked_changes(connection, systems, loads, target)
    for change in made:
        _require_merges_included(connection, change)
    return made


def checked_changes(
    connection: psycopg.Connection,
    systems: Mapping[str, System],
    loads: Sequence[int],
    target: Target,
) -> list[StreamChange]:
    """As stream_changes(), of what is seen without reading records: all but which loads have merged partial changes."""
    found = connection.execute(
        "select load_id, system, stream, state from ops.load where load_id = any (%s) order by system, stream, load_id",
        ([load_id for load_id in loads if 0 < load_id < _BIGINT],),
    ).fetchall()
    if unknown := sorted(set(loads) - {load_id for load_id, *_ in found}):
        raise Fatal(f"There is no load {_listed(unknown)} in ops.load. {NOTHING_CHANGED}")
    made = []
    for (system, stream), rows in groupby(found, key=lambda row: (row[1], row[2])):
        of_stream = [(load_id, state) for load_id, _, _, state in rows]
        known = system in systems and stream in systems[system].streams
        again = how_to_load_again(systems[system], stream) if known else "load it again"
        _require_changeable(connection, f"{system}.{stream}", system, stream, of_stream, target, again)
        if not known:
            raise Fatal(
                f"{system}.{stream} is no longer in catalog/systems, which says how its records are compared. "
                f"{NOTHING_CHANGED} Put the stream back, roll back, and take it out again."
            )
        change = StreamChange(
            system, stream, systems[system].streams[stream], tuple(load_id for load_id, _ in of_stream), target
        )
        _require_replays_included(connection, change)
        made.append(change)
    return made


def _require_changeable(
    connection: psycopg.Connection,
    name: str,
    system: str,
    stream: str,
    loads: Sequence[tuple[int, str]],
    target: Target,
    again: str,
) -> None:
    needed = "published" if target == "rolled_back" else "rolled_back"
    first = first_reversible(connection, system, stream)
    for load_id, state in loads:
        if state in ("extracting", "landed", "gated"):
            raise Fatal(
                f"Load {load_id} of {name} is in progress (state {state}). {NOTHING_CHANGED} Wait until its run "
                "has ended; a load that is not published needs no rollback."
            )
        if state == "rejected":
            raise Fatal(f"Load {load_id} of {name} was rejected, so it wrote nothing. {NOTHING_CHANGED}")
        if state != needed:
            already = "was rolled back already" if state == "rolled_back" else "is published: there is nothing to undo"
            raise Fatal(
                f"Load {load_id} of {name} {already}. {NOTHING_CHANGED} See ops.rollback for what was done and why."
            )
        if first is None or load_id < first:
            raise Fatal(
                f"Load {load_id} of {name} can no longer be rolled back (ops.load.rollback_until): the readings that "
                f"later loads did not write because of it are deleted. {NOTHING_CHANGED} Fix the source and {again}, "
                "or raise ONEFOLD_ROLLBACK_DAYS for future loads."
            )
    in_progress = connection.execute(
        "select load_id, run_id from ops.load where system = %s and stream = %s"
        " and state in ('extracting', 'landed', 'gated')",
        (system, stream),
    ).fetchone()
    if in_progress:
        raise Retriable(
            f"{name} has load {in_progress[0]} in progress (run {in_progress[1]}). {NOTHING_CHANGED} Wait until "
            "that run has ended; this one tries again."
        )


def _require_replays_included(connection: psycopg.Connection, change: StreamChange) -> None:
    """A replayed row came with the load that quarantined it, and cannot be published without that load."""
    alone = connection.execute(
        """
        select quarantined.load_id, replayed.load_id
        from ops.replay_row
        join ops.quarantine using (quarantine_id)
        join ops.load quarantined on quarantined.load_id = quarantine.load_id
        join ops.load replayed on replayed.load_id = replay_row.load_id
        where outcome in ('published', 'refused') and case
            when %(out)s then quarantined.load_id = any (%(loads)s)
                 and replayed.load_id <> all (%(loads)s) and replayed.state = 'published'
            else replayed.load_id = any (%(loads)s) and quarantined.load_id <> all (%(loads)s)
                 and quarantined.state <> 'published' end
        limit 1
        """,
        {"loads": list(change.loads), "out": change.target == "rolled_back"},
    ).fetchone()
    if alone:
        first = f"Undo the rollback of load {alone[0]} first."
        remedy = "Roll both back together." if change.target == "rolled_back" else first
        raise Fatal(
            f"Rows that load {alone[0]} of {change.name} had quarantined were replayed by load {alone[1]}. "
            f"{NOTHING_CHANGED} {remedy}"
        )


def _require_merges_included(connection: psycopg.Connection, change: StreamChange) -> None:
    """What a later load has merged a partial change into cannot go, or come back, without that load."""
    if change.stream.partial_changes is None:
        return
    alone = connection.execute(
        sql.SQL(
            """
            select later._load_id, (later.payload #>> {base})::bigint
            from (
                select _key, _load_id, _payload as payload from {versions} where _load_id > {first}
                union all
                select _key, _load_id, _payload from staging.superseded
                where system = {system} and stream = {stream} and _load_id > {first}
                union all
                select _key, load_id, payload from ops.quarantine
                where system = {system} and stream = {stream} and load_id > {first} and _key is not null
            ) later join ops.load on ops.load.load_id = later._load_id
            where later.payload #>> {base} is not null and later._load_id <> all ({loads}) and state = 'published'
              and case when {out} then (later.payload #>> {base})::bigint = any ({loads}) else exists (
                  select from staging.superseded s where s.system = {system} and s.stream = {stream}
                  and s._key = later._key and s._load_id = any ({loads})
              ) end
            order by 1 limit 1
            """
        ).format(
            base=sql.Literal([MERGED, "load"]),
            versions=change.table.versions,
            first=sql.Literal(min(change.loads)),
            system=sql.Literal(change.system),
            stream=sql.Literal(change.stream_name),
            loads=sql.Literal(list(change.loads)),
            out=sql.Literal(change.target == "rolled_back"),
        )
    ).fetchone()
    if alone and change.target == "rolled_back":
        raise Fatal(
            f"Load {alone[0]} of {change.name} merged changes of single fields into records of load {alone[1]}. "
            f"{NOTHING_CHANGED} Roll both back together."
        )
    if alone:
        raise Fatal(
            f"Load {alone[0]} of {change.name} has merged changes of single fields into these records since. "
            f"{NOTHING_CHANGED} Roll it back first, undo this rollback, and undo that one."
        )


def _loads_of_rollback(connection: psycopg.Connection, rollback_id: int) -> tuple[int, ...]:
    found = connection.execute(
        "select state, loads, undoes from ops.rollback where rollback_id = %s",
        (rollback_id if 0 < rollback_id < _BIGINT else 0,),
    ).fetchone()
    if found is None:
        raise Fatal(f"There is no rollback {rollback_id} in ops.rollback. {NOTHING_CHANGED}")
    state, loads, undoes = found
    if undoes is not None:
        raise Fatal(
            f"Rollback {rollback_id} is itself the undo of rollback {undoes}. {NOTHING_CHANGED} Roll the loads "
            f"{_listed(loads)} back once more instead."
        )
    if state != "done":
        raise Fatal(f"Rollback {rollback_id} is {state}, not done: there is nothing to undo. {NOTHING_CHANGED}")
    return tuple(loads)


def _listed(loads: Sequence[int]) -> str:
    return ", ".join(map(str, loads))
