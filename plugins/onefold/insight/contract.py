"""What a source has changed of its contract and nobody has accepted yet: fields new, gone or of another type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg

from onefold.catalog.entity import Entity
from onefold.catalog.field_line import field_settings
from onefold.catalog.fields import FieldType
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.load.new_fields import NewField, undeclared_fields

_FITS: Mapping[str, FieldType] = {
    "string": "text",
    "number": "numeric",
    "boolean": "boolean",
    "object": "json",
    "array": "json",
}
"""The type of ours that takes whatever is of a JSON type."""


@dataclass(frozen=True, slots=True)
class ChangedField:
    """A declared field whose contract the stream's last load found changed: it has vanished, or `fits` another type.

    `readers` are the attributes that are made of it, as entity.attribute (transform).
    """

    field: str
    was: str
    is_now: str
    records: int
    load_id: int
    fits: FieldType | None
    readers: tuple[str, ...]

    @property
    def vanished(self) -> bool:
        """Whether no record has it any more."""
        return self.fits is None


@dataclass(frozen=True, slots=True)
class ContractChanges:
    """What is not accepted yet of one stream: changed fields, and new ones. `unacceptable` says of fields why the YAML
    cannot simply give way."""

    changed: Sequence[ChangedField]
    new: Sequence[NewField]
    unacceptable: Mapping[str, str]

    def settings(self) -> dict[str, dict[str, str | bool]]:
        """What to write into the stream's YAML, by field."""
        found: dict[str, dict[str, str | bool]] = {}
        for each in self.changed:
            if each.field not in self.unacceptable:
                found[each.field] = {"type": each.fits} if each.fits else {"required": False, "vanished": True}
        for new in self.new:
            if new.field not in self.unacceptable:
                found[new.field] = field_settings(new.field, new.type)
        return found


def contract_changes(
    connection: psycopg.Connection, system: System, name: str, entities: Mapping[str, Entity]
) -> ContractChanges:
    """What the stream's last load found changed, and every new field that the YAML does not name."""
    stream, named = system.streams[name], f"{system.system}.{name}"
    rows = connection.execute(
        "select field, was, is_now, rows, load_id from ops.contract_change where was <> 'absent' and load_id = ("
        " select max(load_id) from ops.load where system = %s and stream = %s and not sweep"
        " and state in ('published', 'rejected')) order by field",
        (system.system, name),
    ).fetchall()
    changed = [
        ChangedField(field, was, is_now, records, load_id, _FITS.get(is_now), readers(entities, named, field))
        for field, was, is_now, records, load_id in rows
        if field in stream.fields and not _is_accepted(stream, field, is_now)
    ]
    new = undeclared_fields(connection, system.system, name, stream)
    return ContractChanges(changed, new, dict(_unacceptable(stream, changed, new)))


def new_fields(connection: psycopg.Connection, systems: Mapping[str, System]) -> list[NewField]:
    """The new fields of every stream of the catalogue that its YAML does not name."""
    there = set(connection.execute("select distinct system, stream from ops.new_field").fetchall())
    return [
        each
        for system, stream in sorted(there)
        if system in systems and stream in systems[system].streams
        for each in undeclared_fields(connection, system, stream, systems[system].streams[stream])
    ]


def readers(entities: Mapping[str, Entity], stream: str, field: str) -> tuple[str, ...]:
    """The attributes that are made of a field of system.stream, as entity.attribute (transform)."""
    return tuple(
        f"{entity}.{attribute}" + (f" (transform {rule.transform})" if rule.transform else "")
        for entity, described in entities.items()
        for attribute, said in described.attributes.items()
        for source, rule in said.sources.items()
        if source == stream and field in rule.inputs
    )


def _is_accepted(stream: Stream, field: str, is_now: str) -> bool:
    said = stream.fields[field]
    return said.vanished if is_now not in _FITS else said.type == _FITS[is_now]


def _unacceptable(stream: Stream, changed: Sequence[ChangedField], new: Sequence[NewField]) -> list[tuple[str, str]]:
    head = {
        **dict.fromkeys(stream.primary_key, "the primary key"),
        **dict.fromkeys(stream.cursor.fields if stream.cursor else (), "the cursor"),
        **({stream.deletes.flag.field: "the flag of deletions"} if stream.deletes.flag else {}),
    }
    lower = {name.lower() for name in stream.fields}
    found = [
        (each.field, f"it is of {head[each.field]}, which a stream needs: name another field, or have the source fixed")
        for each in changed
        if each.field in head
    ]
    for each in new:
        if not each.field.isidentifier():
            found.append((each.field, "its name is none that may be shown or written: see the source itself"))
        elif each.field.lower() in lower:
            found.append(
                (each.field, f"a field differs from it only in case: give it another name and `path: {each.field}`")
            )
    return found
