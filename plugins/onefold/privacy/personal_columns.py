"""Which columns of the warehouse hold personal data, as the catalogue says."""

from __future__ import annotations

from collections.abc import Iterable

from onefold.catalog.reader import Catalog
from onefold.mapping.golden import PERSONAL
from onefold.privacy.tables import VALUES_OF_GOLDEN_RECORDS
from onefold.warehouse.read_columns import ALL, ReadColumn

_OF_RECORDS = frozenset({"_payload", "payload", "raw", "_key", "_withheld", "_cursor"})
"""Columns that hold a record, or parts of it, whole."""
_IN_OPS = frozenset({"quarantine", "lookup_cache", "lookup_result", "stream_checkpoint", "drift", "suppression"})
"""Tables of ops that hold records, keys or values."""
_SAMPLES = frozenset({"pg_statistic", "pg_statistic_ext_data"})
"""What PostgreSQL keeps of the most frequent values of every column; the view pg_stats shows it."""


def personal_columns(columns: Iterable[ReadColumn], catalog: Catalog) -> frozenset[ReadColumn]:
    """Those of the columns that may hold personal data: attributes of a personal class in conformed and mapped, of
    landing and staging the columns with records of a stream that has personal fields, records and keys in ops, samples
    of values in pg_catalog. ALL is personal where a column of the table is."""
    return frozenset(column for column in columns if _is_personal(column, catalog))


def _is_personal(column: ReadColumn, catalog: Catalog) -> bool:
    match column.schema:
        case "conformed" | "mapped" | "dry_run_mapped":
            entity = catalog.entities.get(_entity(column))
            attributes = entity.attributes if entity else {}
            read = attributes.values() if column.column == ALL else [attributes.get(column.column)]
            return any(each is not None and each.personal in (*PERSONAL, "organisation") for each in read)
        case "staging" | "dry_run_staging":
            system, _, stream = column.table.partition("__")
            holds_records = column.column in (*_OF_RECORDS, ALL)
            return holds_records and _has_personal_fields(catalog, system, stream.partition("__")[0])
        case "landing":
            return column.column in (*_OF_RECORDS, ALL)
        case "ops":
            written_out = VALUES_OF_GOLDEN_RECORDS.get(f"ops.{column.table}", ())
            if column.column in written_out or (written_out and column.column == ALL):
                return True
            return column.table in _IN_OPS and (column.column in (*_OF_RECORDS, ALL) or "key" in column.column)
        case "pg_catalog":
            return column.table in _SAMPLES and column.column.startswith(("stavalues", "stxdmcv", ALL))
    return False


def _entity(column: ReadColumn) -> str:
    """conformed.customer_version, mapped.sap__customer and mapped.customer__identifier are of the entity customer."""
    if column.schema == "conformed":
        return column.table.removesuffix("_version")
    first, _, second = column.table.partition("__")
    return first if second == "identifier" else second


def _has_personal_fields(catalog: Catalog, system: str, stream: str) -> bool:
    found = catalog.systems[system].streams.get(stream) if system in catalog.systems else None
    return found is None or any(field.personal != "none" for field in found.fields.values())
