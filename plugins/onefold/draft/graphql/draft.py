"""A draft from a GraphQL schema: what the query's root lists, and what the objects there list, are streams. Mutations
and subscriptions are never drafted: only what a query can read is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator

from onefold.draft.graphql.fields import FieldsOf, fields_in
from onefold.draft.graphql.listings import Listing, listing_of, since_argument
from onefold.draft.graphql.schema import FieldOf, Schema, introspected
from onefold.draft.graphql.sdl import read_sdl
from onefold.draft.guesses import guessed_cursor, guessed_keys, singular
from onefold.draft.model import Draft, DraftStream, Mark, Value
from onefold.draft.names import stream_name
from onefold.errors import Fatal

PATH = "/graphql"
_VERB = re.compile(r"^(all|list|get|fetch|find)_?(?=[A-Z])")
"""What a name begins with that says no more than that it lists."""
_ALL_OBJECTS = frozenset({"node", "nodes", "_entities", "_service"})
"""Fields of the root that give any object by its id, or the schema itself."""


def graphql_draft(content: bytes, path: str | None = None) -> Draft:
    """The draft from SDL or from introspection as JSON; `path` is the endpoint's, where it is known.

    Raises Fatal when the content is neither, or the schema lists nothing.
    """
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        schema = introspected(content.removeprefix(b"\xef\xbb\xbf"))
    else:
        schema = read_sdl(content.decode("utf-8-sig", errors="replace"))
    streams: list[DraftStream] = []
    left_out: list[str] = []
    for place, field, listing in _listings(schema, left_out):
        reason = listing.doubts or _needed(field, listing)
        if reason:
            left_out.append(f"{'.'.join(place)}: {reason}")
            continue
        found = fields_in(schema, listing.type)
        left_out += (f"{'.'.join(place)}.{each}" for each in found.left_out)
        if found.fields:
            streams.append(_stream(schema, place, field, listing, found, path or PATH))
    if not streams:
        raise Fatal(
            "the schema lists nothing that can be read: no field of the query's root gives a connection or a list of "
            "objects without an argument that only you know. Write the YAML by hand (docs/graphql.md)"
        )
    marks = [Mark("protocol", "how it wants us to sign in, which no schema says: add auth")]
    marks += [] if path else [Mark("protocol", f"whether {PATH} is the endpoint's path")]
    return Draft("graphql", "GraphQL service", streams, marks=tuple(marks), left_out=tuple(left_out))


def _listings(schema: Schema, left_out: list[str]) -> Iterator[tuple[tuple[str, ...], FieldOf, Listing]]:
    """What lists objects, at the root and in the objects that the root gives for nothing."""
    root = schema.fields(schema.query)
    listed: set[str] = set()
    objects: list[tuple[str, FieldOf]] = []
    for name, field in root.items():
        if name in _ALL_OBJECTS or name.startswith("__"):
            continue
        listing = listing_of(schema, field)
        if listing:
            listed.add(listing.type)
            yield (name,), field, listing
        elif not field.is_list and not field.needs_arguments and schema.fields(field.base):
            objects.append((name, field))
    for name, outer in objects:
        if outer.base in listed or outer.base == schema.query:
            continue  # one of what is listed as a whole, or the root once more
        for inner, field in schema.fields(outer.base).items():
            listing = listing_of(schema, field)
            if listing and listing.type in listed:
                left_out.append(f"{name}.{inner}: {listing.type} is listed at the root")
            elif listing:
                yield (name, inner), field, listing


def _needed(field: FieldOf, listing: Listing) -> str:
    """Which arguments a query must give that no listing knows."""
    lacking = [name for name, each in field.arguments.items() if each.required and name not in listing.arguments]
    return f"it needs the argument{'s' if len(lacking) > 1 else ''} {', '.join(lacking)}" if lacking else ""


def _stream(
    schema: Schema, place: tuple[str, ...], field: FieldOf, listing: Listing, found: FieldsOf, path: str
) -> DraftStream:
    marks = [*listing.marks, *found.marks]
    arguments: dict[str, Value] = {}
    since = since_argument(field)
    stamp = guessed_cursor(found.fields, ("timestamp",))
    if since:
        arguments[since] = "{start}"
        marks.append(
            Mark("request", f"whether {since} gives all that was changed since, and how deletions arrive then")
        )
    elif stamp:
        marks.append(Mark("cursor", "no argument asks for what changed, so each load reads everything"))
    keys, doubt = _keys(found, place[-1])
    if doubt:
        marks.append(Mark("primary_key", doubt))
    request: dict[str, Value] = {"path": path, "operation": ".".join(place)}
    if arguments:
        request["arguments"] = arguments
    types: dict[str, Value] = dict(listing.types)
    if types:
        request["types"] = types
    title = field.description or schema.types[listing.type].description or ".".join(place)
    return DraftStream(
        name=stream_name("_".join((*place[:-1], _VERB.sub("", place[-1])))),
        title=title.partition(". ")[0].rstrip("."),
        fields=found.fields,
        keys=keys,
        request=request,
        records=listing.records,
        following=listing.following,
        cursor={"fields": [stamp]} if stamp else {},
        marks=tuple(marks),
        path="/".join(place),
    )


def _keys(found: FieldsOf, about: str) -> tuple[list[str], str]:
    """The key, and what is in doubt about it: a field that is called id, else the one of type ID!, else a guess."""
    always = [name for name, given in found.fields.items() if given.get("required", True)]
    plain = [name for name in always if name.lower().strip("_") in ("id", "rowid", "uuid", f"{singular(about)}id")]
    if plain:
        return plain[:1], ""
    if found.ids:
        return found.ids[:1], ""
    return guessed_keys(found.fields, singular(about)), "primary_key is a guess: no field has the type ID!"
