"""SOAP services as targets. SOAP has no idempotency and no versions: a create whose answer is lost is found by its
reference or not at all, and a record is read and compared right before it is changed.

Settings of an object, each an operation with its arguments (dotted: within another; {reference}, {key}, {value}):

    create: {operation: AddCustomer, within: customer}
    update: {operation: ChangeCustomer, within: customer, arguments: {customer.number: "{key}"}}
    find: {operation: FindCustomers, arguments: {reference: "{reference}"}, records: customer}
    read: {operation: GetCustomer, arguments: {number: "{key}"}, records: customer}
    match: {operation: FindCustomers, arguments: {taxNumber: "{value}"}, records: customer, field: taxNumber}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, BinaryIO, Unpack

from onefold.connectors import safe_xml
from onefold.connectors.outbound.applied import applied
from onefold.connectors.outbound.contract import Change, Current, Outbound, Outcome, Place, Result, Value
from onefold.connectors.outbound.http import parts, written
from onefold.connectors.outbound.json_values import from_json, in_json
from onefold.connectors.outbound.soap.settings import Operation, soap_settings
from onefold.connectors.outbound.version import fields_version
from onefold.connectors.safe_xml import Row
from onefold.connectors.soap.arguments import nested
from onefold.connectors.soap.envelope import CallRefused
from onefold.connectors.soap.service import SoapService
from onefold.errors import Fatal
from onefold.http.attempt import Attempt, BadBody
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.failure import WriteRefused
from onefold.http.persistent import AttemptSettings

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that XML 1.0 does not have (2.2)."""


class SoapOutbound(Outbound):
    """Writes records of one kind by a service's operations, and reads them."""

    batch = 100

    def __init__(self, place: Place, http: Client, service: SoapService) -> None:
        super().__init__(place)
        self._http = http
        self._service = service
        self._settings = soap_settings(place)

    def close(self) -> None:
        self._http.close()

    def apply(self, changes: Sequence[Change]) -> Sequence[Outcome]:
        return applied(self, changes, self._apply)

    def find(self, references: Sequence[str]) -> Sequence[Current]:
        return self._among(self._settings.find, "reference", references)

    def read(self, keys: Sequence[str]) -> Sequence[Current]:
        return self._among(self._settings.read, "key", keys)

    def match(self, field: str, value: Value) -> Sequence[Current]:
        operation = self._settings.match
        if operation is None or operation.field not in (None, field):
            raise Fatal(f"{self.place.named}: nothing says how to search by {field}. Say settings.match in its YAML.")
        return self._asked(operation, {"value": _text(value) or "", "field": field})

    def _apply(self, change: Change) -> Outcome:
        operation = self._settings.write(change.kind)
        if operation is None:
            raise WriteRefused(f"{self.place.named}: its YAML says no settings.{change.kind}.")
        if change.kind != "create":
            there = next(iter(self.read([change.key or ""])), None)
            if there is None or there.version != change.version:
                reason = f"{self.place.named}: the record was changed since it was read, or is gone."
                return Outcome(change.id, Result.MOVED, change.key, reason=reason)
        values = {"id": change.id, "reference": change.reference, "key": change.key or ""}
        texts = operation.filled(values)
        for name, value in written(change, self.place).items() if change.kind != "delete" else ():
            texts[f"{operation.within}.{name}" if operation.within else name] = _text(value)
        if unfit := next((name for name, text in texts.items() if text and _NOT_XML.search(text)), None):
            raise WriteRefused(f"{self.place.named}: {unfit} has a control character, which XML has not.")
        arguments = nested(self.place.named, {name: text for name, text in texts.items() if text is not None})
        empty = [name for name, text in texts.items() if text is None]
        if empty and change.kind != "create":
            raise WriteRefused(
                f"{self.place.named}: {empty[0]} cannot be emptied: a SOAP argument that is left out says nothing."
            )
        try:
            key = self._service.call(operation.operation, arguments, partial(self._key, change), once=True)
        except CallRefused as error:
            raise WriteRefused(str(error)) from error
        return Outcome(change.id, Result.DONE, key)

    def _key(self, change: Change, envelope: BinaryIO) -> str | None:
        """The key in the answer to a write: of a create there must be one, for else it may have said no."""
        document = safe_xml.tree(envelope)
        if change.kind != "create":
            return change.key
        keys = [each.text for each in document.iterfind(f".//{{*}}{self._settings.answer or self.place.key}")]
        if len(keys) != 1 or not keys[0]:
            raise BadBody("an answer to a create without the record's key")
        return keys[0]

    def _among(self, operation: Operation, name: str, values: Sequence[str]) -> list[Current]:
        field = {"reference": self.place.reference, "key": self.place.key}[name]
        found = [each for (value,) in parts(values, 1) for each in self._asked(operation, {name: value})]
        if any((each.reference if name == "reference" else each.key) not in values for each in found):
            raise Fatal(
                f"{self.place.named}: {operation.operation} gave records with another {field} than was asked for, so "
                "nothing can be searched. Compare its arguments in the YAML with the service's WSDL."
            )
        return found

    def _asked(self, operation: Operation, values: Mapping[str, str]) -> list[Current]:
        def read(envelope: BinaryIO) -> list[Current]:
            return [self._current(row) for row in safe_xml.rows(envelope, operation.records)]

        given = {name: text for name, text in operation.filled(values).items() if text is not None}
        return self._service.call(operation.operation, nested(self.place.named, given), read)

    def _current(self, row: Row | Any) -> Current:
        place = self.place
        if not isinstance(row, dict) or not _at(row, place.key):
            raise BadBody("a record without its key")
        fields = {name: from_json(_at(row, name), place.kind(name)) for name in place.fields}
        reference = _at(row, place.reference)
        version = fields_version({**fields, place.reference: str(reference)})
        return Current(str(_at(row, place.key)), str(reference) if reference else None, fields, version)


def _at(row: Mapping[str, Any], path: str) -> object:
    """What is at a dotted path of a row; None where there is nothing."""
    found: object = row
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _text(value: Value) -> str | None:
    """The value as XML Schema writes it; None stays None."""
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:f}" if isinstance(value, Decimal) else str(in_json(value))


def open_soap(
    place: Place, endpoint: Endpoint, on_attempt: Callable[[Attempt], None], **settings: Unpack[AttemptSettings]
) -> SoapOutbound:
    """What writes by a SOAP service. Raises Fatal when its settings are wrong."""
    http = Client(place.system, endpoint, on_attempt, **settings)
    return SoapOutbound(place, http, SoapService(place.system, endpoint, http))
