"""The draft: every entity set with its key, and the property that says what changed."""

from __future__ import annotations

import re

from onefold.draft.edmx.metadata import EntitySet, Metadata, Property
from onefold.draft.guesses import guessed_cursor
from onefold.draft.model import Draft, DraftStream, Fields, Mark, Value
from onefold.draft.names import Given, fields_of, key_path, stream_name
from onefold.errors import Fatal

_CREATED = re.compile(r"^(created?|creation)_?(date|on|at|time|datetime|datetimestamp|timestamp)*$", re.IGNORECASE)


def edmx_draft(content: bytes) -> Draft:
    """Raises Fatal when the content is no EDMX, or has no entity set that can be listed and has a key."""
    metadata = Metadata(content)
    streams, left_out = [], []
    for each in metadata.entity_sets():
        unknown = [key for key in each.keys if tuple(key.split("/")) not in {known.keys for known in each.properties}]
        if each.unlistable or unknown:
            left_out.append(f"{each.name}: {each.unlistable or f'its key {unknown[0]} is none of its properties'}")
        else:
            streams.append(_stream(each))
    left_out += [f"{name}: it is a single object, not a list" for name in metadata.singletons]
    if not streams:
        raise Fatal(f"no entity set of the service can be listed: {'; '.join(left_out[:3])}")
    marks = (
        Mark("connection", "its host is the service's address, all that comes before /$metadata"),
        Mark("auth", "how it lets us in: the metadata does not say"),
    )
    more: dict[str, Value] = {"odata_version": metadata.version}
    return Draft("odata", "OData service", streams, {"kind": "basic"}, more, marks, tuple(left_out))


def _stream(entities: EntitySet) -> DraftStream:
    fields, marks = fields_of(
        Given("_".join(each.keys), each.kind, True, key_path(*each.keys) if len(each.keys) > 1 else None, each.label)
        for each in entities.properties
    )
    by_source = dict(zip((each.keys for each in entities.properties), fields, strict=True))
    keys = [by_source[tuple(key.split("/"))] for key in entities.keys]
    named = {name: each for each, name in zip(entities.properties, fields, strict=True)}
    cursor, about = _cursor(fields, named)
    marks += [about] if about else []
    marks += [Mark("request", text) for text in entities.asks]
    request: dict[str, Value] = {"path": f"/{entities.name}", "params": {"$select": "{fields}"}}
    return DraftStream(
        stream_name(entities.name), entities.label, fields, keys, request, cursor=cursor, marks=tuple(marks)
    )


def _cursor(fields: Fields, named: dict[str, Property]) -> tuple[dict[str, Value], Mark | None]:
    """SAP keeps the day and the time of the last change in two fields."""
    usable: Fields = {name: fields[name] for name, each in named.items() if each.filterable and len(each.keys) == 1}
    if "LastChangeDate" in usable and "LastChangeTime" in usable and "LastChangeDateTime" not in usable:
        cursor: dict[str, Value] = {
            "fields": ["LastChangeDate", "LastChangeTime"], "kind": "date_and_time", "lookback": "PT1H",
        }  # fmt: skip
        if named["LastChangeDate"].nullable and {"CreationDate", "CreationTime"} <= usable.keys():
            cursor["fallback"] = ["CreationDate", "CreationTime"]
        return cursor, None
    stamp = "LastChangeDateTime" if "LastChangeDateTime" in usable else guessed_cursor(usable, ("timestamp",))
    if not stamp:
        unusable = guessed_cursor(fields, ("timestamp",))
        why = f": it filters by no {unusable}" if unusable and unusable not in usable else ""
        return {}, Mark("", f"no property says what changed, so each load reads everything{why}")
    cursor = {"fields": [stamp]}
    created = next(
        (n for n in usable if _CREATED.match(n) and fields[n].get("type") == fields[stamp].get("type")), None
    )
    if named[stamp].nullable and created:
        cursor["fallback"] = [created]
    return cursor, None
