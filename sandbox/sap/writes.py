"""Writing to SAP's OData services, as badly as the real ones let it be.

Wire: SAP Gateway, "Cross-Site Request Forgery Protection" (a token holds for the session whose cookies came with it,
403 and `X-CSRF-Token: Required` otherwise); If-Match is mandatory (428) and compared (412). As on SAP's CAP, a POST of
a key that exists is a 500. Nothing makes a create idempotent: the same one twice makes two entities.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.sap.model import EntityType, Row, Service
from sandbox.sap.odata import ODataError
from sandbox.sap.written import parsed
from sandbox.world import World

SESSION, TOKEN = "SAP_SESSIONID_S4H_100", "x-csrf-token"
FIRST_KEY = 90_000_000


class Refusal(Exception):
    """A write that is refused with this status."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Sessions:
    """Which token belongs to which session."""

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}

    def give(self, request: Request, response: Response) -> None:
        """A token with its session's cookie, where the request asks for one."""
        if request.headers.get(TOKEN, "").lower() != "fetch":
            return
        session = secrets.token_hex(12)
        self._tokens[session] = secrets.token_urlsafe(16)
        response.headers[TOKEN] = self._tokens[session]
        response.set_cookie(SESSION, session, httponly=True)

    def require(self, request: Request) -> None:
        """Raises Refusal for a token of another session, and for none."""
        mine = self._tokens.get(request.cookies.get(SESSION, ""))
        if mine is None or request.headers.get(TOKEN) != mine:
            raise Refusal(403, "403", "CSRF token validation failed")


class Writes:
    """The writes to one service."""

    def __init__(self, world: World, service: Service) -> None:
        self._world = world
        self._service = service

    def create(self, entity_set: str, body: bytes) -> Row:
        """The new entity. Raises Refusal, ODataError."""
        name, kind = self._writable(entity_set)
        fields = self._fields(entity_set, body)
        key = str(fields.pop(kind.keys[0], "") or self._next_key(name))
        if self._row(entity_set, key) is not None:
            raise Refusal(500, "500", "UNIQUE constraint failed")
        self._world.written.put(name, key, fields)
        return self._require(entity_set, key)

    def change(self, entity_set: str, key: str, body: bytes, if_match: str | None) -> Row:
        """The changed entity. Raises Refusal, ODataError."""
        name, _ = self._writable(entity_set)
        row = self._matched(entity_set, key, if_match)
        fields = self._fields(entity_set, body)
        if any(isinstance(value, list) for value in fields.values()):
            raise ODataError("Deep update is not supported")
        self._world.written.put(name, key, fields, base=key not in self._world.written.rows(name) and row is not None)
        return self._require(entity_set, key)

    def delete(self, entity_set: str, key: str, if_match: str | None) -> None:
        """Marks the entity for archiving. Raises Refusal."""
        name, _ = self._writable(entity_set)
        self._matched(entity_set, key, if_match)
        self._world.written.put(name, key, {}, base=key not in self._world.written.rows(name), deleted=True)

    def _matched(self, entity_set: str, key: str, if_match: str | None) -> Row:
        row = self._row(entity_set, key)
        if row is None:
            raise Refusal(404, "/IWBEP/CM_MGW_RT/020", "Resource not found")
        if if_match is None:
            raise Refusal(428, "/IWFND/CM_BEC/026", "The Data Service Request is required to be conditional")
        if if_match not in ("*", row.etag):
            raise Refusal(412, "/IWFND/MED/170", "Precondition failed")
        return row

    def _writable(self, entity_set: str) -> tuple[str, EntityType]:
        if entity_set not in self._service.written:
            raise Refusal(405, "/IWFND/CM_MGW/500", "Method not supported")
        return self._service.written[entity_set], self._service.sets[entity_set]

    def _fields(self, entity_set: str, body: bytes) -> dict[str, Any]:
        """The body's properties, and lists of the entities below it. Raises ODataError for what there is not."""
        try:
            given = json.loads(body, parse_float=Decimal)
        except ValueError as error:
            raise ODataError("Malformed JSON") from error
        return self._checked(entity_set, given)

    def _checked(self, entity_set: str, given: dict[str, Any]) -> dict[str, Any]:
        kind = self._service.sets[entity_set]
        navigations = dict(kind.navigations)
        fields: dict[str, Any] = {}
        for name, value in given.items():
            if name in navigations and isinstance(value, list):
                fields[name] = [self._checked(navigations[name], each) for each in value]
            elif name in kind.by_name:
                parsed(kind.by_name[name], value)
                fields[name] = str(value) if isinstance(value, Decimal) else value
            else:
                raise ODataError(f"Property '{name}' is invalid")
        return fields

    def _next_key(self, name: str) -> str:
        return f"{FIRST_KEY + self._world.written.next_number(name):010d}"

    def _row(self, entity_set: str, key: str) -> Row | None:
        kind = self._service.sets[entity_set]
        rows = self._service.served[entity_set](self._world, self._world.sequence)
        return next((row for row in rows if row.get(kind.keys[0]) == key), None)

    def _require(self, entity_set: str, key: str) -> Row:
        row = self._row(entity_set, key)
        if row is None:
            raise Refusal(500, "500", "The entity that was written is not there")
        return row


