"""Which fields of a system hold the primary keys of its other streams."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

from onefold.mapping_proposal.catalogue import field_words
from onefold.mapping_proposal.words import meanings

_USUAL = 0.3
"""Share of a field's values that are keys from which it may refer to them; deleted records are missing among them."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A field whose values are keys of a stream of the same system: which share of its different ones."""

    field: str
    stream: str
    share: float


def references(
    connection: psycopg.Connection,
    stream_name: str,
    keys: dict[str, sql.Composable],
    primary_key: list[str],
    types: dict[str, str],
    paths: dict[str, str],
) -> list[Reference]:
    """The references of the fields in proposal_value, by the streams whose keys (_key) are in the relations `keys`."""
    found: list[Reference] = []
    for stream, relation in keys.items():
        rows = connection.execute(
            sql.SQL(
                "select field, count(*), count(known._key) from ("
                " select distinct field, value from proposal_value where transform = 'text') as mine"
                " left join {} as known on known._key = mine.value and not known._deleted group by 1"
            ).format(relation)
        ).fetchall()
        for name, distinct, matches in rows:
            if types[name] not in ("text", "integer") or (stream == stream_name and name in primary_key):
                continue
            words = frozenset[str]().union(*field_words(name, paths[name]))
            # Small numbers are keys of every stream that counts its records: the name must say of which.
            if matches / distinct > _USUAL and (types[name] == "text" or words & frozenset(meanings(stream))):
                found.append(Reference(name, stream, matches / distinct))
    return found
