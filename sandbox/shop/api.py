"""Stand-in of Shopify's GraphQL Admin API: customers, products, orders, deletion events, and bulk operations.

Wire: Shopify, "GraphQL Admin API reference" (2025-10), "Rate limits" (points; THROTTLED comes with status 200),
"Perform bulk operations". Paging is a snapshot: a cursor says of which moment of the world it is. A finished bulk
operation's file is laid below /bulk, where the real one is on another host at a signed address.
"""

from __future__ import annotations

import base64
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.shop.content import BOOKS, SHOWN, STREAMS, TYPES, Nodes, Object, destroyed, gid
from sandbox.shop.selection import ShopError, connection_shown, price_of, shown_fields, unknown_field, value_of
from sandbox.stand_in import StandIn
from sandbox.wire.graphql import Selected, SyntaxProblem, read
from sandbox.world import Entry, World

TOKEN = "sandbox-secret"
DEAREST_QUERY = 1000
_TERM = re.compile(r"(\w+):(>=|<=|>|<|)'?([^'\s]+)'?")
State = tuple[Entry, datetime, int]


@dataclass(slots=True)
class Operation:
    """A bulk operation: what it was asked, of which moment, and its result once somebody has asked for it twice."""

    id: str
    document: str
    sequence: int
    begun: float
    polled: int = 0
    lines: bytes | None = None


@dataclass(slots=True)
class Bucket:
    """The points that may be spent."""

    most: float
    rate: float
    left: float = 0
    at: float = field(default_factory=time.monotonic)

    def spend(self, price: float) -> bool:
        now = time.monotonic()
        self.left = min(self.most, self.left + (now - self.at) * self.rate)
        self.at = now
        if price > self.left:
            return False
        self.left -= price
        return True

    def shown(self) -> Object:
        return {"maximumAvailable": self.most, "currentlyAvailable": int(self.left), "restoreRate": self.rate}


