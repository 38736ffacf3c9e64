"""What no mapping understands of a record, in one text."""

from __future__ import annotations

from collections.abc import Mapping

from onefold.catalog.entity import Entity
from onefold.catalog.stream import Stream
from onefold.mapping.sql import all_cases, is_unmapped_sql, rule_text, rules_of


def unmapped_sql(
    entities: Mapping[str, Entity], system: str, stream_name: str, stream: Stream, payload: str = "_payload"
) -> str:
    """An SQL text expression over a record: what no mapping understands, NULL when all is understood.

    For example 'customer.tax_id_pl<-NIP__c (nip)': the field holds something, but the transform gives NULL.
    It names fields, never values.
    """
    return all_cases(
        ", ",
        [
            (is_unmapped_sql(rule, stream, payload), rule_text(entity.entity, name, rule))
            for entity, name, rule in rules_of(entities, f"{system}.{stream_name}")
        ],
    )
