"""Where a value comes from and where it goes, as a graph: from the catalogue's mapping and the marts' own queries.

Fine: field → transform → attribute → column of a mart. Coarse: stream → entity → mart. Asked about one thing, what
comes before and after it is shown and nothing else.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from onefold.catalog.entity import Entity
from onefold.insight.dictionary import Dictionary
from onefold.insight.mart_lineage import Column, MartLineage

NodeKind = Literal["stream", "field", "table", "transform", "entity", "attribute", "golden", "column", "mart"]
"""In the order in which a value goes through them. golden: a column of a published entity that is no attribute, as its
number; table: of the engine's own tables."""
MOST_NODES = 60
"""A finer picture than this is drawn with streams in place of fields."""


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """`name`: as the dictionary has it; of a transform its name and, after a blank, the attribute and stream."""

    kind: NodeKind
    name: str

    @property
    def label(self) -> str:
        return self.name.partition(" ")[0] if self.kind == "transform" else self.name


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """What is made of what. `through`: how, in words; `condition`: it decides and does not give the value."""

    source: Node
    target: Node
    through: str = ""
    condition: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes and edges, each once, in a fixed order."""

    edges: tuple[Edge, ...]
    alone: tuple[Node, ...] = field(default=())
    """Nodes without an edge."""

    @property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(dict.fromkeys((*(end for edge in self.edges for end in (edge.source, edge.target)), *self.alone)))

    def around(self, focus: Node) -> Graph:
        """What the focus comes from, and what comes of it."""
        before, after = defaultdict[Node, list[Edge]](list), defaultdict[Node, list[Edge]](list)
        for edge in self.edges:
            before[edge.target].append(edge)
            after[edge.source].append(edge)
        found: dict[Edge, None] = {}
        for edges, far in ((before, "source"), (after, "target")):
            waiting, seen = [focus], {focus}
            while waiting:
                for edge in edges[waiting.pop()]:
                    found[edge] = None
                    end: Node = getattr(edge, far)
                    if end not in seen:
                        seen.add(end)
                        waiting.append(end)
        return Graph(tuple(sorted(found)), (focus,))

    def by_stream(self) -> Graph:
        """Fields and transforms left out: attributes come from the streams."""
        fields = {edge.target: edge.source for edge in self.edges if edge.target.kind == "transform"}
        edges = dict[Edge, None]()
        for edge in self.edges:
            if edge.source.kind == "transform":
                stream = edge.source.name.rpartition(" ")[2]
                constant = edge.source not in fields
                edges[Edge(Node("stream", stream), edge.target, "constant" if constant else edge.source.label)] = None
            elif edge.target.kind != "transform":
                edges[edge] = None
        return Graph(tuple(edges), self.alone)


def fine_graph(dictionary: Dictionary, marts: Mapping[str, MartLineage]) -> Graph:
    """Fields, transforms, attributes and columns of marts; and the marts themselves, of which an attribute may decide
    which rows there are."""
    edges = [edge for entity in dictionary.entities.values() for edge in _of_entity(entity)]
    for mart, lineage in marts.items():
        for name in lineage.values:
            column = Node("column", f"{mart}.{name}")
            edges += [Edge(_input(dictionary, each), column) for each in lineage.values[name]]
            edges += [Edge(_input(dictionary, each), column, condition=True) for each in lineage.conditions[name]]
        rows = Node("mart", mart)
        edges += [Edge(_input(dictionary, each), rows, "which rows", condition=True) for each in lineage.rows]
    return Graph(tuple(dict.fromkeys(edges)))


def coarse_graph(dictionary: Dictionary, marts: Mapping[str, MartLineage]) -> Graph:
    """Streams, entities and marts."""
    edges = []
    for name, entity in dictionary.entities.items():
        fed = Counter(stream for attribute in entity.attributes.values() for stream in attribute.sources)
        edges += [
            Edge(Node("stream", stream), Node("entity", name), _counted(count, "attribute"))
            for stream, count in sorted(fed.items())
        ]
    for mart, lineage in marts.items():
        made = Counter[Node]()
        for name in lineage.values:
            inputs = {_owner(each) for each in (*lineage.values[name], *lineage.conditions[name])}
            made.update(each for each in inputs if each is not None)
        only_rows = {owner for each in lineage.rows if (owner := _owner(each)) is not None and owner not in made}
        target = Node("mart", mart)
        edges += [Edge(owner, target, _counted(count, "column")) for owner, count in sorted(made.items())]
        edges += [Edge(owner, target, "which rows", condition=True) for owner in sorted(only_rows)]
    return Graph(tuple(edges))


def _of_entity(entity: Entity) -> Iterator[Edge]:
    for name, attribute in entity.attributes.items():
        target = Node("attribute", f"{entity.entity}.{name}")
        for stream, rule in attribute.sources.items():
            how = rule.transform if rule.constant is None else f"“{rule.constant}”".replace(" ", "\u00a0")
            transform = Node("transform", f"{how} {target.name} {stream}")
            for each in dict.fromkeys(rule.inputs):
                yield Edge(Node("field", f"{stream}.{each}"), transform, condition=each not in rule.fields)
            yield Edge(transform, target)


def _input(dictionary: Dictionary, column: Column) -> Node:
    """What a mart reads: an attribute, a column of another mart, or something of the engine's own."""
    schema, _, relation = column.relation.partition(".")
    if schema == "marts":
        return Node("column", f"{relation}.{column.name}")
    entity = dictionary.entities.get(_entity(relation)) if schema == "conformed" else None
    if entity is None:
        return Node("table", f"{column.relation}.{column.name}")
    if column.name in entity.attributes:
        return Node("attribute", f"{entity.entity}.{column.name}")
    record = f"{column.name.removesuffix('_id')}_record"
    if column.name.endswith("_id") and record in entity.attributes:
        return Node("attribute", f"{entity.entity}.{record}")
    return Node("golden", f"{entity.entity}.{column.name}")


def _owner(column: Column) -> Node | None:
    schema, _, relation = column.relation.partition(".")
    if schema == "marts":
        return Node("mart", relation)
    return Node("entity", _entity(relation)) if schema == "conformed" else Node("table", column.relation)


def _entity(view: str) -> str:
    """The entity whose published view it is."""
    for ending in ("_unmasked", "_crosswalk", "_history"):
        view = view.removesuffix(ending)
    return view


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
