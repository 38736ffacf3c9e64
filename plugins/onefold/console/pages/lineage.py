"""Lineage: where a value comes from and where it goes, as a picture around one thing and as a table of the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args
from urllib.parse import quote

from fastapi import APIRouter, HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from onefold.console.reading import reading
from onefold.console.render import page
from onefold.insight.dictionary import Dictionary, read_dictionary, search
from onefold.insight.lineage_graph import MOST_NODES, Edge, Graph, Node, NodeKind, coarse_graph, fine_graph
from onefold.insight.mart_lineage import MartLineage, mart_lineage

router = APIRouter()
Coarse = Literal["entity", "stream", "mart"]
Focus = Literal[Coarse, "attribute", "field", "column"]
"""What can be asked about."""
_COARSE, _FOCUSES, _ORDER = get_args(Coarse), get_args(Focus), get_args(NodeKind)
_KIND: Mapping[NodeKind, str] = {"golden": "golden record", "column": "mart", "table": "engine's table"}


@router.get("/lineage")
def lineage(request: Request, q: str = "") -> HTMLResponse:
    """Where to begin: what has these words in its name or meaning; without words the entities and marts."""
    dictionary = read_dictionary()
    with reading() as connection:
        coarse = coarse_graph(dictionary, mart_lineage(connection))
    found = search(dictionary, q) if q.strip() else None
    return page(
        request,
        request.state.viewer,
        "lineage.html",
        words=q.strip(),
        found=[each for each in found.things if each.kind in _FOCUSES] if found else None,
        more=bool(found and found.after),
        entities=[
            (name, entity, coarse.around(Node("entity", name))) for name, entity in sorted(dictionary.entities.items())
        ],
        marts=[(name, mart, coarse.around(Node("mart", name))) for name, mart in dictionary.marts.items()],
    )


@router.get("/lineage/{kind}/{name:path}")
def around(request: Request, kind: Focus, name: str) -> HTMLResponse:
    """The picture around one thing, and the same as a table."""
    dictionary = read_dictionary()
    things = {each.name: each for each in dictionary.things() if each.kind == kind}
    if name not in things:
        raise HTTPException(404)
    with reading() as connection:
        marts = mart_lineage(connection)
    focus = Node(kind, name)
    graph = graph_around(dictionary, marts, focus)
    drawn = graph.by_stream() if len(graph.nodes) > MOST_NODES and kind != "field" else graph
    root = str(request.scope.get("root_path", ""))
    return page(
        request,
        request.state.viewer,
        "lineage_around.html",
        focus=focus,
        thing=things[name],
        picture=picture(drawn, focus, root),
        by_stream=drawn is not graph,
        lines=lines(graph),
        parts=_parts(dictionary, kind, name),
        counts={each: sum(node.kind == each for node in graph.nodes) for each in _counted(kind)},
        not_built=[each for each in dictionary.marts if each not in marts],
        address=lambda node: address(node, root),
    )


def graph_around(dictionary: Dictionary, marts: Mapping[str, MartLineage], focus: Node) -> Graph:
    """All that the focus comes from and that comes of it, as finely as it is itself."""
    whole = coarse_graph(dictionary, marts) if focus.kind in _COARSE else fine_graph(dictionary, marts)
    return whole.around(focus)


def lines(graph: Graph) -> list[tuple[Node, str, Node, bool]]:
    """The graph as lines of a table: from, through, to, and whether it decides only. A transform is not something of
    its own there: it is how an attribute comes from a field."""
    into: dict[Node, list[Edge]] = {}
    for edge in graph.edges:
        if edge.target.kind == "transform":
            into.setdefault(edge.target, []).append(edge)
    found = []
    for edge in graph.edges:
        if edge.source.kind == "transform":
            given = into.get(edge.source, [Edge(edge.source, edge.source)])
            found += [(each.source, edge.source.label, edge.target, each.condition) for each in given]
        elif edge.target.kind != "transform":
            found.append((edge.source, edge.through, edge.target, edge.condition))
    return sorted(found, key=lambda line: (_ORDER.index(line[0].kind), line[2], line[3], line[0]))


def _parts(dictionary: Dictionary, kind: Focus, name: str) -> list[Node]:
    """What the thing is made up of, each with a picture of its own."""
    match kind:
        case "entity":
            return [Node("attribute", f"{name}.{each}") for each in dictionary.entities[name].attributes]
        case "mart":
            return [Node("column", f"{name}.{each}") for each in dictionary.marts[name].columns]
        case "stream":
            system, _, stream = name.partition(".")
            return [Node("field", f"{name}.{each}") for each in dictionary.systems[system].streams[stream].fields]
        case _:
            return []


def picture(graph: Graph, focus: Node, root: str) -> dict[str, object]:
    """What the browser draws."""
    numbers = {node: number for number, node in enumerate(graph.nodes)}
    nodes = [
        {
            "kind": node.kind,
            "label": _label(node),
            "of": _of(node),
            "href": address(node, root) if node != focus else None,
            "focus": node == focus,
        }
        for node in numbers
    ]
    edges = [
        {"from": numbers[each.source], "to": numbers[each.target], "label": each.through, "condition": each.condition}
        for each in graph.edges
    ]
    return {"nodes": nodes, "edges": edges}


def address(node: Node, root: str) -> str | None:
    """Where the node's own picture is; of a transform, its page in the catalogue."""
    match node.kind:
        case "transform":
            return None if node.label.startswith("“") else f"{root}/catalogue/transform/{quote(node.label)}"
        case "golden":
            return f"{root}/lineage/entity/{quote(node.name.partition('.')[0])}"
        case "table":
            return None
        case _:
            return f"{root}/lineage/{node.kind}/{quote(node.name)}"


def _label(node: Node) -> str:
    """A node's own name, without what it is part of."""
    return node.name.split(".", 2 if node.kind == "field" else 1)[-1] if node.kind != "transform" else node.label


def _of(node: Node) -> str:
    """What kind of thing it is, and what it is part of."""
    if node.kind in ("transform", "entity", "mart"):
        return node.kind
    above = node.name[: -len(_label(node)) - 1]
    return f"{_KIND.get(node.kind, node.kind)} · {above}" if above else _KIND.get(node.kind, node.kind)


def _counted(kind: Focus) -> tuple[NodeKind, ...]:
    return ("stream", "entity", "mart") if kind in _COARSE else ("field", "attribute", "column", "mart")
