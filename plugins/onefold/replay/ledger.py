"""The ledger of replays (ops.replay): which rows each selected, and the check that every one of them has an outcome.

A replay is one run of the DAG `replay`. Its rows are fixed when it is opened, so a retried task continues with the same
rows.
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
from onefold.replay.selection import (
    CAN_BE_REPLAYED,
    MATCHES,
    MatchingRows,
    Selection,
    check_selection,
    matching_rows,
    selection_parameters,
)
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import StagingTable

OUTCOMES = ("published", "superseded", "refused")
"""What becomes of a selected row; a refused one is in quarantine again."""
FIGURES = ("selected", *OUTCOMES)


@dataclass(frozen=True, slots=True)
class StreamOutcomes:
    """What became of the rows that a replay selected of one stream; `pending` rows have no outcome yet.

    `withheld` of the selected, and `withheld_again` of the refused, are withheld values of published records.
    """

    system: str
    stream: str
    selected: int
    published: int
    superseded: int
    refused: int
    pending: int
    withheld: int
    withheld_again: int

    @property
    def name(self) -> str:
        return f"{self.system}.{self.stream}"

    @property
    def figures(self) -> dict[str, int]:
        """How many rows were selected, and how many have each outcome."""
        values = (self.selected, self.published, self.superseded, self.refused)
        return dict(zip(FIGURES, values, strict=True))


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay and what became of its rows; `not_replayable` rows matched the selection and cannot be replayed.

    `verdict`: running, complete, partly refused, or all refused: every row came back, and nothing was mended.
    """

    replay_id: int
    reason: str
    selection: Mapping[str, object]
    not_replayable: list[MatchingRows]
    streams: list[StreamOutcomes]
    verdict: str

    @property
    def nothing_mended(self) -> bool:
        """Whether every row came back."""
        return self.verdict == "all refused"

    @property
    def totals(self) -> dict[str, int]:
        """The figures of all streams together."""
        return {figure: sum(stream.figures[figure] for stream in self.streams) for figure in FIGURES}

    @property
    def withheld(self) -> dict[str, int]:
        """Of all streams together, how many of the selected and of the refused are withheld values."""
        return {
            "withheld": sum(stream.withheld for stream in self.streams),
            "withheld_again": sum(stream.withheld_again for stream in self.streams),
        }

    def as_json(self) -> dict[str, object]:
        """The replay as plain JSON containers, with the totals."""
        return {**asdict(self), **self.totals, **self.withheld}


_SELECT_ROWS = sql.SQL(
    "insert into ops.replay_row (replay_id, quarantine_id) select %(replay_id)s, q.quarantine_id"
    " from ops.quarantine q where {} and {}"
).format(MATCHES, CAN_BE_REPLAYED)


def open_replay(
    connection: psycopg.Connection, selection: Selection, reason: str, run: Run, systems: Mapping[str, System]
) -> Replay:
    """Open the run's replay with the rows that match now; a run that has opened one continues with it.

    Raises Fatal, with nothing changed, when the selection is wrong, no reason is given, or nothing can be replayed.
    """
    if existing := find_replay(connection, run.dag_id, run.run_id):
        return existing
    check_selection(selection, systems)
    if not reason.strip():
        raise Fatal("A replay needs a reason: say what was fixed. Nothing was changed.")
    with connection.transaction():
        matching = matching_rows(connection, selection, systems)
        not_replayable = [asdict(each) for each in matching if each.why_not]
        replay_id = one_row(
            connection.execute(
                "insert into ops.replay (dag_id, run_id, actor, reason, selection, not_replayable,"
                " selected)"
                " values (%s, %s, %s, %s, %s, %s, 0) returning replay_id",
                (
                    *(run.dag_id, run.run_id, run.actor, reason.strip()),
                    *(Jsonb(selection.as_json()), Jsonb(not_replayable)),
                ),
            )
        )[0]
        selected = connection.execute(
            _SELECT_ROWS, {**selection_parameters(selection, systems), "replay_id": replay_id}
        ).rowcount
        if not selected:
            raise Fatal(why_nothing_selected(matching))
        connection.execute("update ops.replay set selected = %s where replay_id = %s", (selected, replay_id))
        replay = require_replay(connection, run)
        append(
            connection,
            AuditEvent(
                actor=run.actor,
                action="replay.begin",
                subject=f"replay:{replay_id}",
                from_="ops.quarantine",
                payload={"streams": [stream.name for stream in replay.streams], "rows_selected": selected},
            ),
        )
    return replay


