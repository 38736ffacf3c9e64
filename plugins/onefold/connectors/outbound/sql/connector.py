"""A table of a SQL database as a target: each change is one transaction, so its outcome is nearly always known.

A create relies on a unique index on the reference: a second insert of it fails, however late the first one comes. An
update reads its row FOR UPDATE and compares its version. What was written is read again before the commit: a value that
the table would keep otherwise than it was given (rounded, cut, "?") is rolled back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Unpack

import sqlalchemy as sa

from onefold.connectors.outbound.applied import applied
from onefold.connectors.outbound.contract import Change, Current, Outbound, Outcome, Place, Result, Value
from onefold.connectors.outbound.sql.table import TargetTable, target_table
from onefold.connectors.sql.database import Database
from onefold.connectors.sql.database_errors import Clash
from onefold.errors import Fatal
from onefold.http.attempt import Attempt
from onefold.http.endpoint import Endpoint
from onefold.http.failure import WriteRefused
from onefold.http.persistent import AttemptSettings

ROWS = 500
"""References or keys of one question."""


class Moved(WriteRefused):
    """The row is not in the version that the change was made for."""


class SqlOutbound(Outbound):
    """Writes to one table and reads it."""

    batch = 100

    def __init__(self, place: Place, database: Database) -> None:
        super().__init__(place)
        self._database = database
        self._described: TargetTable | None = None

    def close(self) -> None:
        self._database.close()

    def apply(self, changes: Sequence[Change]) -> Sequence[Outcome]:
        return applied(self, changes, self._apply)

    def find(self, references: Sequence[str]) -> Sequence[Current]:
        return self._where(self.place.reference, references)

    def read(self, keys: Sequence[str]) -> Sequence[Current]:
        return self._where(self.place.key, keys)

    def match(self, field: str, value: Value) -> Sequence[Current]:
        return self._where(field, [value])

    def _apply(self, change: Change) -> Outcome:
        table = self._table()
        if missing := table.lacks(change.fields):
            return Outcome(change.id, Result.REFUSED, reason=f"{self.place.named} has no field {missing!r}.")
        action = {"create": self._create, "update": self._update, "delete": self._delete}[change.kind]
        try:
            return action(table, change)
        except Moved as error:
            return Outcome(change.id, Result.MOVED, change.key, reason=str(error))
        except ValueError as error:  # its words would quote the value
            reason = f"{self.place.named}: a value does not fit its column ({type(error).__name__})."
            return Outcome(change.id, Result.REFUSED, change.key, reason=reason)

    def _create(self, table: TargetTable, change: Change) -> Outcome:
        if not table.reference_unique:
            raise Fatal(
                f"{self.place.named}: nothing is created, because the database would take one reference twice. Make a "
                f"unique index on {self.place.reference}."
            )
        given = {**change.fields, self.place.reference: change.reference}
        insert = sa.insert(table.table).values({name: table.bound(name, value) for name, value in given.items()})
        try:
            return self._written("INSERT", table, change, given, insert)
        except Clash:
            if there := self.find([change.reference]):
                return self._created_before(change, there[0])
            raise

    def _created_before(self, change: Change, there: Current) -> Outcome:
        """A row has the reference already: by this change, which was sent before, or by another one."""
        different = _different(there, change.fields)
        if different is None:
            return Outcome(change.id, Result.DONE, there.key, there.version)
        reason = f"{self.place.named}: there is a record with our reference, and its {different} is not what we write."
        return Outcome(change.id, Result.MOVED, there.key, there.version, reason)

    def _update(self, table: TargetTable, change: Change) -> Outcome:
        given = {**change.fields, self.place.reference: change.reference}
        update = (
            sa.update(table.table)
            .where(table.equals(self.place.key, change.key))
            .values({name: table.bound(name, value) for name, value in given.items()})
        )
        return self._written("UPDATE", table, change, given, update)

    def _delete(self, table: TargetTable, change: Change) -> Outcome:
        delete = sa.delete(table.table).where(table.equals(self.place.key, change.key))

        def act(connection: sa.Connection) -> Outcome:
            self._require_version(connection, table, change)
            connection.execute(delete)
            if connection.execute(table.rows(table.equals(self.place.key, change.key))).first():
                raise WriteRefused(f"{self.place.named}: the row is still there after its delete.")
            return Outcome(change.id, Result.DONE, change.key)

        return self._database.write("DELETE", self.place.object, act)

    def _written(
        self, verb: str, table: TargetTable, change: Change, given: Mapping[str, Value], statement: sa.Executable
    ) -> Outcome:
        def act(connection: sa.Connection) -> Outcome:
            if verb == "UPDATE":
                self._require_version(connection, table, change)
            connection.execute(statement)
            condition = table.equals(self.place.reference, change.reference)
            if change.key is not None:
                condition = table.equals(self.place.key, change.key)
            rows = connection.execute(table.rows(condition)).mappings().all()
            if len(rows) != 1:
                raise WriteRefused(f"{self.place.named}: {len(rows)} rows are there of one that was written.")
            there = table.current(dict(rows[0]))
            if different := _different(there, given):
                raise WriteRefused(
                    f"{self.place.named} would keep {different} otherwise than it was given (rounded, cut, or without "
                    "characters that it does not have). Nothing was written: say in the target's YAML how it fits."
                )
            return Outcome(change.id, Result.DONE, there.key, there.version)

        return self._database.write(verb, self.place.object, act)

    def _require_version(self, connection: sa.Connection, table: TargetTable, change: Change) -> None:
        """Lock the change's row. Raises Moved when it is not in the change's version, or gone."""
        rows = connection.execute(table.locked(table.equals(self.place.key, change.key))).mappings().all()
        if not rows:
            raise Moved(f"{self.place.named}: the row is gone.")
        if len(rows) > 1:
            raise WriteRefused(f"{self.place.named}: {len(rows)} rows have one {self.place.key}. Name a unique key.")
        if table.current(dict(rows[0])).version != change.version:
            raise Moved(f"{self.place.named}: the row was changed since it was read.")

    def _where(self, field: str, values: Sequence[Value]) -> list[Current]:
        table = self._table()
        if table.lacks([field]):
            raise Fatal(f"{self.place.named}: {field!r} is no field of it in catalog/targets/{self.place.target}.yaml.")
        questions = (values[start : start + ROWS] for start in range(0, len(values), ROWS))
        return [current for some in questions for current in self._asked(table, field, some)]

    def _asked(self, table: TargetTable, field: str, values: Sequence[Value]) -> list[Current]:
        bound = list(_bound(table, field, values))
        if not bound:
            return []

        def ask(connection: sa.Connection) -> tuple[list[Current], int]:
            rows = connection.execute(table.rows(table.column(field).in_(bound))).mappings().all()
            return [table.current(dict(row)) for row in rows], len(rows)

        return self._database.ask("SELECT", self.place.object, ask)

    def _table(self) -> TargetTable:
        if self._described is None:
            describe = partial(target_table, dialect=self._database.dialect, place=self.place)
            self._described = self._database.ask("DESCRIBE", self.place.object, lambda each: (describe(each), 0))
        return self._described


def _bound(table: TargetTable, field: str, values: Sequence[Value]) -> Iterator[sa.BindParameter[Any]]:
    """The values that the column can have: no row has the others."""
    for value in values:
        try:
            yield table.bound(field, value)
        except ValueError:
            continue


def _different(there: Current, given: Mapping[str, Value]) -> str | None:
    """The first field that is not as it was given; None when all are. The reference was searched by."""
    return next((name for name, value in given.items() if name in there.fields and there.fields[name] != value), None)


def open_sql(
    place: Place, endpoint: Endpoint, on_attempt: Callable[[Attempt], None], **settings: Unpack[AttemptSettings]
) -> SqlOutbound:
    """What writes to a table. Raises Fatal when the endpoint is no database."""
    return SqlOutbound(place, Database(place.system, endpoint, on_attempt, **settings))