class Shop:
    """The shop: its points, its bulk operations, and what it answers."""

    def __init__(self, world: World) -> None:
        self._world = world
        most = float(os.environ.get("SANDBOX_SHOP_POINTS", "100000"))
        self._bucket = Bucket(most, most / 20, most)
        self._operations: dict[str, Operation] = {}
        self._listed: dict[tuple[object, ...], list[State]] = {}

    async def graphql(self, request: Request) -> Response:
        if request.headers.get("x-shopify-access-token") != TOKEN:
            said = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return JSONResponse({"errors": said}, 401)
        try:
            body = json.loads(await request.body())
            kind, selected = read(body["query"], body.get("variables") or {})
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        except SyntaxProblem as error:
            return JSONResponse({"errors": [{"message": str(error), "extensions": {"code": "PARSE_ERROR"}}]})
        price = sum(map(price_of, selected)) if kind == "query" else 10
        base = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}"
        return JSONResponse(self._answer(base, kind, selected, price))

    def _answer(self, base: str, kind: str, selected: tuple[Selected, ...], price: float) -> Object:
        cost: Object = {"requestedQueryCost": price, "actualQueryCost": None}
        try:
            if price > DEAREST_QUERY:
                message = f"Query cost is {price:.0f}, which exceeds the single query max cost limit ({DEAREST_QUERY})."
                raise ShopError(message, "MAX_COST_EXCEEDED", cost=price, maxCost=DEAREST_QUERY)
            if not self._bucket.spend(price):
                raise ShopError("Throttled", "THROTTLED", documentation="https://shopify.dev/api/usage/rate-limits")
            answer: Object = {"data": {each.shown: self._root(base, kind, each) for each in selected}}
            cost["actualQueryCost"] = price
        except ShopError as error:
            answer = {"errors": [error.shown]}
        return answer | {"extensions": {"cost": {**cost, "throttleStatus": self._bucket.shown()}}}

    def _root(self, base: str, kind: str, asked: Selected) -> object:
        name, given = asked.name, asked.arguments
        if kind == "mutation":
            if name != "bulkOperationRunQuery":
                raise unknown_field("Mutation", name)
            return shown_fields(asked, self._run(str(given.get("query", ""))), "BulkOperationRunQueryPayload")
        if name in TYPES:
            return self._connection(asked)
        if name.endswith("Count") and name.removesuffix("Count") in SHOWN:
            count = len(self._rows(name.removesuffix("Count"), str(given.get("query") or ""), self._world.sequence))
            limit = given.get("limit", 10_000)
            most = count if limit is None else min(count, int(limit))
            return shown_fields(asked, {"count": most, "precision": "EXACT" if most == count else "AT_LEAST"}, "Count")
        if name == "node":
            return self._operation(base, asked, self._operations.get(str(given.get("id"))))
        if name == "currentBulkOperation":
            return self._operation(base, asked, next(reversed(self._operations.values()), None))
        raise unknown_field("QueryRoot", name)

    def _connection(self, asked: Selected) -> Object:
        given = asked.arguments
        first = given.get("first")
        if not isinstance(first, int) or not 0 < first <= 250:
            raise ShopError(f"you must provide one of first or last, at most 250, for {asked.name}", "BAD_REQUEST")
        sequence, offset = self._cursor(given.get("after"))
        rows = self._rows(asked.name, str(given.get("query") or ""), sequence)
        end = offset + first
        cursor = base64.b64encode(json.dumps([sequence, end]).encode()).decode()
        nodes = [self._node(asked.name, *row) for row in rows[offset:end]]
        info = {"hasNextPage": end < len(rows), "endCursor": cursor if nodes else None}
        return connection_shown(asked, TYPES[asked.name], nodes, info)

    def _cursor(self, after: object) -> tuple[int, int]:
        if after is None:
            return self._world.sequence, 0
        try:
            sequence, offset = json.loads(base64.b64decode(str(after)))
        except ValueError as error:
            raise ShopError("Invalid cursor for current pagination sort.", "BAD_REQUEST") from error
        if sequence > self._world.sequence:
            raise ShopError("Invalid cursor for current pagination sort.", "BAD_REQUEST")
        return sequence, offset

    def _rows(self, root: str, query: str, sequence: int) -> list[State]:
        """The rows that the search finds, by when they were changed; of events, the deleted ones."""
        key = (self._world.epoch, root, query, sequence)
        if key not in self._listed:
            while len(self._listed) > 8:
                del self._listed[next(iter(self._listed))]
            self._listed[key] = sorted(
                self._found(root, list(_TERM.findall(query)), sequence), key=lambda row: (row[1], row[0].number)
            )
        return self._listed[key]

    def _found(self, root: str, terms: list[tuple[str, str, str]], sequence: int) -> Iterator[State]:
        subject = next((value.lower() for name, _, value in terms if name == "subject_type"), "")
        gone = root == "events"
        if gone and subject not in STREAMS.values():
            return
        stream = subject if gone else STREAMS[root]
        stamped = "created_at" if gone else "updated_at"
        bounds = [(op, datetime.fromisoformat(value)) for name, op, value in terms if name == stamped]
        for entry in self._world.shelf(f"shop.{stream}").entries:
            state = entry.at(sequence)
            if state and state[1] == gone and all(_holds(op, state[0], value) for op, value in bounds):
                yield entry, state[0], state[2]

    def _node(self, root: str, entry: Entry, modified: datetime, revision: int) -> Object:
        if root == "events":
            subject = entry.key.split("/")[-2].upper()
            return destroyed(entry, subject, modified, entry.number)
        return SHOWN[root](self._world, entry, modified, revision)

    def _run(self, document: str) -> Object:
        busy = [each for each in self._operations.values() if each.polled < 2 and time.monotonic() - each.begun < 5]
        if busy:
            message = f"A bulk query operation for this app and shop is already in progress: {busy[0].id}."
            problem = {"field": None, "message": message, "code": "OPERATION_IN_PROGRESS"}
            return {"bulkOperation": None, "userErrors": [problem]}
        _, (asked, *more) = read(document, {})
        if more or asked.name not in SHOWN:
            problem = {"field": ["query"], "message": "Invalid bulk query.", "code": "INVALID"}
            return {"bulkOperation": None, "userErrors": [problem]}
        made = Operation(gid("BulkOperation", len(self._operations)), document, self._world.sequence, time.monotonic())
        self._operations[made.id] = made
        return {"bulkOperation": {"id": made.id, "status": "CREATED"}, "userErrors": []}

    def _operation(self, base: str, asked: Selected, operation: Operation | None) -> object:
        if operation is None:
            return None
        operation.polled += 1
        done = operation.polled >= 2
        if done and operation.lines is None:
            operation.lines = b"".join(self._lines(operation))
        size = len(operation.lines or b"")
        number = operation.id.rpartition("/")[2]
        return shown_fields(
            asked,
            {
                "id": operation.id,
                "status": "COMPLETED" if done else "RUNNING",
                "errorCode": None,
                "objectCount": str((operation.lines or b"").count(b"\n")),
                "fileSize": str(size) if size else None,
                "url": f"{base}/bulk/{number}.jsonl" if size else None,
            },
            "BulkOperation",
        )

    def _lines(self, operation: Operation) -> Iterator[bytes]:
        _, (asked, *_) = read(operation.document, {})
        (edges,) = asked.below
        (node,) = edges.below
        for row in self._rows(asked.name, str(asked.arguments.get("query") or ""), operation.sequence):
            parent = self._node(asked.name, *row)
            inner = [each for each in node.below if isinstance(parent.get(each.name), Nodes)]
            outer = [each for each in node.below if each not in inner]
            shown = {each.shown: value_of(each, parent, TYPES[asked.name]) for each in outer}
            yield _line(shown)
            for each in inner:
                (inner_edges,) = each.below
                (inner_node,) = inner_edges.below
                connection = parent[each.name]
                for child in connection.nodes:
                    line = {of.shown: value_of(of, child, connection.type) for of in inner_node.below}
                    yield _line(line | {"__parentId": parent["id"]})

    async def result(self, request: Request) -> Response:
        operation = self._operations.get(f"gid://shopify/BulkOperation/{request.path_params['number']}")
        if operation is None or operation.lines is None:
            return Response("<Error><Code>NoSuchKey</Code></Error>", 404, media_type="application/xml")
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
        if asked is None:
            return Response(operation.lines, media_type="application/jsonl")
        first, last = int(asked[1]), min(int(asked[2]), len(operation.lines) - 1)
        headers = {"Content-Range": f"bytes {first}-{last}/{len(operation.lines)}"}
        return Response(operation.lines[first : last + 1], 206, headers, media_type="application/jsonl")


def _line(fields: Object) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _holds(operator: str, value: datetime, bound: datetime) -> bool:
    compare: dict[str, Callable[[], bool]] = {
        ">=": lambda: value >= bound,
        "<=": lambda: value <= bound,
        ">": lambda: value > bound,
        "<": lambda: value < bound,
        "": lambda: value == bound,
    }
    return compare[operator]()


def routes(world: World) -> list[Route]:
    """The routes below /shop."""
    shop = Shop(world)
    return [
        Route("/admin/api/{version}/graphql.json", shop.graphql, methods=["POST"]),
        Route("/bulk/{number}.jsonl", shop.result),
    ]


STAND_IN = StandIn("shop", routes, sign_in=(None, TOKEN), books=BOOKS)
