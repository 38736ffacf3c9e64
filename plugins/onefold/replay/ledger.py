"""The account of a replay (ops.replay): which rows it chose, and the proof that each of them was settled.

A replay is one run of the DAG `replay`. Its rows are fixed when it begins, so a run that is tried again goes on with
just the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import psycopg
from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from onefold.audit import AuditEvent, append
from onefold.catalog.system import System
from onefold.errors import Fatal
from onefold.load.ledger import Run
from onefold.load.replayed_rows import without_nested_loops
from onefold.replay.selection import CAN_BE_REPLAYED, MATCHES, Choice, Waiting, check, parameters, waiting
from onefold.warehouse.tables import StagingTable


@dataclass(frozen=True, slots=True)
class StreamAccount:
    """What became of the rows that a replay chose of one stream; the `unsettled` ones have not been judged yet."""

    system: str
    stream: str
    chosen: int
    published: int
    superseded: int
    again: int
    unsettled: int

    @property
    def name(self) -> str:
        return f"{self.system}.{self.stream}"


@dataclass(frozen=True, slots=True)
class Account:
    """A replay and what became of its rows; `left_out` matched the choice and cannot be replayed."""

    replay_id: int
    reason: str
    choice: Mapping[str, object]
    left_out: list[Waiting]
    streams: list[StreamAccount]

    def total(self, what: str) -> int:
        """The sum of one figure (chosen, published, superseded, again) over the streams."""
        return sum(getattr(stream, what) for stream in self.streams)

    def as_json(self) -> dict[str, object]:
        """The account as plain JSON containers, with the sums."""
        return {**asdict(self), **{what: self.total(what) for what in ("chosen", *OUTCOMES)}}


_CHOOSE = sql.SQL(
    "insert into ops.replay_row (replay_id, quarantine_id) select %(replay_id)s, q.quarantine_id"
    " from ops.quarantine q where {} and {}"
).format(MATCHES, CAN_BE_REPLAYED)

OUTCOMES = ("published", "superseded", "again")


def begin(
    connection: psycopg.Connection, choice: Choice, reason: str, run: Run, systems: Mapping[str, System]
) -> Account:
    """Open the run's replay with the rows that match now; a run that has one already goes on with it.

    Raises Fatal, with nothing changed, when the choice is wrong, no reason is given, or nothing can be replayed.
    """
    if found := account(connection, run.dag_id, run.run_id):
        return found
    check(choice, systems)
    if not reason.strip():
        raise Fatal("A replay needs a reason: say what was mended. Nothing was changed.")
    with connection.transaction():
        matching = waiting(connection, choice, systems)
        left_out = [asdict(each) for each in matching if each.why_not]
        replay_id = connection.execute(
            "insert into ops.replay (dag_id, run_id, actor, reason, choice, left_out, chosen)"
            " values (%s, %s, %s, %s, %s, %s, 0) returning replay_id",
            (run.dag_id, run.run_id, run.actor, reason.strip(), Jsonb(choice.as_json()), Jsonb(left_out)),
        ).fetchone()[0]
        chosen = connection.execute(
            _CHOOSE,
            {**parameters(choice, systems), "replay_id": replay_id},
        ).rowcount
        if not chosen:
            raise Fatal(nothing_chosen(matching))
        connection.execute("update ops.replay set chosen = %s where replay_id = %s", (chosen, replay_id))
        begun = account(connection, run.dag_id, run.run_id)
        facts = {"streams": [stream.name for stream in begun.streams], "rows_chosen": chosen}
        append(connection, AuditEvent(run.actor, "replay.begin", f"replay:{replay_id}", "ops.quarantine", None, facts))
    return begun


def prove(connection: psycopg.Connection, run: Run) -> Account:
    """Close the run's replay and return its account, once every row that it chose is settled.

    What the rows' outcomes say is compared with what is there: a version in staging for each row published, a new row
    in quarantine for each that was refused again. Raises Fatal, and leaves the replay open, when a row has not been
    judged (its stream's task failed) or when the sums differ.
    """
    found = account(connection, run.dag_id, run.run_id)
    if found is None:
        raise Fatal(f"Run {run.run_id} has chosen no rows to replay. Clear its task choose first.")
    if left := [f"{s.name} ({s.unsettled:,} of {s.chosen:,} rows)" for s in found.streams if s.unsettled]:
        raise Fatal(
            f"Replay {found.replay_id} is not at its end: {', '.join(left)} have not been judged and wait in "
            "quarantine as before. The log of the stream's task says why; mend that and clear the task: it goes on."
        )
    for stream in found.streams:
        _compare(connection, found.replay_id, stream)
    with connection.transaction():
        sums = {what: found.total(what) for what in OUTCOMES}
        ended = connection.execute(
            "update ops.replay set published = %(published)s, superseded = %(superseded)s, again = %(again)s,"
            " ended_at = now() where replay_id = %(replay_id)s and ended_at is null",
            {**sums, "replay_id": found.replay_id},
        ).rowcount
        if ended:
            facts = {f"rows_{what}": number for what, number in {"chosen": found.total("chosen"), **sums}.items()}
            append(connection, AuditEvent(run.actor, "replay.prove", f"replay:{found.replay_id}", payload=facts))
    return found


def account(connection: psycopg.Connection, dag_id: str, run_id: str) -> Account | None:
    """The replay of a run as it stands; None when the run has chosen nothing."""
    row = connection.execute(
        "select replay_id, reason, choice, left_out from ops.replay where dag_id = %s and run_id = %s",
        (dag_id, run_id),
    ).fetchone()
    if row is None:
        return None
    replay_id, reason, choice, left_out = row
    with connection.cursor(row_factory=class_row(StreamAccount)) as cursor:
        streams = cursor.execute(
            "select system, stream, count(*) as chosen,"
            " count(*) filter (where outcome = 'published') as published,"
            " count(*) filter (where outcome = 'superseded') as superseded,"
            " count(*) filter (where outcome = 'again') as again, count(*) filter (where outcome is null) as unsettled"
            " from ops.replay_row join ops.quarantine using (quarantine_id)"
            " where replay_id = %s group by 1, 2 order by 1, 2",
            (replay_id,),
        ).fetchall()
    return Account(replay_id, reason, choice, [Waiting(**each) for each in left_out], streams)


def nothing_chosen(matching: list[Waiting]) -> str:
    """Why a replay has nothing to do."""
    if not matching:
        return "No row that waits in quarantine matches. Choose more widely; nothing was changed."
    reasons = "; ".join(f"{each.rows:,} of {each.system}.{each.stream}: {each.why_not}" for each in matching)
    return f"No row that matches can be replayed ({reasons}). Nothing was changed."


def _compare(connection: psycopg.Connection, replay_id: int, stream: StreamAccount) -> None:
    """Raises Fatal when a row's outcome is not what the tables show."""
    with connection.transaction(), without_nested_loops(connection):
        unfounded = connection.execute(
            sql.SQL(
                """
                select count(*) from ops.replay_row r
                join ops.quarantine q using (quarantine_id)
                left join {versions} v on v._key = q._key and v._load_id = r.load_id
                left join ops.quarantine a on a._key = q._key and a.load_id = r.load_id
                where r.replay_id = {replay} and q.system = {system} and q.stream = {stream} and (
                    q.state = 'open' or (r.outcome = 'published') <> (v._key is not null)
                    or (r.outcome = 'again') <> (a._key is not null)
                )
                """
            ).format(
                replay=sql.Literal(replay_id),
                system=sql.Literal(stream.system),
                stream=sql.Literal(stream.stream),
                versions=StagingTable(stream.system, stream.stream).versions,
            )
        ).fetchone()[0]
    if unfounded:
        raise Fatal(
            f"Replay {replay_id}: {unfounded:,} rows of {stream.name} are not where ops.replay_row says. Was its load "
            "rolled back meanwhile? Then replay them again; otherwise report it: no load may change another's rows."
        )