class WritingDoor:
    """The addresses of a service that write. `guarded` lets in whom it knows, `shown` is an entity in the service's
    JSON, `error` makes an answer of status, code and message."""

    def __init__(
        self,
        world: World,
        service: Service,
        guarded: Callable[[Request, Callable[[], Response]], Response],
        shown: Callable[[Request, str, Row], dict[str, object]],
        error: Callable[[int, str, str], Response],
    ) -> None:
        self._writes = Writes(world, service)
        self._sessions = Sessions()
        self._guarded, self._shown, self._error = guarded, shown, error

    def routes(self, base: str) -> list[Route]:
        entity = f"{base}/{{entity_set}}('{{key}}')"
        return [
            Route(entity, self.change, methods=["PATCH", "POST"]),
            Route(entity, self.delete, methods=["DELETE"]),
            Route(f"{base}/{{entity_set}}", self.create, methods=["POST"]),
        ]

    def session(self, request: Request, response: Response) -> Response:
        """The answer to a question, with a token where one is asked for."""
        if response.status_code == 200:
            self._sessions.give(request, response)
        return response

    async def create(self, request: Request) -> Response:
        body, entity_set = await request.body(), request.path_params["entity_set"]

        def write() -> Response:
            row = self._writes.create(entity_set, body)
            text = json.dumps(self._shown(request, entity_set, row), ensure_ascii=False)
            return Response(text, status_code=201, media_type="application/json", headers={"ETag": row.etag or ""})

        return self._answered(request, write)

    async def change(self, request: Request) -> Response:
        body, (entity_set, key) = await request.body(), _addressed(request)

        def write() -> Response:
            if request.method == "POST" and request.headers.get("x-http-method", "").upper() != "MERGE":
                raise Refusal(405, "/IWFND/CM_MGW/500", "Method not supported")
            self._writes.change(entity_set, key, body, request.headers.get("if-match"))
            return Response(status_code=204)

        return self._answered(request, write)

    async def delete(self, request: Request) -> Response:
        entity_set, key = _addressed(request)

        def write() -> Response:
            self._writes.delete(entity_set, key, request.headers.get("if-match"))
            return Response(status_code=204)

        return self._answered(request, write)

    def _answered(self, request: Request, write: Callable[[], Response]) -> Response:
        def checked() -> Response:
            try:
                self._sessions.require(request)
                return write()
            except Refusal as refusal:
                response = self._error(refusal.status, refusal.code, str(refusal))
                if refusal.status == 403:
                    response.headers[TOKEN] = "Required"
                return response

        return self._guarded(request, checked)


def _addressed(request: Request) -> tuple[str, str]:
    return request.path_params["entity_set"], request.path_params["key"].replace("''", "'")
