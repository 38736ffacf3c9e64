"""What the catalogue maps an invoice to, from its XML as the connector reads it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import psycopg
from psycopg import sql

from onefold.catalog.reader import read_catalog
from onefold.mapping.sql import rule_sql
from onefold.systems.ksef.connector import optional_places
from onefold.systems.ksef.invoice import by_line, whole
from onefold.systems.ksef.package import Exported
from tests.connectors.ksef_samples import exported
from tests.mapping.unmapped import unmapped_sql

CATALOG = read_catalog()
STREAMS = CATALOG.systems["ksef"].streams
Golden = dict[str, object]
Map = Callable[..., list[Golden]]


def mapping_on(server: psycopg.Connection) -> Map:
    """The attributes of an invoice (`invoice`, `purchase_invoice`) or of its lines, and what no mapping understands."""

    def attributes(entity_name: str, stream_name: str, of: Exported) -> list[Golden]:
        entity, stream = CATALOG.entities[entity_name], STREAMS[stream_name]
        source = f"ksef.{stream_name}"
        rules = {name: each.sources[source] for name, each in entity.attributes.items() if source in each.sources}
        expressions = [rule_sql(rule, stream) for rule in rules.values()]
        expressions.append(unmapped_sql(CATALOG.entities, "ksef", stream_name, stream))
        query = sql.SQL("select {} from (select %s::jsonb as _payload) as given").format(
            sql.SQL(", ").join(map(sql.SQL, expressions))
        )
        records = (by_line if stream.records else whole)(of, optional_places(stream))
        found = []
        for record in records:
            row = server.execute(query, [record.decode()]).fetchone()
            assert row is not None
            found.append(dict(zip((*rules, "unmapped"), row, strict=True)))
            assert found[-1]["unmapped"] is None
            assert msgspec.json.decode(record)["xml_error"] is None
        return found

    return attributes


def head(mapped: Map, xml: bytes, **said: object) -> Golden:
    (golden,) = mapped("invoice", "invoice", exported(xml, **said))
    return golden


def lines(mapped: Map, xml: bytes, **said: object) -> list[Golden]:
    return mapped("invoice_line", "invoice_line", exported(xml, **said))
