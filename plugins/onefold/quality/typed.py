"""The candidates' payloads spread into typed columns, for the suite to look at.

The columns are the fields' names in lower case: SQL in a suite then needs no quotes (and Great Expectations does not
quote them). Two columns are findings of our own, for the suites to assert on: `_unparsed` names the essential fields
whose value is not of the declared type, `_unmapped` the essential attributes whose value no mapping knows. Both are
NULL when all is well, and hold names only, never values. `_withheld` numbers the faults that cost a record no more than
a value (load/withheld.py), as 'm0,p4'; NULL when there is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import psycopg
from psycopg import sql

from onefold.catalog.fields import SourceField
from onefold.catalog.stream import Stream
from onefold.mapping.sql import all_cases, field_sql
from onefold.quality.faults import POSTGRES, field_faults, field_text, instant, is_readable, suspicions
from onefold.quality.suite import Suite
from onefold.quality.withholding import Withholding
from onefold.warehouse.rows import one_row
from onefold.warehouse.tables import LandingTables


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a value, for which `attributes` (entity.attribute, or an unread field) are withheld.

    `condition` is SQL over a candidate; `finding` is the finding that it would be of an essential field.
    """

    attributes: tuple[str, ...]
    fields: tuple[str, ...]
    finding: Literal["_unparsed", "_unmapped"]
    condition: sql.Composable
    text: str
    allowed: str

    def code(self, number: int) -> str:
        """How `_withheld` names the fault with this number: m4 (unmapped), p4 (unparsed)."""
        return f"{'p' if self.finding == '_unparsed' else 'm'}{number}"


@dataclass(frozen=True, slots=True)
class Typed:
    """The typed table: how many rows it has, deletions not counted; whether an essential field of some row is
    unreadable; the faults that `_withheld` numbers, and the codes of those that some row has."""

    rows: int
    unparsed: bool
    faults: tuple[Fault, ...]
    codes: tuple[str, ...]

    @property
    def has_unreadable(self) -> bool:
        """Whether any value is not of its field's type."""
        return self.unparsed or any(code.startswith("p") for code in self.codes)

    def fault(self, code: str) -> Fault:
        """The fault that the code names."""
        return self.faults[int(code[1:])]


def make_typed(
    connection: psycopg.Connection, landing: LandingTables, stream: Stream, withholding: Withholding, suite: Suite
) -> Typed:
    """Make the load's typed table: a column for every field that the suite names or that is more than text.

    Nearly always every value can be read as its type, so it is simply read; only when that fails is each value asked
    first whether it can be.
    """
    fields = {
        name: field for name, field in stream.fields.items() if field.type in POSTGRES or suite.names(name.lower())
    }
    unmapped = sql.SQL(
        all_cases(", ", [(each.condition, each.text) for each in withholding.unmapped if each.essential])
    )
    faults = (*_unmapped_faults(withholding), *_unparsed_faults(stream, withholding))

    def spread(careful: bool) -> int:
        read = _read_if_valid if careful else _read
        columns = [
            sql.SQL("_key, _cursor"),
            *(sql.SQL("{} as {}").format(read(name, f), sql.Identifier(name.lower())) for name, f in fields.items()),
            sql.SQL("{} as _unparsed, {} as _unmapped, {} as _withheld").format(
                _unparsed(stream, withholding, careful), unmapped, _withheld(stream, withholding, faults, careful)
            ),
        ]
        connection.execute(sql.SQL("drop table if exists {}").format(landing.typed))
        return connection.execute(
            sql.SQL("create unlogged table {} as select {} from {} where not _deleted").format(
                landing.typed, sql.SQL(", ").join(columns), landing.candidate
            )
        ).rowcount

    dates = [name.lower() for name, field in fields.items() if field.type in ("date", "timestamp")]
    try:
        rows = spread(careful=False)
        found = _look(connection, landing, rows, dates)
    except psycopg.DataError:
        found = None
    if found is None or found.before_year_1:
        rows = spread(careful=True)
        found = _look(connection, landing, rows, dates)
    return Typed(rows, found.unparsed, faults, _codes(connection, landing) if found.withheld else ())


@dataclass(frozen=True, slots=True)
class _Look:
    """Whether any row has something in `_unparsed`, in `_withheld`, a date before the year 1: nearly always none."""

    unparsed: bool
    withheld: bool
    before_year_1: bool


def _look(connection: psycopg.Connection, landing: LandingTables, rows: int, dates: Sequence[str]) -> _Look:
    if not rows:
        return _Look(unparsed=False, withheld=False, before_year_1=False)
    early = [sql.SQL("{} < '0001-01-01'").format(sql.Identifier(name)) for name in dates]
    looked = one_row(
        connection.execute(
            sql.SQL(
                "select count(_unparsed) > 0, count(_withheld) > 0, coalesce(bool_or({early}), false) from {typed}"
            ).format(early=sql.SQL(" or ").join([*early, sql.SQL("false")]), typed=landing.typed)
        )
    )
    return _Look(*looked)


