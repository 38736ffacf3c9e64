"""Salesforce's REST API: OAuth2 client credentials, query, queryAll and their batches.

Wire: Salesforce REST API Developer Guide, "Query" and "QueryAll"; errors are a JSON array, OAuth errors an
object. A query cursor is a snapshot: it names the query, the world's state and the offset, so that it
outlives both the client's and this process's end.
"""

import base64
import json
import os
import secrets
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults import EXPIRED
from sandbox.soql import Condition, Query, SoqlError, read
from sandbox.stand_in import StandIn
from sandbox.world import SourceRecord, World
from sandbox.world.accounts import timestamp

CLIENT_ID, CLIENT_SECRET = "onefold", "sandbox-secret"
DAILY_LIMIT = 100_000
DATES = ("CreatedDate", "LastModifiedDate", "SystemModstamp")
FIELDS = (
    "Id",
    "IsDeleted",
    "Name",
    "NIP__c",
    "REGON__c",
    "KRS__c",
    "Email__c",
    "Phone",
    "BillingStreet",
    "BillingCity",
    "BillingPostalCode",
    "BillingCountry",
    "Status__c",
    "CreditLimit__c",
    "CurrencyIsoCode",
    *DATES,
)
_SPELLING = {name.lower(): name for name in FIELDS}  # SOQL ignores case
Value = str | float | bool | datetime | None


