"""Each query of `onefold sql`, and each page of the console that shows personal values, is in the audit chain: before a
row is shown, and when the rows have ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import psycopg
from psycopg.types.json import Jsonb

from onefold.catalog.reader import read_catalog
from onefold.errors import Fatal
from onefold.privacy.personal_columns import personal_columns
from onefold.warehouse.read_columns import ReadColumn, read_columns
from onefold.warehouse.statement_text import LONGEST, statement_hash, without_values

Form = Literal["table", "csv", "json", "page"]
MOST_COLUMNS = 200
"""So many columns of one statement are named in its event."""
_RECORD = "select conformed.record_read(%s, %s, %s, %s, %s, %s)"


@dataclass(slots=True)
class RecordedRead:
    """One query. It is recorded by the session that asks it, so as the role that has signed in; `person` is who runs
    the command on this machine, or looks at the page. `about` names what is shown, where that is one thing: the entity
    and its golden_id, the stream and the quarantine_id, or the write_back_plan. `rows` is how
    many were fetched so far."""

    connection: psycopg.Connection
    statement: str
    form: Form
    person: str
    about: Mapping[str, str | int] = field(default_factory=dict)
    rows: int = 0
    _text: str = field(init=False)

    def __post_init__(self) -> None:
        self._text = without_values(self.statement)

    def begin(self) -> None:
        """Record what is about to be read. Raises Fatal when that fails: nothing may then be read."""
        columns = read_columns(self.connection, self.statement)
        of_people = personal_columns(columns, read_catalog()) if columns else frozenset[ReadColumn]()
        payload: dict[str, object] = {
            **self.about,
            "form": self.form,
            "columns_known": columns is not None,
            "columns": len(columns or ()),
            "personal_columns": _names(of_people)[:MOST_COLUMNS],
        }
        try:
            self._record(payload, finished=False, result="ok")
        except psycopg.Error as error:
            raise Fatal(
                f"What was asked was not run, because it could not be recorded in the audit chain (SQLSTATE "
                f"{error.sqlstate}). Run bin/onefold up, which grants what is missing; then try again."
            ) from None

    def count(self, rows: Iterator[Sequence[object]]) -> Iterator[Sequence[object]]:
        """The same rows, counted."""
        for row in rows:
            self.rows += 1
            yield row

    def end(self, result: Literal["ok", "failed"]) -> None:
        """Record how many rows came. Where the session is lost, what begin() has recorded stays without an end."""
        if not self.connection.closed:
            self._record({**self.about, "form": self.form, "rows": self.rows}, finished=True, result=result)

    def _record(self, payload: dict[str, object], *, finished: bool, result: str) -> None:
        values = (self.person, statement_hash(self._text), self._text[:LONGEST], Jsonb(payload), finished, result)
        self.connection.execute(_RECORD, values)


def _names(columns: frozenset[ReadColumn]) -> list[str]:
    return sorted(f"{each.schema}.{each.table}.{each.column}" for each in columns)
