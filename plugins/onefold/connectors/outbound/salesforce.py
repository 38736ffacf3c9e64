"""Salesforce's objects as targets (REST API Developer Guide, "Upsert Records Using sObject Collections", "sObject
Rows", "Conditional Request Headers"; errors are SOAP API's "StatusCode").

Creates are upserts by our reference, up to 200 in one request: the same one twice makes one record. It answers 200 also
when items failed, in the order of the request. Changes are compared in one query and then sent one by one, each on
condition that the record was not modified since.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from email.utils import format_datetime
from functools import partial
from typing import Any, Unpack
from urllib.parse import quote

from onefold.connectors.outbound.applied import FAILURES, outcome_of, require_batch, unfit
from onefold.connectors.outbound.contract import Change, Current, Outbound, Outcome, Place, Result, Value
from onefold.connectors.outbound.http import Answer, encode, moved_or_raise, parts, says_later, whole_answer, written
from onefold.connectors.outbound.json_values import from_json, in_json
from onefold.errors import Fatal
from onefold.foreign_text import described
from onefold.http.attempt import Attempt, BadBody, Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.failure import Refused
from onefold.http.known_words import ERROR_CODES
from onefold.http.persistent import AttemptSettings

DATA = "/services/data/v60.0"
ASKED = 100
"""Values of one query: an address may have 16,384 characters."""
STAMP = "SystemModstamp"
PAGES = 10_000
NOT_PROCESSED = frozenset({"UNABLE_TO_LOCK_ROW", "PROCESSING_HALTED", "ALL_OR_NONE_OPERATION_ROLLED_BACK"})
"""Statuses of items that were not written, and not for what they say."""
DUPLICATE = "DUPLICATE_EXTERNAL_ID"
_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"})


class SalesforceOutbound(Outbound):
    """Writes to one object and reads it. The reference is a field that is an External ID, and Unique. `settings`:
    `path` of the API's version."""

    batch = 200

    def __init__(self, place: Place, http: Client) -> None:
        super().__init__(place)
        self._http = http
        self._data = str(place.settings.get("path", DATA)).rstrip("/")
        self._fields = list(dict.fromkeys([place.key, place.reference, *place.fields, STAMP]))

    def close(self) -> None:
        self._http.close()

    def apply(self, changes: Sequence[Change]) -> Sequence[Outcome]:
        require_batch(self, changes)
        outcomes = {each.id: refused for each in changes if (refused := unfit(self.place, each))}
        sound = [each for each in changes if each.id not in outcomes]
        outcomes |= self._created([each for each in sound if each.kind == "create"])
        changed = [each for each in sound if each.kind != "create"]
        there: dict[str, str] | None = None

        def change_one(change: Change) -> Outcome:
            nonlocal there
            if there is None:
                there = {each.key: each.version for each in self.read([each.key or "" for each in changed])}
            return self._changed(change, there.get(change.key or ""))

        outcomes |= {each.id: outcome_of(each, partial(change_one, each)) for each in changed}
        return [outcomes[each.id] for each in changes]

    def find(self, references: Sequence[str]) -> Sequence[Current]:
        wanted = set(references)  # SOQL ignores case
        return [each for each in self._among(self.place.reference, references) if each.reference in wanted]

    def read(self, keys: Sequence[str]) -> Sequence[Current]:
        return self._among(self.place.key, keys)

    def match(self, field: str, value: Value) -> Sequence[Current]:
        return self._asked(f"{field} = {_literal(value)}")

    def _created(self, changes: Sequence[Change]) -> dict[str, Outcome]:
        if not changes:
            return {}
        place = self.place
        records = [{"attributes": {"type": place.object}, **_written(written(each, place))} for each in changes]
        path = f"{self._data}/composite/sobjects/{place.object}/{place.reference}"
        results: list[Mapping[str, Any]] = []

        def send() -> None:
            body = encode({"allOrNone": False, "records": records})
            results.extend(self._sent("PATCH", path, body, {}, partial(_results, len(changes))))

        def outcome(change: Change, failure: Exception | None, place_in_answer: int) -> Outcome:
            if failure is not None:
                raise failure
            return self._item(change, results[place_in_answer])

        failure = _failure_of(send)
        if isinstance(failure, Refused) and len(changes) > 1:  # one of them may be what it does not understand
            return {each.id: one for each in changes for one in self._created([each]).values()}
        return {
            each.id: outcome_of(each, partial(outcome, each, failure, number)) for number, each in enumerate(changes)
        }

    def _item(self, change: Change, result: Mapping[str, Any]) -> Outcome:
        if result["success"]:
            return Outcome(change.id, Result.DONE, str(result["id"]))
        error: Mapping[str, Any] = next(iter(result.get("errors") or []), {})
        code = str(error.get("statusCode", ""))
        fields = ", ".join(name for name in map(str, error.get("fields") or ()) if name in self._fields)
        told = code if code in ERROR_CODES else f"a status that is not known ({described(code) or 'none'})"
        reason = f"{self.place.named}: {told}{f' ({fields})' if fields else ''}."
        if code in NOT_PROCESSED or says_later(self.place.system, code.encode()):
            return Outcome(change.id, Result.NOT_SENT, reason=reason)
        if code == DUPLICATE:
            reason += f" Several records have our reference: merge them, and make {self.place.reference} Unique."
        return Outcome(change.id, Result.REFUSED, reason=reason)

    def _changed(self, change: Change, version: str | None) -> Outcome:
        place = self.place
        if version is None or version != change.version:
            gone = "is gone" if version is None else "was changed since it was read"
            return Outcome(change.id, Result.MOVED, change.key, reason=f"{place.named}: the record {gone}.")
        path = f"{self._data}/sobjects/{place.object}/{quote(change.key or '', safe='')}"
        headers = {"If-Unmodified-Since": _http_date(version)}
        try:
            if change.kind == "delete":
                self._sent("DELETE", path, None, headers, whole_answer)
            else:
                self._sent("PATCH", path, encode(_written(written(change, place))), headers, whole_answer)
        except Refused as error:
            return moved_or_raise(place, change, error)
        return Outcome(change.id, Result.DONE, change.key)

    def _sent(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], parse: Callable[[Response], Any]
    ) -> Any:
        given = {"Accept": "application/json", **headers}
        if body is not None:
            given["Content-Type"] = "application/json"
        shown = path.rpartition("/")[0]
        return self._http.send_once(method, path, parse=parse, headers=given, body=body, shown=shown)

    def _among(self, field: str, values: Sequence[str]) -> list[Current]:
        found = []
        for some in parts(values, ASKED):
            found += self._asked(f"{field} IN ({', '.join(map(_literal, some))})")
        return found

    def _asked(self, condition: str) -> list[Current]:
        query = " ".join(("SELECT", ",".join(self._fields), "FROM", self.place.object, "WHERE", condition))
        address, params, seen, found = f"{self._data}/query", {"q": query}, set[str](), list[Current]()
        while address not in seen and len(seen) < PAGES:
            seen.add(address)
            answer = self._http.send(
                "GET", address, params=params, headers={"Accept": "application/json"}, parse=_page, shown=self._data
            )
            found += map(self._current, answer.require_objects("records"))
            if answer.at("done") is True:
                return found
            address, params = str(answer.at("nextRecordsUrl")), {}
        raise Fatal(f"{self.place.named}: its batches lead in a circle, so what was searched cannot be known.")

    def _current(self, record: Mapping[str, Any]) -> Current:
        place = self.place
        reference = record.get(place.reference)
        fields = {name: from_json(record.get(name), place.kind(name)) for name in place.fields}
        return Current(str(record[place.key]), str(reference) if reference else None, fields, str(record[STAMP]))


