"""Stand-in of Microsoft Graph: users, calendars, mail and drives by delta queries, and $batch.

Wire: Microsoft Graph v1.0, "Use delta query", "JSON batching", "Throttling"; tokens as the Microsoft identity platform
gives them to client credentials, here below the stand-in's own path. A token of a round says what it is about, from
which moment of the world and to which, so that a round is a snapshot and outlives this process.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.faults.fault import EXPIRED
from sandbox.microsoft365.content import BOOKS, drive_id, owner, shown, user_id
from sandbox.microsoft365.parts import in_part
from sandbox.stand_in import StandIn
from sandbox.world import Entry, World

CLIENT_ID, CLIENT_SECRET = "onefold", "sandbox-secret"
SCOPE = "https://graph.microsoft.com/.default"
MOST_AT_ONCE = 20
PATHS = {
    "calendarView/delta": "calendar_event",
    "mailFolders/inbox/messages/delta": "message",
    "drive/root/delta": "document",
}
SELECTABLE = frozenset({"user", "message", "document"})  # a calendar view's delta takes no $select

Json = dict[str, object]
State = tuple[datetime, bool, int]


class GraphError(Exception):
    """An error answer: status, code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def body(self) -> Json:
        inner = {"date": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}", "request-id": secrets.token_hex(8)}
        return {"error": {"code": self.code, "message": str(self), "innerError": inner}}


@dataclass(frozen=True, slots=True)
class Token:
    """Where a round stands: the changes after advance `since` (None: all there is) up to advance `until`."""

    stream: str
    whose: str
    path: str
    since: int | None
    until: int
    offset: int
    select: tuple[str, ...]

    def text(self) -> str:
        packed = zlib.compress(json.dumps(asdict(self)).encode())
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> Token:
        """Raises GraphError for what this system did not hand out."""
        try:
            fields = json.loads(zlib.decompress(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))
            return cls(**{**fields, "select": tuple(fields["select"])})
        except (ValueError, TypeError, KeyError, zlib.error) as error:
            raise GraphError(400, "BadRequest", "Badly formed token.") from error


class _InAscii(JSONResponse):
    """JSON with escapes for all but ASCII, so that half a character can be sent too."""

    def render(self, content: object) -> bytes:
        return json.dumps(content, separators=(",", ":")).encode()


