"""Which rows an OData query of SAP finds, in its order, remembered for the pages that follow."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from starlette.datastructures import QueryParams

from sandbox.sap.model import Row, Service, Value
from sandbox.sap.odata import ODataError, ordering, predicate
from sandbox.world import World


class Rows:
    """The results of one service's queries over a world."""

    def __init__(self, world: World, service: Service, version: int) -> None:
        self._world = world
        self._service = service
        self._version = version
        self._found: dict[tuple[str, str, str, int, int, int], list[Row]] = {}

    def by(self, entity_set: str, params: QueryParams, sequence: int) -> list[Row]:
        """All rows that $filter and $orderby give, of the world after advance number `sequence`."""
        filtered, ordered = params.get("$filter", ""), params.get("$orderby", "")
        key = (entity_set, filtered, ordered, sequence, self._world.epoch, self._world.written.count)
        if key not in self._found:
            if len(self._found) >= 4:
                self._found.pop(next(iter(self._found)))
            self._found[key] = self._select(entity_set, filtered, ordered, sequence)
        return self._found[key]

    def standing(self, skiptoken: str | None) -> tuple[int, int]:
        """The (world state, offset) that the token names; the present state and 0 without one."""
        if skiptoken is None:
            return self._world.sequence, 0
        sequence, _, offset = skiptoken.partition("-")
        if not (sequence.isdigit() and offset.isdigit()) or int(sequence) > self._world.sequence:
            raise ODataError(f"Invalid skiptoken '{skiptoken}'")
        return int(sequence), int(offset)

    def _select(self, entity_set: str, filtered: str, ordered: str, sequence: int) -> list[Row]:
        kind = self._service.sets[entity_set]
        passes = predicate(filtered, kind, self._version) if filtered else None
        orders = ordering(ordered, kind) if ordered else []
        rows = list(self._service.served[entity_set](self._world, sequence))
        if passes:
            rows = [row for row in rows if passes(row.get)]
        for name, descending in reversed([*orders, (kind.keys[0], False)]):
            rows.sort(key=partial(_rank, name), reverse=descending)
        return rows


def number(params: QueryParams, name: str) -> int | None:
    """A whole number among the options. Raises ODataError for anything else."""
    text = params.get(name)
    if text is None:
        return None
    if not text.isdigit():
        raise ODataError(f"Invalid value '{text}' for {name}")
    return int(text)


def paths(service: Service, text: str, entity_set: str, *, navigations_only: bool) -> frozenset[str]:
    """The paths in a $select or $expand. Raises ODataError for one that the entity type does not have."""
    found = frozenset(part.strip() for part in text.split(",") if part.strip())
    for path in found:
        kind = service.sets[entity_set]
        steps = path.split("/")
        for place, step in enumerate(steps):
            target = dict(kind.navigations).get(step)
            is_property = step in kind.by_name and place == len(steps) - 1 and not navigations_only
            if target is None and not is_property and step != "*":
                raise ODataError(f"Resource not found for segment '{step}'")
            kind = service.sets[target] if target else kind
    return found if "*" not in found else frozenset()


def _rank(name: str, row: Row) -> str | float:
    return _sortable(row.get(name))


def _sortable(value: Value | None) -> str | float:
    if value is None:
        return float("-inf")
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return float(value) if isinstance(value, bool | Decimal) else value
