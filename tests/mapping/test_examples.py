"""Every example of the catalogue holds: the mapping of the record that it describes gives what it says."""

from __future__ import annotations

import psycopg
from psycopg.types.json import Jsonb

from onefold.catalog.reader import read_catalog
from onefold.mapping.example import example_record
from onefold.mapping.sql import rule_sql


def test_every_example_of_the_catalogue_holds(server: psycopg.Connection) -> None:
    catalog = read_catalog()
    asked, wrong = 0, []
    for entity in catalog.entities.values():
        for name, attribute in entity.attributes.items():
            for source, rule in attribute.sources.items():
                system, _, stream_name = source.partition(".")
                stream = catalog.systems[system].streams[stream_name]
                for example in rule.examples:
                    payload = Jsonb(example_record(rule, stream, example))
                    then = None if example.then is None else str(example.then)
                    given, expected = server.execute(
                        f"select ({rule_sql(rule, stream).replace('%', '%%')})::text, (%s::{attribute.type})::text"  # noqa: S608
                        " from (select %s::jsonb as _payload) example",
                        (then, payload),
                    ).fetchone()
                    asked += 1
                    if given != expected:
                        wrong.append(
                            f"{entity.entity}.{name} from {source} of {example.given}: {given}, not {expected}"
                        )
    assert asked > 120
    assert wrong == []