@dataclass(slots=True)
class Row:
    """An account as it was when the query began; its fields are spelled only when somebody looks."""

    record: SourceRecord
    modified: datetime
    deleted: bool
    _fields: dict[str, Value] | None = None

    def get(self, name: str) -> Value:
        match name:
            case "Id":
                return self.record.key
            case "IsDeleted":
                return self.deleted
            case "CreatedDate":
                return self.record.created
            case "SystemModstamp" | "LastModifiedDate":
                return self.modified
        return self._spelled().get(name)

    def shown(self, fields: tuple[str, ...], version: str) -> dict[str, object]:
        """The row in JSON. A field that the record does not have at all is left out."""
        url = f"/services/data/{version}/sobjects/Account/{self.record.key}"
        row: dict[str, object] = {"attributes": {"type": "Account", "url": url}}
        own = ("Id", "IsDeleted", *DATES)
        for name in fields:
            if name in own or name in self._spelled():
                value = self.get(name)
                row[name] = timestamp(value) if isinstance(value, datetime) else value
        return row

    def _spelled(self) -> dict[str, Value]:
        if self._fields is None:
            self._fields = dict(self.record.fields)
        return self._fields


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a query stands: everything that is needed to go on from here."""

    soql: str
    everything: bool
    batch: int
    sequence: int
    offset: int = 0

    def locator(self) -> str:
        state = json.dumps([self.soql, self.everything, self.batch, self.sequence]).encode()
        return f"01g{base64.urlsafe_b64encode(zlib.compress(state)).decode().rstrip('=')}-{self.offset}"

    @classmethod
    def parse(cls, locator: str) -> "Cursor":
        """Raises SoqlError for anything that this system did not hand out."""
        state, _, offset = locator.removeprefix("01g").rpartition("-")
        try:
            packed = base64.urlsafe_b64decode(state + "=" * (-len(state) % 4))
            return cls(*json.loads(zlib.decompress(packed)), int(offset))
        except (ValueError, TypeError, zlib.error) as error:
            raise SoqlError("INVALID_QUERY_LOCATOR", "invalid query locator") from error


def checked(query: Query) -> Query:
    """The query with its fields in their proper spelling. Raises SoqlError for what Account does not have."""
    if query.object.lower() != "account":
        raise SoqlError("INVALID_TYPE", f"sObject type '{query.object}' is not supported.")

    def proper(name: str) -> str:
        if name.lower() not in _SPELLING:
            raise SoqlError(
                "INVALID_FIELD",
                f"\nNo such column '{name}' on entity 'Account'. If you are attempting to use a custom "
                "field, be sure to append the '__c' after the custom field name.",
            )
        return _SPELLING[name.lower()]

    conditions = tuple(replace(condition, field=proper(condition.field)) for condition in query.conditions)
    for condition in conditions:
        dated, literal = condition.field in DATES, condition.literal
        if literal is not None and dated != isinstance(literal, datetime):
            must = "must be of type dateTime and should not be enclosed in quotes" if dated else "is no dateTime"
            raise SoqlError("INVALID_FIELD", f"value of filter criterion for field '{condition.field}' {must}")
    return replace(
        query,
        fields=tuple(proper(name) for name in query.fields),
        conditions=conditions,
        orders=tuple(replace(order, field=proper(order.field)) for order in query.orders),
    )


def _comparable(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value


def holds(condition: Condition, value: Value) -> bool:
    """Whether the condition is true of the value; text ignores case, and null is neither less nor more."""
    left, right = _comparable(value), _comparable(condition.literal)
    if condition.operator == "=":
        return left == right
    if condition.operator == "!=":
        return left != right
    if left is None or right is None or isinstance(left, str) != isinstance(right, str):
        return False
    compare: dict[str, Callable[[], bool]] = {
        "<": lambda: left < right,  # type: ignore[operator]
        "<=": lambda: left <= right,  # type: ignore[operator]
        ">": lambda: left > right,  # type: ignore[operator]
        ">=": lambda: left >= right,  # type: ignore[operator]
    }
    return compare[condition.operator]()


def select(world: World, query: Query, sequence: int, *, everything: bool) -> list[Row]:
    """The rows that the query finds in the world as it was after advance number `sequence`, in its order."""
    rows = []
    for record in world.records("salesforce"):
        state = record.state_at(sequence)
        if state is None or (state[1] and not everything):
            continue
        row = Row(record, *state)
        if all(holds(condition, row.get(condition.field)) for condition in query.conditions):
            rows.append(row)
    for order in reversed(query.orders):  # nulls come first, as in Salesforce
        rows.sort(key=_ranking(order.field), reverse=order.descending)
    return rows[: query.limit]


def _ranking(field: str) -> Callable[[Row], tuple[bool, Value]]:
    def rank(row: Row) -> tuple[bool, Value]:
        value = _comparable(row.get(field))
        return (value is not None, value)

    return rank


class Salesforce:
    """The org: its tokens, its usage and the results it is handing out."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tokens: dict[str, float] = {}
        self._token_seconds = float(os.environ.get("SANDBOX_SF_TOKEN_SECONDS", "7200"))
        self._batch = int(os.environ.get("SANDBOX_SF_BATCH", "2000"))
        self._used = 0
        self._results: OrderedDict[tuple[str, bool, int, int], list[Row]] = OrderedDict()

    async def token(self, request: Request) -> Response:
        form = await request.form()
        client, secret = str(form.get("client_id", "")), str(form.get("client_secret", ""))
        scheme, _, packed = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            client, _, secret = _unpacked(packed).partition(":")
        if form.get("grant_type") != "client_credentials":
            return _oauth_error("unsupported_grant_type", "grant type not supported")
        if (client, secret) != (CLIENT_ID, CLIENT_SECRET):
            return _oauth_error("invalid_client", "invalid client credentials")
        token = f"00D5g0000000001!{secrets.token_urlsafe(48)}"
        self._tokens[token] = time.monotonic() + self._token_seconds
        return JSONResponse(
            {
                "access_token": token,
                "signature": base64.b64encode(secrets.token_bytes(32)).decode(),
                "scope": "api",
                "instance_url": f"{request.url.scheme}://{request.url.netloc}/salesforce",
                "id": f"{request.url.scheme}://{request.url.netloc}/salesforce/id/00D5g0000000001/0055g000000001",
                "token_type": "Bearer",
                "issued_at": str(int(time.time() * 1000)),
            }
        )

    async def query(self, request: Request) -> Response:
        return self._authorised(request, lambda: self._first(request, everything=False))

    async def query_all(self, request: Request) -> Response:
        return self._authorised(request, lambda: self._first(request, everything=True))

    async def more(self, request: Request) -> Response:
        return self._authorised(request, lambda: self._further(request))

    async def nothing(self, request: Request) -> Response:
        return self._authorised(request, lambda: _error(404, "NOT_FOUND", "The requested resource does not exist"))

    def _authorised(self, request: Request, answer: Callable[[], Response]) -> Response:
        self._tokens.pop(request.scope.get(EXPIRED, ""), None)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or self._tokens.get(token, 0) < time.monotonic():
            return _error(401, "INVALID_SESSION_ID", "Session expired or invalid")
        self._used += 1
        try:
            response = answer()
        except SoqlError as error:
            response = _error(400, error.code, str(error))
        response.headers["Sforce-Limit-Info"] = f"api-usage={self._used}/{DAILY_LIMIT}"
        return response

    def _first(self, request: Request, *, everything: bool) -> Response:
        soql = request.query_params.get("q")
        if not soql:
            raise SoqlError("MALFORMED_QUERY", "A query string has to be specified")
        batch = _asked_batch(request.headers.get("sforce-query-options", ""), self._batch)
        return self._page(request, Cursor(soql, everything, batch, self._world.sequence))

    def _further(self, request: Request) -> Response:
        cursor = Cursor.parse(request.path_params["locator"])
        if cursor.sequence > self._world.sequence:
            raise SoqlError("INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(request, cursor)

    def _page(self, request: Request, cursor: Cursor) -> Response:
        query = checked(read(cursor.soql))
        rows = self._rows(query, cursor)
        version = request.path_params["version"]
        if not query.fields:
            return JSONResponse({"totalSize": len(rows), "done": True, "records": []})
        end = cursor.offset + _size(cursor)
        answer: dict[str, object] = {"totalSize": len(rows), "done": end >= len(rows)}
        if end < len(rows):  # says "query" for queryAll as well
            locator = replace(cursor, offset=end).locator()
            answer["nextRecordsUrl"] = f"/services/data/{version}/query/{locator}"
        answer["records"] = [row.shown(query.fields, version) for row in rows[cursor.offset : end]]
        return JSONResponse(answer)

    def _rows(self, query: Query, cursor: Cursor) -> list[Row]:
        """The whole result, remembered for the pages that follow (and made again when it was forgotten)."""
        key = (cursor.soql, cursor.everything, cursor.sequence, self._world.epoch)
        if key not in self._results or cursor.offset == 0:
            self._results[key] = select(self._world, query, cursor.sequence, everything=cursor.everything)
        self._results.move_to_end(key)
        while len(self._results) > 4:
            self._results.popitem(last=False)
        return self._results[key]


def _unpacked(packed: str) -> str:
    try:
        return base64.b64decode(packed).decode()
    except ValueError:
        return ""


def _asked_batch(options: str, default: int) -> int:
    """The batch size that Sforce-Query-Options asks for, held between 200 and 2,000."""
    name, _, size = options.partition("=")
    if name.strip().lower() == "batchsize" and size.strip().isdigit():
        return min(max(int(size), 200), 2000)
    return default


def _size(cursor: Cursor) -> int:
    """How many rows this batch holds: now and then fewer than asked for, as with wide rows."""
    fewer = cursor.batch >= 10 and zlib.crc32(str(cursor.offset).encode()) % 4 == 1
    return cursor.batch - cursor.batch // 10 if fewer else cursor.batch


def _error(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse([{"message": message, "errorCode": code}], status_code=status)


def _oauth_error(code: str, description: str) -> JSONResponse:
    return JSONResponse({"error": code, "error_description": description}, status_code=400)


def routes(world: World) -> list[Route]:
    """The routes below /salesforce."""
    org = Salesforce(world)
    data = "/services/data/{version:str}"
    return [
        Route("/services/oauth2/token", org.token, methods=["POST"]),
        Route(f"{data}/query", org.query),
        Route(f"{data}/queryAll", org.query_all),
        Route(f"{data}/query/{{locator}}", org.more),
        Route(f"{data}/queryAll/{{locator}}", org.more),
        Route("/services/data/{rest:path}", org.nothing),
    ]


STAND_IN = StandIn(
    "salesforce", routes, sign_in=(CLIENT_ID, CLIENT_SECRET), extra={"token_path": "/services/oauth2/token"}
)
