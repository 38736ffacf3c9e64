"""What a target's YAML says of a SOAP service, under `settings` of an object."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from onefold.catalog.model import Model
from onefold.connectors.outbound.contract import Place
from onefold.connectors.outbound.settings import filled, read_settings


class Operation(Model):
    """One operation of the service, and its arguments besides the fields."""

    operation: str
    arguments: dict[str, str] = Field({}, description="dotted names; texts may hold {id}, {reference}, {key}, {value}")
    within: str = Field("", description="of a write: the argument that holds the fields, dotted")
    records: str = Field("", description="of a question: the element that a record is")
    field: str | None = Field(None, description="of match: the field that it searches by")

    def filled(self, values: Mapping[str, str]) -> dict[str, str | None]:
        """The arguments with the values at their placeholders."""
        return {name: filled(text, values) for name, text in self.arguments.items()}


class SoapSettings(Model):
    """How one kind of record is written and read. A field's name is its dotted path in a record's element."""

    create: Operation | None = None
    update: Operation | None = None
    delete: Operation | None = None
    find: Operation
    read: Operation
    match: Operation | None = None
    answer: str | None = Field(None, description="the element of a create's answer with the new key; none: the key's")

    def write(self, kind: str) -> Operation | None:
        """How this kind of change is written; None where it is not."""
        found: Operation | None = getattr(self, kind)
        return found


def soap_settings(place: Place) -> SoapSettings:
    """The settings of a place. Raises Fatal that names what is wrong with them."""
    return read_settings(place, SoapSettings)
