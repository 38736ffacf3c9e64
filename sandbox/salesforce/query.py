"""What a SOQL query finds among an object's rows, and where a client stands in handing it over."""

from __future__ import annotations

import base64
import json
import operator
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sandbox.salesforce.objects import DATES, OBJECTS, Row, SObject, Value
from sandbox.salesforce.soql import Condition, Query, SoqlError, read
from sandbox.world import World


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a query stands: everything that is needed to go on from here."""

    soql: str
    everything: bool
    batch: int
    sequence: int
    offset: int = 0

    def locator(self) -> str:
        state = json.dumps([self.soql, self.everything, self.batch, self.sequence]).encode()
        return f"01g{base64.urlsafe_b64encode(zlib.compress(state)).decode().rstrip('=')}-{self.offset}"

    @classmethod
    def parse(cls, locator: str) -> Cursor:
        """Raises SoqlError for anything that this system did not hand out."""
        state, _, offset = locator.removeprefix("01g").rpartition("-")
        try:
            packed = base64.urlsafe_b64decode(state + "=" * (-len(state) % 4))
            return cls(*json.loads(zlib.decompress(packed)), int(offset))
        except (ValueError, TypeError, zlib.error) as error:
            raise SoqlError("INVALID_QUERY_LOCATOR", "invalid query locator") from error


def checked(query: Query) -> tuple[SObject, Query]:
    """The object, and the query with its fields in their proper spelling. Raises SoqlError for what there is not."""
    if query.object.lower() not in OBJECTS:
        raise SoqlError("INVALID_TYPE", f"sObject type '{query.object}' is not supported.")
    sobject = OBJECTS[query.object.lower()]
    spelling = sobject.spelling

    def proper(name: str) -> str:
        if name.lower() not in spelling:
            raise SoqlError(
                "INVALID_FIELD",
                f"\nNo such column '{name}' on entity '{sobject.name}'. If you are attempting to use a custom "
                "field, be sure to append the '__c' after the custom field name.",
            )
        return spelling[name.lower()]

    conditions = tuple(replace(condition, field=proper(condition.field)) for condition in query.conditions)
    for condition in conditions:
        dated, literal = condition.field in DATES, condition.literal
        if isinstance(literal, tuple):
            continue
        if literal is not None and dated != isinstance(literal, datetime):
            must = "must be of type dateTime and should not be enclosed in quotes" if dated else "is no dateTime"
            raise SoqlError("INVALID_FIELD", f"value of filter criterion for field '{condition.field}' {must}")
    return sobject, replace(
        query,
        fields=tuple(proper(name) for name in query.fields),
        conditions=conditions,
        orders=tuple(replace(order, field=proper(order.field)) for order in query.orders),
    )


_COMPARISONS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def _comparable(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value


def holds(condition: Condition, value: Value) -> bool:
    """Whether the condition is true of the value; text ignores case, and null is neither less nor more."""
    if isinstance(condition.literal, tuple):
        return any(_comparable(value) == _comparable(each) for each in condition.literal)
    left, right = _comparable(value), _comparable(condition.literal)
    if condition.operator == "=":
        return left == right
    if condition.operator == "!=":
        return left != right
    if left is None or right is None or isinstance(left, str) != isinstance(right, str):
        return False
    return _COMPARISONS[condition.operator](left, right)


def select(world: World, sobject: SObject, query: Query, sequence: int, *, everything: bool) -> list[Row]:
    """The rows that the query finds in the world as it was after advance number `sequence`, in its order."""
    rows = [
        row
        for row in sobject.rows(world, sequence)
        if (everything or not row.deleted)
        and all(holds(condition, row.get(condition.field)) for condition in query.conditions)
    ]
    for order in reversed(query.orders):  # nulls come first, as in Salesforce
        rows.sort(key=_ranking(order.field), reverse=order.descending)
    return rows[: query.limit]


def _ranking(field: str) -> Callable[[Row], tuple[bool, Value]]:
    def rank(row: Row) -> tuple[bool, Value]:
        value = _comparable(row.get(field))
        return (value is not None, value)

    return rank


class Found:
    """What queries found, remembered for the pages that follow, and made again when it was forgotten."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: OrderedDict[tuple[str, bool, int, int], list[Row]] = OrderedDict()

    def by(self, cursor: Cursor) -> tuple[Query, list[Row]]:
        """The query and its whole result. Raises SoqlError when it cannot be understood."""
        sobject, query = checked(read(cursor.soql))
        key = (cursor.soql, cursor.everything, cursor.sequence, self._world.epoch)
        if key not in self._kept or cursor.offset == 0:
            self._kept[key] = select(self._world, sobject, query, cursor.sequence, everything=cursor.everything)
        self._kept.move_to_end(key)
        while len(self._kept) > 4:
            self._kept.popitem(last=False)
        return query, self._kept[key]