class Graph:
    """The tenant: its tokens, and what it answers."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._page = int(os.environ.get("SANDBOX_MICROSOFT365_PAGE", "200"))
        self._busy = int(os.environ.get("SANDBOX_MICROSOFT365_BUSY", "0"))
        self._tokens: dict[str, float] = {}
        self._told_to_wait: set[tuple[int, str]] = set()
        self._owned: tuple[object, dict[str, dict[str, list[Entry]]]] = (None, {})

    async def token(self, request: Request) -> Response:
        form = await request.form()
        if form.get("grant_type") != "client_credentials":
            return _oauth_error("unsupported_grant_type", "AADSTS70003: the grant type is not supported.", 400)
        if not str(form.get("scope", "")).endswith("/.default"):
            return _oauth_error("invalid_scope", "AADSTS1002012: the scope must end with /.default.", 400)
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return _oauth_error("invalid_client", "AADSTS7000215: Invalid client secret provided.", 401)
        token = f"eyJ0eXAiOiJKV1Qi.{secrets.token_urlsafe(48)}"
        self._tokens[token] = time.monotonic() + 3599
        lives = {"expires_in": 3599, "ext_expires_in": 3599}
        return JSONResponse({"token_type": "Bearer", **lives, "access_token": token})

    async def get(self, request: Request) -> Response:
        base = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}/v1.0"
        query = dict(request.query_params)
        return self._answered(request, lambda: self._resource(base, request.path_params["rest"], query))

    async def batch(self, request: Request) -> Response:
        base = f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}/v1.0"
        body = await request.body()
        return self._answered(request, lambda: self._batch(base, body))

    def _answered(self, request: Request, answer: Callable[[], Json]) -> Response:
        self._tokens.pop(request.scope.get(EXPIRED, ""), None)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer" or self._tokens.get(token, 0) < time.monotonic():
                message = "Lifetime validation failed, the token is expired."
                raise GraphError(401, "InvalidAuthenticationToken", message)
            return _InAscii(answer())
        except GraphError as error:
            return JSONResponse(error.body(), error.status)

    def _batch(self, base: str, body: bytes) -> Json:
        try:
            requests = json.loads(body)["requests"]
        except (ValueError, KeyError, TypeError) as error:
            raise GraphError(400, "BadRequest", "Invalid batch payload format.") from error
        if len(requests) > MOST_AT_ONCE:
            message = f"Number of batch request steps exceeds the maximum value of {MOST_AT_ONCE}."
            raise GraphError(400, "BadRequest", message)
        answers = [self._item(base, each) for each in requests]
        return {"responses": answers[1::2] + answers[::2]}  # in no particular order

    def _item(self, base: str, request: Mapping[str, str]) -> Json:
        url = urlsplit(request["url"])
        headers = {"Content-Type": "application/json"}
        called = (self._world.epoch, request["url"])
        draw = zlib.crc32(request["url"].encode())
        if draw % 100 < self._busy and called not in self._told_to_wait:
            self._told_to_wait.add(called)
            headers |= {"Retry-After": "2"} if draw % 2 else {}
            body = GraphError(429, "TooManyRequests", "Please retry again later.").body()
            return {"id": request["id"], "status": 429, "headers": headers, "body": body}
        try:
            body = self._resource(base, url.path.lstrip("/"), dict(parse_qsl(url.query)))
            return {"id": request["id"], "status": 200, "headers": headers, "body": body}
        except GraphError as error:
            return {"id": request["id"], "status": error.status, "headers": headers, "body": error.body()}

    def _resource(self, base: str, path: str, query: Mapping[str, str]) -> Json:
        if path == "users":
            return self._list_users(base, query)
        if path == "users/delta":
            return self._round(base, path, "user", "", query)
        collection, _, rest = path.partition("/")
        whose, _, below = rest.partition("/")
        if collection != "users" or below not in PATHS:
            raise GraphError(404, "ResourceNotFound", "Resource could not be discovered.")
        entry = self._world.shelf("microsoft365.user").by_key.get(whose)
        if entry is None or entry.deleted:
            raise GraphError(
                404, "ResourceNotFound", "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
            )
        begins = below.startswith("calendarView") and not query.keys() & {"$skiptoken", "$deltatoken"}
        if begins and not {"startDateTime", "endDateTime"} <= query.keys():
            raise GraphError(
                400, "ErrorInvalidParameter", "This request requires a time window (startDateTime, endDateTime)."
            )
        return self._round(base, path, PATHS[below], whose, query)

    def _list_users(self, base: str, query: Mapping[str, str]) -> Json:
        offset, size = int(query.get("$skiptoken", "0")), min(int(query.get("$top", "100")), 999)
        living = [entry.key for entry in self._world.shelf("microsoft365.user").entries if not entry.deleted]
        page: Json = {"@odata.context": f"{base}/$metadata#users(id)"}
        if offset + size < len(living):
            page["@odata.nextLink"] = f"{base}/users?$select=id&$top={size}&$skiptoken={offset + size}"
        return page | {"value": [{"id": key} for key in living[offset : offset + size]]}

    def _round(self, base: str, path: str, stream: str, whose: str, query: Mapping[str, str]) -> Json:
        """A page of a round: it begins with all there is, or with what changed since a delta token."""
        sequence = self._world.sequence
        if "$skiptoken" in query:
            token = Token.read(query["$skiptoken"])
        elif "$deltatoken" in query:
            held = Token.read(query["$deltatoken"])
            token = replace(held, since=held.until, until=sequence, offset=0)
        else:
            select = tuple(filter(None, query.get("$select", "").split(",")))
            if select and stream not in SELECTABLE:
                raise GraphError(400, "ErrorInvalidUrlQuery", "The following parameters are not supported: $select.")
            token = Token(stream, whose, path, None, sequence, 0, select)
        if token.path != path:
            raise GraphError(400, "BadRequest", "The token is for another resource.")
        if max(token.until, token.since or 0) > sequence:
            raise GraphError(
                410,
                "SyncStateNotFound",
                "The sync state generation is not found; continuing to sync requires a full synchronization.",
            )
        rows, end = self._changes(token), token.offset + self._page
        page = [self._shown(token, entry, *state) for entry, state in rows[token.offset : end]]
        if stream == "document" and token.since is None and not token.offset:
            page = [{"id": f"{drive_id(0)[:20]}ROOT", "name": "root", "root": {}, "size": 0}, *page]
        if end < len(rows):
            link = ("@odata.nextLink", "$skiptoken", replace(token, offset=end))
        else:
            link = ("@odata.deltaLink", "$deltatoken", replace(token, offset=0))
        address = f"{base}/{quote(path)}?{link[1]}={link[2].text()}"
        return {"@odata.context": f"{base}/$metadata#{stream}s", link[0]: address, "value": page}

    def _changes(self, token: Token) -> list[tuple[Entry, State]]:
        """What the round shows, each as it is at its end; what came and went in between is not mentioned."""
        rows = []
        for entry in self._entries(token.stream, token.whose):
            now = entry.at(token.until)
            was = entry.at(token.since) if token.since is not None else None
            if now and now != was and (was or not now[1]):
                rows.append((entry, now))
        return rows

    def _shown(self, token: Token, entry: Entry, modified: datetime, deleted: bool, revision: int) -> Json:
        if deleted:
            return _gone(token.stream, entry)
        row = shown(
            token.stream,
            self._world.seed,
            entry.number,
            self._world.base_size,
            entry.created,
            (modified, revision),
            entry.broken,
        )
        row = in_part(self._world, token.stream, token.whose, (token.since, token.until), entry, row)
        return {
            name: value
            for name, value in row.items()
            if not token.select or name in ("@odata.etag", "id", *token.select)
        }

    def _entries(self, stream: str, whose: str) -> list[Entry]:
        """The rows of one owner, found once for each state of the world."""
        shelf = self._world.shelf(f"microsoft365.{stream}")
        if not whose:
            return shelf.entries
        state = (self._world.epoch, self._world.sequence)
        if self._owned[0] != state:
            self._owned = (state, {})
        if stream not in self._owned[1]:
            by_owner: defaultdict[str, list[Entry]] = defaultdict(list)
            for entry in shelf.entries:
                by_owner[user_id(owner(stream, entry.number))].append(entry)
            self._owned[1][stream] = by_owner
        return self._owned[1][stream].get(whose, [])


def _gone(stream: str, entry: Entry) -> Json:
    if stream == "document":
        return {"id": entry.key[1], "deleted": {"state": "deleted"}}
    key = entry.key if isinstance(entry.key, str) else entry.key[1]
    return {"id": key, "@removed": {"reason": "changed" if stream == "user" else "deleted"}}


def _oauth_error(code: str, description: str, status: int) -> JSONResponse:
    return JSONResponse({"error": code, "error_description": description}, status_code=status)


def routes(world: World) -> list[Route]:
    """The routes below /microsoft365."""
    tenant = Graph(world)
    return [
        Route("/{tenant}/oauth2/v2.0/token", tenant.token, methods=["POST"]),
        Route("/v1.0/$batch", tenant.batch, methods=["POST"]),
        Route("/v1.0/{rest:path}", tenant.get),
    ]


STAND_IN = StandIn("microsoft365", routes, sign_in=(CLIENT_ID, CLIENT_SECRET), books=BOOKS)