def _failure_of(send: Callable[[], None]) -> Exception | None:
    """What `send` raises; None when it does not. Each of the changes that it sends fails by it."""
    try:
        send()
    except FAILURES as error:
        return error
    return None


def _results(count: int, response: Response) -> list[Mapping[str, Any]]:
    """One result a record. Raises BadBody when they are not, so that nobody knows which was written."""
    results = whole_answer(response).require_objects()
    if len(results) != count or not all(isinstance(each.get("success"), bool) for each in results):
        raise BadBody(f"{len(results)} results of {count} records")
    if any(each["success"] and not each.get("id") for each in results):
        raise BadBody("a success without an id")
    return list(results)


def _page(response: Response) -> Answer:
    answer = whole_answer(response)
    answer.require_objects("records")
    if answer.at("done") is not True and not answer.at("nextRecordsUrl"):
        raise BadBody("a batch that says neither that it is the last nor where the next one is")
    return answer


def _written(fields: Mapping[str, Value]) -> dict[str, object]:
    return {name: in_json(value) for name, value in fields.items()}


def _literal(value: Value) -> str:
    """The value in SOQL (SOQL and SOQL Reference, "Quoted String Escape Sequences")."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | Decimal):
        return f"{Decimal(value):f}"
    if isinstance(value, date):
        return str(in_json(value))
    return f"'{value.translate(_ESCAPES)}'"


def _http_date(stamp: str) -> str:
    """The version as a header tells it: to the second, and so no earlier than the record's own."""
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError as error:
        raise Fatal(f"A version of Salesforce must be its {STAMP}. Read the record again.") from error
    return format_datetime(at.astimezone(UTC), usegmt=True)


def open_salesforce(
    place: Place, endpoint: Endpoint, on_attempt: Callable[[Attempt], None], **settings: Unpack[AttemptSettings]
) -> SalesforceOutbound:
    """What writes to an object of Salesforce."""
    return SalesforceOutbound(place, Client(place.system, endpoint, on_attempt, **settings))