def close_replay(connection: psycopg.Connection, run: Run) -> Replay:
    """Close the run's replay and return it, once every selected row has an outcome.

    The outcomes are compared with the tables: a version in staging for each published row, a new row in quarantine for
    each refused one. Raises Fatal, and leaves the replay open, when a row has no outcome (its stream's task failed) or
    when an outcome is not what the tables show.
    """
    replay = require_replay(connection, run)
    if pending := [f"{s.name} ({s.pending:,} of {s.selected:,} rows)" for s in replay.streams if s.pending]:
        raise Fatal(
            f"Replay {replay.replay_id} is not complete: {', '.join(pending)} have not been replayed and are open in "
            "quarantine as before. The log of the stream's task says why; fix that and clear the task: it continues."
        )
    for stream in replay.streams:
        _require_true_outcomes(connection, replay.replay_id, stream)
    with connection.transaction():
        totals = replay.totals
        closed = connection.execute(
            "update ops.replay set published = %(published)s, superseded = %(superseded)s, refused = %(refused)s,"
            " ended_at = now() where replay_id = %(replay_id)s and ended_at is null",
            {**totals, "replay_id": replay.replay_id},
        ).rowcount
        if closed:
            facts = {f"rows_{figure}": number for figure, number in totals.items()}
            if replay.withheld["withheld"]:
                facts |= {f"values_{figure}": number for figure, number in replay.withheld.items()}
            append(connection, AuditEvent(run.actor, "replay.close", f"replay:{replay.replay_id}", payload=facts))
    return require_replay(connection, run)


def require_replay(connection: psycopg.Connection, run: Run) -> Replay:
    """The run's replay as it stands. Raises Fatal when the run has opened none."""
    replay = find_replay(connection, run.dag_id, run.run_id)
    if replay is None:
        raise Fatal(f"Run {run.run_id} has selected no rows to replay. Clear its first task.")
    return replay


def find_replay(connection: psycopg.Connection, dag_id: str, run_id: str) -> Replay | None:
    """The replay of a run as it stands; None when the run has opened none."""
    row = connection.execute(
        "select replay_id, reason, selection, not_replayable, verdict from ops.replay"
        " where dag_id = %s and run_id = %s",
        (dag_id, run_id),
    ).fetchone()
    if row is None:
        return None
    replay_id, reason, selection, not_replayable, verdict = row
    with connection.cursor(row_factory=class_row(StreamOutcomes)) as cursor:
        streams = cursor.execute(
            "select system, stream, count(*) as selected,"
            " count(*) filter (where outcome = 'published') as published,"
            " count(*) filter (where outcome = 'superseded') as superseded,"
            " count(*) filter (where outcome = 'refused') as refused,"
            " count(*) filter (where outcome is null) as pending, count(attribute) as withheld,"
            " count(attribute) filter (where outcome = 'refused') as withheld_again"
            " from ops.replay_row join ops.quarantine using (quarantine_id)"
            " where replay_id = %s group by 1, 2 order by 1, 2",
            (replay_id,),
        ).fetchall()
    matching = [MatchingRows(**each) for each in not_replayable]
    return Replay(replay_id, reason, selection, matching, streams, verdict)


def why_nothing_selected(matching: list[MatchingRows]) -> str:
    """Why a replay has nothing to do."""
    if not matching:
        return "No open row in quarantine matches. Select more widely; nothing was changed."
    reasons = "; ".join(f"{each.rows:,} of {each.system}.{each.stream}: {each.why_not}" for each in matching)
    return f"No row that matches can be replayed ({reasons}). Nothing was changed."


def _require_true_outcomes(connection: psycopg.Connection, replay_id: int, stream: StreamOutcomes) -> None:
    """Raises Fatal when a row's outcome is not what the tables show."""
    with connection.transaction(), without_nested_loops(connection):
        untrue = one_row(
            connection.execute(
                sql.SQL(
                    """
                    select count(*) from ops.replay_row r
                    join ops.quarantine q using (quarantine_id)
                    left join {versions} v on v._key = q._key and v._load_id = r.load_id
                    cross join lateral (
                        select exists (
                            select from ops.quarantine a where a._key = q._key and a.load_id = r.load_id
                            and (a.attribute is null or a.attribute = q.attribute)
                        ) as again
                    ) refused
                    where r.replay_id = {replay} and q.system = {system} and q.stream = {stream} and (
                        (q.state = 'open' and not (q.attribute is not null and r.outcome = 'refused'))
                        or (r.outcome = 'published') <> (v._key is not null and not again)
                        or (r.outcome = 'refused') <> again
                    )
                    """
                ).format(
                    replay=sql.Literal(replay_id),
                    system=sql.Literal(stream.system),
                    stream=sql.Literal(stream.stream),
                    versions=StagingTable(stream.system, stream.stream).versions,
                )
            )
        )[0]
    if untrue:
        raise Fatal(
            f"Replay {replay_id}: {untrue:,} rows of {stream.name} are not where ops.replay_row says. If its load was "
            "rolled back since, replay the rows again; otherwise report it: no load may change another's rows."
        )
