"""What a table's log says, as records in the order of the commits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from onefold.catalog.stream import Stream
from onefold.connectors.cdc.change import Change
from onefold.connectors.cdc.postgres.pgoutput import Begin, Commit, Relation, RowChange, Truncate, decoded
from onefold.connectors.cdc.postgres.position import Checkpoint, Lsn, cursor
from onefold.connectors.cdc.postgres.rows import FindValues, LogRows, WriterOf
from onefold.connectors.cdc.postgres.slot import LogTable
from onefold.connectors.cdc.refusal import altered_table
from onefold.connectors.emptied import EMPTIED


class Changes:
    """Reads the changes of the table with this oid up to a position, which is not included.

    Where the messages stop at `most`, with the end of the transaction that they are in, `cut` is that end; it is None
    where all up to the position were there.

    Raises Fatal when the table was altered such that rows which did not change may have other values now.
    """

    def __init__(
        self, table: LogTable, stream: Stream, oid: int, held: Checkpoint, end: Lsn, most: int,
        writer_of: WriterOf, find: FindValues,
    ) -> None:  # fmt: skip
        self._table = table
        self._stream = stream
        self._oid = oid
        self._held = held
        self._end = end
        self._most = most
        self._writer_of = writer_of
        self._find = find
        self.columns = held.columns
        self.cut: Commit | None = None

    def read(self, messages: Iterable[bytes], after: str | None) -> Iterator[Change]:
        """The changes that come after the one with the cursor `after`; None: all."""
        rows: LogRows | None = None
        commit, number, met = Lsn(0), 0, 0
        last: Commit | None = None

        def next_cursor() -> str:
            nonlocal number
            number += 1
            return cursor(self._held.epoch, commit, number)

        for data in messages:
            met += 1
            message = decoded(data)
            match message:
                case RowChange() if message.relation == self._oid and rows is not None:
                    for record in rows.records(message, next_cursor):
                        if after is None or (record.cursor or "") > after:
                            yield record
                case Begin():
                    if not message.commit < self._end:
                        return
                    commit, number = message.commit, 0
                case Commit():
                    last = message
                case Relation() if message.id == self._oid:
                    rows = LogRows(message, self._stream, self._table.named, self._writer_of, self._find)
                    self._compare(rows.columns)
                case Truncate() if self._oid in message.relations:
                    at = next_cursor()
                    if after is None or at > after:
                        yield EMPTIED
        self.cut = last if met >= self._most else None

    def _compare(self, columns: dict[str, int]) -> None:
        before, self.columns = self.columns, columns
        if not before:
            return
        differ = sorted(name for name, oid in columns.items() if before.get(name, 0) != oid)
        gone = sorted(before.keys() - columns.keys())
        if differ or gone:
            what = [f"{', '.join(differ)} is new or of another type"] if differ else []
            what += [f"{', '.join(gone)} is dropped, renamed or not published any more"] if gone else []
            raise altered_table(self._table.named, "; ".join(what))
