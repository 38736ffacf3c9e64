"""Salesforce's REST API: OAuth2 client credentials, query, queryAll and their batches, and Bulk API 2.0 query jobs.

Wire: Salesforce REST API Developer Guide, "Query" and "QueryAll"; errors are a JSON array, OAuth errors an
object. A query cursor is a snapshot: it names the query, the world's state and the offset, so that it
outlives both the client's and this process's end. Jobs are in salesforce_jobs.py.
"""

from __future__ import annotations

import base64
import os
import secrets
import time
import zlib
from collections.abc import Callable
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults.fault import EXPIRED
from sandbox.salesforce.jobs import JobError, Jobs
from sandbox.salesforce.objects import BOOKS
from sandbox.salesforce.query import Cursor, Found
from sandbox.salesforce.soql import SoqlError
from sandbox.salesforce.writes import Writes
from sandbox.stand_in import StandIn
from sandbox.world import World

CLIENT_ID, CLIENT_SECRET = "onefold", "sandbox-secret"
DAILY_LIMIT = 100_000


class Salesforce:
    """The org: its tokens, its usage and the results it is handing out."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tokens: dict[str, float] = {}
        self._token_seconds = float(os.environ.get("SANDBOX_SF_TOKEN_SECONDS", "7200"))
        self._batch = int(os.environ.get("SANDBOX_SF_BATCH", "2000"))
        self._used = 0
        self._found = Found(world)
        self.jobs = Jobs(world, self._found)
        self.writes = Writes(world)

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

    async def new_job(self, request: Request) -> Response:
        body = await request.body()
        return self._authorised(request, lambda: self.jobs.make(body, request.path_params["version"]))

    async def job(self, request: Request) -> Response:
        return self._authorised(request, lambda: self.jobs.told(request.path_params["job"]))

    async def result(self, request: Request) -> Response:
        return self._authorised(request, lambda: self.jobs.part(request))

    async def collection(self, request: Request) -> Response:
        body = await request.body()
        return self._authorised(request, lambda: self.writes.collection(request, body))

    async def by_external_id(self, request: Request) -> Response:
        body = await request.body()
        return self._authorised(request, lambda: self.writes.by_external_id(request, body))

    async def create(self, request: Request) -> Response:
        body = await request.body()
        return self._authorised(request, lambda: self.writes.create(request, body))

    async def change(self, request: Request) -> Response:
        body = await request.body()
        return self._authorised(request, lambda: self.writes.change(request, body))

    async def delete(self, request: Request) -> Response:
        return self._authorised(request, lambda: self.writes.delete(request))

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
        except JobError as error:
            response = _error(error.status, error.code, str(error))
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
        query, rows = self._found.by(cursor)
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
        Route(f"{data}/jobs/query", org.new_job, methods=["POST"]),
        Route(f"{data}/jobs/query/{{job}}", org.job),
        Route(f"{data}/jobs/query/{{job}}/results", org.result),
        Route(f"{data}/composite/sobjects/{{sobject}}/{{external}}", org.collection, methods=["PATCH"]),
        Route(f"{data}/sobjects/{{sobject}}", org.create, methods=["POST"]),
        Route(f"{data}/sobjects/{{sobject}}/{{key}}", org.change, methods=["PATCH"]),
        Route(f"{data}/sobjects/{{sobject}}/{{key}}", org.delete, methods=["DELETE"]),
        Route(f"{data}/sobjects/{{sobject}}/{{external}}/{{value}}", org.by_external_id, methods=["PATCH"]),
        Route("/services/data/{rest:path}", org.nothing),
    ]


STAND_IN = StandIn(
    "salesforce",
    routes,
    sign_in=(CLIENT_ID, CLIENT_SECRET),
    extra={"token_path": "/services/oauth2/token"},
    books=BOOKS,
)
