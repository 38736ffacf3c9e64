"""Which columns a view's columns are made of, by the query that PostgreSQL has stored of it.

PostgreSQL has resolved every name: stars, USING, common table expressions, sub-queries. A column gives the value where
the expression is made of it, and is a condition where it decides between values: in CASE WHEN, FILTER, the partition
and order of a window. Which rows there are (WHERE, ON, HAVING, GROUP BY, DISTINCT, ORDER BY) is said of the whole view.
Source: RangeTblEntry and primnodes.h of PostgreSQL; tests/insight/test_view_lineage.py tells when they change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from onefold.insight.node_tree import Node


class Entry(StrEnum):
    """Kinds of what stands in FROM (RTEKind). GROUP: what is grouped by, since PostgreSQL 18."""

    RELATION = "0"
    SUBQUERY = "1"
    JOIN = "2"
    FUNCTION = "3"
    VALUES = "5"
    WITH = "6"
    GROUP = "9"


_VALUE_OF_QUERY = frozenset({"4", "5", "6"})
"""Kinds of sub-query whose value is that of its column: (select …), array(select …); the others are conditions."""


@dataclass(frozen=True, slots=True, order=True)
class StoredColumn:
    """A column of a relation, by the relation's oid."""

    relation: int
    name: str


@dataclass(frozen=True, slots=True)
class ViewLineage:
    """`values` and `conditions`: of each column of the view, in its order, what gives it and what decides it; `rows`:
    what decides which rows there are."""

    values: Mapping[str, frozenset[StoredColumn]]
    conditions: Mapping[str, frozenset[StoredColumn]]
    rows: frozenset[StoredColumn]


def view_lineage(query: Node, masking: frozenset[int] = frozenset()) -> ViewLineage:
    """The lineage of a view's query. What the functions with the oids `masking` are given is left out: they tell who
    may see a value, and neither make nor choose it."""
    found = {name: _Walk(masking).of_column(query, number) for name, number in _output(query)}
    rows = _Walk(masking)
    rows.rows(query, ())
    return ViewLineage(
        {name: frozenset(each.values) for name, each in found.items()},
        {name: frozenset(each.conditions - each.values) for name, each in found.items()},
        frozenset(rows.conditions),
    )


def _output(query: Node) -> Iterator[tuple[str, int]]:
    for target in query.nodes("targetList"):
        if target.text("resjunk") != "true":
            yield target.text("resname"), target.number("resno")


Scopes = tuple[Node, ...]
"""The query that an expression stands in, then those around it."""


