"""Fields that a source has added and that its YAML does not name (ops.new_field): kept until somebody says of each what
it is, or that nobody needs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg.rows import class_row

from onefold.catalog.field_line import field_line, field_settings
from onefold.catalog.fields import FieldType
from onefold.catalog.stream import Stream
from onefold.load.ledger import Load
from onefold.quality.contract import Drift, known_keys


@dataclass(frozen=True, slots=True)
class NewField:
    """A field as it was first met: in how many of the load's records, and the type that holds its values there."""

    system: str
    stream: str
    field: str
    type: FieldType
    records: int
    load_id: int
    first_seen: datetime

    @property
    def yaml(self) -> str:
        """The line under `fields` that declares it; its class of personal data is guessed from its name."""
        return field_line(self.field, field_settings(self.field, self.type))

    def __str__(self) -> str:
        return (
            f"{self.system}.{self.stream} has a field {self.field} since load {self.load_id} ({self.records:,} "
            f"records), which catalog/systems/{self.system}.yaml does not name. Under fields: `{self.yaml}` (check "
            "type and personal), or its name under ignore"
        )


def record_new_fields(connection: psycopg.Connection, load: Load, new: Sequence[Drift]) -> None:
    """Keep what is not known yet."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into ops.new_field (system, stream, field, type, records, load_id)"
            " values (%s, %s, %s, %s, %s, %s) on conflict do nothing",
            [(load.system, load.stream, each.field, each.fits, each.rows, load.load_id) for each in new],
        )


def undeclared_fields(connection: psycopg.Connection, system: str, name: str, stream: Stream) -> list[NewField]:
    """The stream's new fields that its YAML neither declares nor ignores, the oldest first."""
    with connection.cursor(row_factory=class_row(NewField)) as cursor:
        found = cursor.execute(
            "select * from ops.new_field where system = %s and stream = %s order by first_seen, field", (system, name)
        ).fetchall()
    known = known_keys(stream)
    return [each for each in found if each.field not in known]
