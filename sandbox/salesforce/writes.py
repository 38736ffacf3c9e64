"""Writing to Salesforce's objects: single rows, rows by external id, and collections of up to 200.

Wire: Salesforce REST API Developer Guide, "sObject Rows", "sObject Rows by External ID" (300 when several match),
"Upsert Records Using sObject Collections" (200 also when items failed), "Conditional Request Headers". The external id
is not Unique here, as admins forget to make it: two creates make two records.
"""

from __future__ import annotations

import json
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.salesforce.objects import EXTERNAL_IDS, OBJECTS, SYSTEM_FIELDS, Row, SObject
from sandbox.salesforce.soql import SoqlError
from sandbox.world import World
from sandbox.world.identifiers import salesforce_id

FIRST_NUMBER = 5_000_000
MOST = 200
LONGEST = 255


class ItemError(Exception):
    """Why one record is not written."""

    def __init__(self, code: str, message: str, fields: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code, self.fields = code, fields

    @property
    def shown(self) -> dict[str, object]:
        return {"statusCode": self.code, "message": str(self), "fields": list(self.fields)}


class Writes:
    """The writes to the org's objects."""

    def __init__(self, world: World) -> None:
        self._world = world

    def collection(self, request: Request, body: bytes) -> Response:
        """Upserts up to 200 records by an external id, each by itself."""
        sobject, external = _object(request), self._external(request)
        given = _json(body)
        records = given.get("records")
        if not isinstance(records, list) or not 0 < len(records) <= MOST:
            raise SoqlError("INVALID_INPUT", "The request must have 1 to 200 records")
        if given.get("allOrNone"):
            raise SoqlError("INVALID_INPUT", "The sandbox writes each record by itself")
        for record in records:
            if record.get("attributes", {}).get("type") != sobject.name:
                raise SoqlError("INVALID_TYPE", "All records must be of the type in the address")
        return JSONResponse([self._one_of_many(sobject, external, record) for record in records])

    def _one_of_many(self, sobject: SObject, external: str, record: dict[str, Any]) -> dict[str, object]:
        fields = {name: value for name, value in record.items() if name != "attributes"}
        try:
            key, created = self._upsert(sobject, external, str(fields.get(external) or ""), fields)
        except ItemError as error:
            return {"success": False, "errors": [error.shown]}
        return {"id": key, "success": True, "errors": [], "created": created}

    def by_external_id(self, request: Request, body: bytes) -> Response:
        sobject, external, value = _object(request), self._external(request), request.path_params["value"]
        matches = self._matches(sobject, external, value)
        if len(matches) > 1:
            urls = [f"/services/data/v60.0/sobjects/{sobject.name}/{key}" for key in matches]
            return JSONResponse(urls, status_code=300)
        try:
            key, created = self._upsert(sobject, external, value, _json(body))
        except ItemError as error:
            return _refused(error)
        return JSONResponse({"id": key, "success": True, "errors": [], "created": created}, 201 if created else 200)

    def create(self, request: Request, body: bytes) -> Response:
        sobject = _object(request)
        try:
            key = self._new(sobject, _json(body))
        except ItemError as error:
            return _refused(error)
        return JSONResponse({"id": key, "success": True, "errors": []}, status_code=201)

    def change(self, request: Request, body: bytes) -> Response:
        sobject, row = self._conditional(request)
        if not isinstance(row, Row):
            return row
        try:
            self._over(sobject, row.key, _json(body))
        except ItemError as error:
            return _refused(error)
        return Response(status_code=204)

    def delete(self, request: Request) -> Response:
        sobject, row = self._conditional(request)
        if not isinstance(row, Row):
            return row
        self._world.written.put(_name(sobject), row.key, {}, base=self._is_base(sobject, row.key), deleted=True)
        return Response(status_code=204)

    def _conditional(self, request: Request) -> tuple[SObject, Row | Response]:
        sobject, key = _object(request), request.path_params["key"]
        row = next((row for row in self._rows(sobject) if row.key == key and not row.deleted), None)
        if row is None:
            return sobject, JSONResponse([{"errorCode": "NOT_FOUND", "message": "does not exist"}], status_code=404)
        since = request.headers.get("if-unmodified-since")
        if since and row.modified.astimezone(UTC).replace(microsecond=0) > parsedate_to_datetime(since):
            return sobject, Response(status_code=412)
        return sobject, row

    def _upsert(self, sobject: SObject, external: str, value: str, fields: dict[str, Any]) -> tuple[str, bool]:
        if not value:
            raise ItemError("MISSING_ARGUMENT", f"{external} not specified")
        matches = self._matches(sobject, external, value)
        if len(matches) > 1:
            raise ItemError("DUPLICATE_EXTERNAL_ID", f"{external}: more than one record found", (external,))
        given = {**fields, external: value}
        if not matches:
            return self._new(sobject, given), True
        self._over(sobject, matches[0], given)
        return matches[0], False

    def _new(self, sobject: SObject, fields: dict[str, Any]) -> str:
        checked = _checked(sobject, fields)
        if sobject.name == "Account" and not checked.get("Name"):
            raise ItemError("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ("Name",))
        name = _name(sobject)
        key = salesforce_id(FIRST_NUMBER + self._world.written.next_number(name))
        self._world.written.put(name, key, {each: None for each in sobject.fields if "." not in each} | checked)
        return key

    def _over(self, sobject: SObject, key: str, fields: dict[str, Any]) -> None:
        checked = _checked(sobject, fields)
        self._world.written.put(_name(sobject), key, checked, base=self._is_base(sobject, key))

    def _is_base(self, sobject: SObject, key: str) -> bool:
        return key not in self._world.written.rows(_name(sobject))

    def _matches(self, sobject: SObject, external: str, value: str) -> list[str]:
        """The keys of the records with this external id, which ignores case unless it is said otherwise."""
        same, written = value.casefold(), self._world.written.rows(_name(sobject)).values()
        return [
            row.key for row in written if not row.deleted and str(row.fields.get(external) or "").casefold() == same
        ]

    def _rows(self, sobject: SObject) -> list[Row]:
        return list(sobject.rows(self._world, self._world.sequence))

    @staticmethod
    def _external(request: Request) -> str:
        name = request.path_params["external"]
        if name not in EXTERNAL_IDS:
            raise SoqlError("INVALID_FIELD", f"Provided external ID field {name} is not an external ID")
        return str(name)


def _object(request: Request) -> SObject:
    found = OBJECTS.get(request.path_params["sobject"].lower())
    if found is None:
        raise SoqlError("NOT_FOUND", "The requested resource does not exist")
    return found


def _name(sobject: SObject) -> str:
    return f"salesforce.{sobject.name}"


def _json(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body)
    except ValueError as error:
        raise SoqlError("JSON_PARSER_ERROR", "Unexpected character") from error
    if not isinstance(given, dict):
        raise SoqlError("JSON_PARSER_ERROR", "An object was expected")
    return given


def _checked(sobject: SObject, fields: dict[str, Any]) -> dict[str, Any]:
    for name, value in fields.items():
        if name not in sobject.fields or name in SYSTEM_FIELDS:
            raise SoqlError("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}")
        if isinstance(value, str) and len(value) > LONGEST:
            raise ItemError("STRING_TOO_LONG", f"{name}: data value too large: {value} (max length=255)", (name,))
        if name in ("CreditLimit__c", "Amount") and isinstance(value, str):
            raise ItemError("JSON_PARSER_ERROR", f"Cannot deserialize {value}", (name,))
    return fields


def _refused(error: ItemError) -> Response:
    return JSONResponse([{"errorCode": error.code, "message": str(error), "fields": list(error.fields)}], 400)
