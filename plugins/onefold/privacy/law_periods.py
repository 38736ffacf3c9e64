"""How long a law keeps what it keeps (kept_by_law of a stream): until the end of a year, by a date of the record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime

from onefold.catalog.reader import Catalog
from onefold.privacy.tables import WarehouseTable


def today() -> date:
    """By which a period is over or not."""
    return datetime.now(UTC).date()


def last_day(since: object, years: int) -> date | None:
    """The end of the year so many years after that of a date or of a text that begins with one; None: it has none."""
    found = re.match(r"(?:19|20)\d\d(?=-)", str(since))
    return date(int(found[0]) + years, 12, 31) if found else None


def is_over(until: date | None) -> bool:
    """Whether that last day has passed. What has no date is kept."""
    return until is not None and today() > until


def keeps_column(table: WarehouseTable, catalog: Catalog, column: str, row: Mapping[str, object]) -> bool:
    """Whether an attribute of an entity's row comes from a field that a law keeps still."""
    if table.entity is None or column not in table.entity.attributes:
        return False
    for source, rule in table.entity.attributes[column].sources.items():
        system, _, stream = source.partition(".")
        law = catalog.systems[system].streams[stream].kept_by_law if system in catalog.systems else None
        if law and set(rule.fields) & set(law.fields):
            dated = (
                row[name]
                for name, attribute in table.entity.attributes.items()
                if row.get(name) is not None
                and source in attribute.sources
                and law.since in attribute.sources[source].fields
            )
            if not is_over(last_day(next(dated, None), law.years)):
                return True
    return False