@dataclass(slots=True)
class _Walk:
    """Collects the columns of relations that an expression is made of."""

    masking: frozenset[int]
    values: set[StoredColumn] = field(default_factory=set)
    conditions: set[StoredColumn] = field(default_factory=set)
    _seen: set[tuple[int, int, bool]] = field(default_factory=set)

    def of_column(self, query: Node, number: int) -> _Walk:
        self._column(query, number, (), decides=False)
        return self

    def rows(self, query: Node, around: Scopes) -> None:
        """What decides which rows a query has, and those that it reads from."""
        scopes = (query, *around)
        chosen = [query.node(each) for each in ("jointree", "havingQual", "limitCount", "limitOffset")]
        for each in (*filter(None, chosen), *_chosen_by(query)):
            self._walk(each, scopes, decides=True)
        for entry in query.nodes("rtable"):
            if within := entry.node("subquery"):
                self.rows(within, scopes)
        for each in query.nodes("cteList"):
            if within := each.node("ctequery"):
                self.rows(within, scopes)

    def _column(self, query: Node, number: int, around: Scopes, *, decides: bool) -> None:
        """A query's column; of UNION and the like that of each of its queries."""
        if (id(query), number, decides) in self._seen:
            return
        self._seen.add((id(query), number, decides))
        scopes = (query, *around)
        if union := query.node("setOperations"):
            for leaf in _leaves(union):
                self._entry(query.nodes("rtable")[leaf - 1], number, scopes, decides=decides)
            return
        for target in query.nodes("targetList"):
            if target.number("resno") == number and (expression := target.node("expr")):
                self._walk(expression, scopes, decides=decides)

    def _walk(self, node: Node, scopes: Scopes, *, decides: bool) -> None:
        match node.kind:
            case "VAR":
                scope = scopes[node.number("varlevelsup") :]
                entry = scope[0].nodes("rtable")[node.number("varno") - 1]
                self._entry(entry, node.number("varattno"), scope, decides=decides)
            case "CASEEXPR":
                self._each(
                    [node.node("arg"), *(when.node("expr") for when in node.nodes("args"))], scopes, decides=True
                )
                results = [*(when.node("result") for when in node.nodes("args")), node.node("defresult")]
                self._each(results, scopes, decides=decides)
            case "AGGREF":
                self._each([node.node("aggfilter")], scopes, decides=True)
                self._each([*node.nodes("args"), *node.nodes("aggdirectargs")], scopes, decides=decides)
            case "WINDOWFUNC":
                self._each([node.node("aggfilter"), *_window(node, scopes[0])], scopes, decides=True)
                self._each(node.nodes("args"), scopes, decides=decides)
            case "SUBLINK":
                gives = node.text("subLinkType") in _VALUE_OF_QUERY
                self._each([node.node("testexpr")], scopes, decides=True)
                if query := node.node("subselect"):
                    self._column(query, 1, scopes, decides=decides or not gives)
                    self.rows(query, scopes)
            case "FUNCEXPR" if node.number("funcid") in self.masking:
                pass
            case _:
                self._each(list(node.children()), scopes, decides=decides)

    def _each(self, nodes: Sequence[Node | None], scopes: Scopes, *, decides: bool) -> None:
        for node in nodes:
            if node is not None:
                self._walk(node, scopes, decides=decides)

    def _entry(self, entry: Node, number: int, scopes: Scopes, *, decides: bool) -> None:
        """A column of what stands in FROM of the first scope; 0 is the whole row."""
        alias = entry.node("eref")
        names = alias.texts("colnames") if alias else []
        if number == 0:
            for each in (place for place, name in enumerate(names, 1) if name):  # what was dropped has no name
                self._entry(entry, each, scopes, decides=decides)
            return
        match entry.text("rtekind"):
            case Entry.RELATION if number > 0:
                found = self.conditions if decides else self.values
                found.add(StoredColumn(entry.number("relid"), names[number - 1]))
            case Entry.SUBQUERY:
                if query := entry.node("subquery"):
                    self._column(query, number, scopes, decides=decides)
            case Entry.JOIN:
                columns = entry.fields["joinaliasvars"]  # a dropped column is empty, and has its place
                if isinstance(columns, list) and isinstance(column := columns[number - 1], Node):
                    self._walk(column, scopes, decides=decides)
            case Entry.FUNCTION | Entry.VALUES:
                self._each([*entry.nodes("functions"), *_rows_of(entry)], scopes, decides=decides)
            case Entry.WITH:
                around = scopes[entry.number("ctelevelsup") :]
                if query := _common(around[0], entry.text("ctename")):
                    self._column(query, number, around, decides=decides)
            case Entry.GROUP:
                self._walk(entry.nodes("groupexprs")[number - 1], scopes, decides=decides)


def _common(query: Node, name: str) -> Node | None:
    """The common table expression of that name in the query's WITH."""
    named = (each for each in query.nodes("cteList") if each.text("ctename") == name)
    return next((each.node("ctequery") for each in named), None)


def _rows_of(entry: Node) -> Iterator[Node]:
    """The expressions of VALUES."""
    lists = entry.fields.get("values_lists")
    for row in lists if isinstance(lists, list) else ():
        yield from (each for each in row if isinstance(each, Node))


def _leaves(union: Node) -> Iterator[int]:
    """The places in rtable of the queries that UNION, INTERSECT or EXCEPT put together."""
    if union.kind == "RANGETBLREF":
        yield union.number("rtindex")
    for side in (union.node("larg"), union.node("rarg")):
        if side:
            yield from _leaves(side)


def _chosen_by(query: Node) -> Iterator[Node]:
    """What is grouped or made distinct by, and by what order."""
    clauses = (*query.nodes("groupClause"), *query.nodes("distinctClause"), *query.nodes("sortClause"))
    yield from _sorted_targets(query, clauses)


def _sorted_targets(query: Node, clauses: Sequence[Node]) -> Iterator[Node]:
    asked = {clause.number("tleSortGroupRef") for clause in clauses}
    for target in query.nodes("targetList"):
        if target.number("ressortgroupref") in asked and (expression := target.node("expr")):
            yield expression


def _window(function: Node, query: Node) -> Iterator[Node]:
    """What the function's window is parted and ordered by."""
    for window in query.nodes("windowClause"):
        if window.number("winref") == function.number("winref"):
            yield from _sorted_targets(query, (*window.nodes("partitionClause"), *window.nodes("orderClause")))