def _codes(connection: psycopg.Connection, landing: LandingTables) -> tuple[str, ...]:
    rows = connection.execute(
        sql.SQL(
            "select distinct unnest(string_to_array(_withheld, ',')) as code from {}"
            " where _withheld is not null order by code"
        ).format(landing.typed)
    )
    return tuple(code for (code,) in rows)


def _read(name: str, field: SourceField) -> sql.Composable:
    """The field's value as its type; fails when it cannot be read as that."""
    if field.type in ("text", "json"):
        return field_text(name, field)
    type_ = sql.SQL(POSTGRES[field.type])
    value: sql.Composable = sql.SQL("nullif({}, '')::{}").format(field_text(name, field), type_)
    if field.type == "timestamp":
        value = sql.SQL("coalesce({}, {})").format(instant(name, field), value)
    if field.type in ("date", "timestamp"):  # most are of this century, and none of the forms that mean no date is
        value = sql.SQL("case when {text} like '2%' then {text}::{type} else {value} end").format(
            text=sql.SQL(field_sql(name, field)), type=type_, value=value
        )
    return value


def _read_if_valid(name: str, field: SourceField) -> sql.Composable:
    """The field's value as its type; NULL when it cannot be read as that."""
    if field.type in ("text", "json"):
        return field_text(name, field)
    return sql.SQL("case when {} then {}::{} else {} end").format(
        is_readable(name, field),
        field_text(name, field),
        sql.SQL(POSTGRES[field.type]),
        instant(name, field) if field.type == "timestamp" else sql.SQL("null"),
    )


def _unparsed(stream: Stream, withholding: Withholding, careful: bool) -> sql.Composable:
    """What is wrong with the essential fields, named one by one."""
    conditions: list[sql.Composable] = []
    findings: list[sql.Composable] = []
    for name, field in stream.fields.items():
        if not withholding.attributes(name):
            conditions += suspicions(stream, name, field, careful)
            findings += [_finding(wrong, text) for wrong, text, _ in field_faults(stream, name, field)]
    if stream.cursor:
        names = " and ".join(stream.cursor.fields)
        conditions.append(sql.SQL("_cursor is null"))
        findings.append(_finding(sql.SQL("_cursor is null"), f"the cursor ({names}) cannot be read"))
    return _where_suspicious(conditions, "; ", findings)


def _withheld(stream: Stream, withholding: Withholding, faults: Sequence[Fault], careful: bool) -> sql.Composable:
    """The numbers of the faults of a row."""
    numbered = [_finding(fault.condition, fault.code(number)) for number, fault in enumerate(faults)]
    unmapped = [case for case, fault in zip(numbered, faults, strict=True) if fault.finding == "_unmapped"]
    unparsed = [case for case, fault in zip(numbered, faults, strict=True) if fault.finding == "_unparsed"]
    conditions = [
        condition
        for name, field in stream.fields.items()
        if withholding.attributes(name)
        for condition in suspicions(stream, name, field, careful)
    ]
    if not numbered:
        return sql.SQL("null::text")
    return _joined(",", [*unmapped, _where_suspicious(conditions, ",", unparsed)])


def _where_suspicious(
    conditions: Sequence[sql.Composable], separator: str, findings: Sequence[sql.Composable]
) -> sql.Composable:
    """The findings as one text; first asked in one cheap condition whether there is any."""
    if not findings:
        return sql.SQL("null::text")
    return sql.SQL("case when {} then {} end").format(sql.SQL(" or ").join(conditions), _joined(separator, findings))


def _joined(separator: str, parts: Sequence[sql.Composable]) -> sql.Composable:
    """The texts that are not NULL as one, NULL where there is none."""
    # an array, because a function takes 100 arguments at most
    return sql.SQL("nullif(array_to_string(array[{}]::text[], {}), '')").format(
        sql.SQL(", ").join(parts), sql.Literal(separator)
    )


def _unmapped_faults(withholding: Withholding) -> Iterator[Fault]:
    for each in withholding.unmapped:
        if not each.essential:
            yield Fault(each.attributes, each.fields, "_unmapped", sql.SQL(each.condition), each.text, each.allowed)


def _unparsed_faults(stream: Stream, withholding: Withholding) -> Iterator[Fault]:
    for name, field in stream.fields.items():
        if attributes := withholding.attributes(name):
            for condition, text, allowed in field_faults(stream, name, field):
                yield Fault(attributes, (name,), "_unparsed", condition, text, allowed)


def _finding(condition: sql.Composable, text: str) -> sql.Composed:
    return sql.SQL("case when {} then {} end").format(condition, sql.Literal(text))
