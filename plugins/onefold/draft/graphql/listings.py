"""How a field of the query lists records: as a Relay connection, as a list, or in an envelope; and how it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from onefold.draft.graphql.schema import FieldOf, Schema
from onefold.draft.model import Mark, Value

SIZE = 100
# Without case and underscores, as _named compares them.
_AFTER = ("after", "cursor", "aftercursor", "startcursor")
_FIRST = ("first", "limit", "pagesize", "size", "count", "take", "perpage", "maxresults")
_OFFSET = ("offset", "skip", "start", "startindex", "from")
_PAGE = ("page", "pagenumber", "pageno", "pageindex")
_TOKENS = ("nexttoken", "nextcursor", "nextpagetoken", "continuationtoken")
_TOTALS = ("totalcount", "total", "count", "totalitems", "totalresults", "totalrecords")
_LISTS = ("items", "data", "nodes", "results", "records", "rows", "list", "edges", "entities", "collection", "values")
_SINCE = ("updatedsince", "modifiedsince", "changedsince", "updatedafter", "modifiedafter")
_ENVELOPES = ("pageinfo", "paginatorinfo", "meta", "pagination", "paging")


@dataclass(frozen=True, slots=True)
class Listing:
    """What a field lists: the type of its records, where they are in it, and how its pages go on. `doubts` says why it
    cannot be read to its end, where it cannot."""

    type: str
    records: str
    following: Mapping[str, Value]
    types: Mapping[str, str]
    marks: tuple[Mark, ...] = ()
    doubts: str = ""

    @property
    def arguments(self) -> frozenset[Value]:
        """The arguments that a query gives for its pages."""
        is_connection = self.following.get("kind") == "connection"
        after = self.following.get("parameter", "after" if is_connection else None)
        usual = "first" if is_connection else "limit" if "size" in self.following else None
        return frozenset({after, self.following.get("size_parameter", usual)} - {None})


def listing_of(schema: Schema, field: FieldOf) -> Listing | None:
    """How the field lists objects; None where it lists none."""
    if field.is_list:
        return _plain(field) if schema.fields(field.base) and field.type.count("[") == 1 else None
    envelope = schema.fields(field.base)
    if "pageInfo" in envelope and {"hasNextPage", "endCursor"} <= schema.fields(envelope["pageInfo"].base).keys():
        return _connection(schema, field, envelope)
    return _enveloped(schema, field, envelope)


def since_argument(field: FieldOf) -> str | None:
    """The argument that asks for what was changed since a time."""
    return _named(field.arguments, _SINCE)


def _connection(schema: Schema, field: FieldOf, envelope: Mapping[str, FieldOf]) -> Listing:
    edges = schema.fields(envelope["edges"].base) if "edges" in envelope else {}
    nodes = envelope.get("nodes")
    node = nodes if nodes and nodes.is_list else edges.get("node")
    if node is None or not schema.fields(node.base):
        return Listing(
            field.base, "", {}, {}, (), "its records are of several types; request.select can say what of them"
        )
    after, first = _named(field.arguments, _AFTER), _named(field.arguments, _FIRST)
    following: dict[str, Value] = {"kind": "connection", "size": SIZE}
    types: dict[str, str] = {}
    doubts = ""
    if after is None:
        doubts = "no argument says after which cursor to go on"
    elif after != "after":
        following["parameter"] = after
    if after and field.arguments[after].type.strip("!") == "Int":
        types[after] = field.arguments[after].type
    if first is None:
        doubts = doubts or "no argument says how many records a page has"
    elif first != "first":
        following["size_parameter"] = first
    if total := _total(schema, envelope):
        following["total"] = total
    return Listing(node.base, "nodes" if node is nodes else "", following, types, (), doubts)


def _plain(field: FieldOf) -> Listing:
    following, marks = _counted(field)
    return Listing(field.base, "", following, {}, tuple(marks))


def _enveloped(schema: Schema, field: FieldOf, envelope: Mapping[str, FieldOf]) -> Listing | None:
    lists = {name: each for name, each in envelope.items() if each.is_list and schema.fields(each.base)}
    name = _named(lists, _LISTS)
    if name is None:
        return None
    following, marks = _counted(field)
    token = _named(envelope, _TOKENS)
    parameter = _named(field.arguments, (_flat(token), "token", *_AFTER)) if token else None
    if token and parameter:
        following, marks = {"kind": "token", "path": token, "parameter": parameter, **_sized(field)}, []
    elif not following.get("kind") and not _named(field.arguments, _FIRST):
        siblings = [each for each in envelope if each != name]
        if len(lists) > 1 or (siblings and not _total(schema, envelope)):
            return None  # an object with a list in it, no listing
    if total := _total(schema, envelope):
        following["total"] = total
    return Listing(lists[name].base, name, following, {}, tuple(marks))


def _counted(field: FieldOf) -> tuple[dict[str, Value], list[Mark]]:
    """By offset or by number, with the size of pages."""
    offset, page = _named(field.arguments, _OFFSET), _named(field.arguments, _PAGE)
    if page:
        mark = Mark("next", "whether pages are counted from 1, and which order is the same in every request")
        return {"kind": "number", "parameter": page, **_sized(field)}, [mark]
    if offset:
        mark = Mark("next", "which order is the same in every request; name it under request.arguments")
        return {"kind": "offset", "parameter": offset, **_sized(field)}, [mark]
    sized = _sized(field)
    return sized, [Mark("next", "nothing says how it goes on after these")] if sized else []


def _sized(field: FieldOf) -> dict[str, Value]:
    name = _named(field.arguments, _FIRST)
    if name is None or field.arguments[name].type.strip("!") != "Int":
        return {}
    return {"size": SIZE, **({} if name == "limit" else {"size_parameter": name})}


def _total(schema: Schema, envelope: Mapping[str, FieldOf]) -> str | None:
    """Where the envelope counts its records."""
    name = _named({name: each for name, each in envelope.items() if each.type.strip("!") == "Int"}, _TOTALS)
    if name:
        return name
    for outer, each in envelope.items():
        if not each.is_list and _flat(outer) in _ENVELOPES:
            inner = _total(schema, schema.fields(each.base))
            if inner:
                return f"{outer}.{inner}"
    return None


def _named(names: Iterable[str], known: Iterable[str]) -> str | None:
    """The first of the known names that is there, in whatever case, also with underscores."""
    there = {_flat(name): name for name in names}
    return next((there[each] for each in known if each in there), None)


def _flat(name: str) -> str:
    return name.lower().replace("_", "")
