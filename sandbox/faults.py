"""Faults on demand: which are active, and the middleware that lets a system's answers suffer from them."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self
from urllib.parse import parse_qs

from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox import damage
from sandbox.regon_mtom import as_mtom

Kind = Literal[
    "status",
    "delay",
    "cut_body",
    "html",
    "repeat_page",
    "expired_token",
    "rate_limit",
    "rename_field",
    "retype_field",
    "drop_field",
    "bom",
    "mtom",
]
# What each kind needs, and what it may have besides.
PARAMETERS: dict[Kind, tuple[frozenset[str], frozenset[str]]] = {
    "status": (frozenset({"code"}), frozenset({"body"})),
    "delay": (frozenset({"seconds"}), frozenset()),
    "cut_body": (frozenset(), frozenset({"fraction"})),
    "html": (frozenset(), frozenset()),
    "repeat_page": (frozenset(), frozenset()),
    "expired_token": (frozenset(), frozenset()),
    "rate_limit": (frozenset(), frozenset({"retry_after"})),
    "rename_field": (frozenset({"field", "to"}), frozenset()),
    "retype_field": (frozenset({"field", "to"}), frozenset()),
    "drop_field": (frozenset({"field"}), frozenset()),
    "bom": (frozenset(), frozenset()),
    "mtom": (frozenset(), frozenset({"framing"})),
}
COMMON = frozenset({"system", "kind", "times", "path", "after"})
RETYPED = ("string", "number", "object")


class Fault(BaseModel):
    """One fault, as POST /control/faults describes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: str
    kind: Kind
    times: int = Field(default=1, ge=-1, description="how many requests suffer; -1: until cleared")
    path: str = Field(default="", description="only requests whose path, query or SOAP action contains this")
    after: int = Field(default=0, ge=0, description="how many matching requests pass unharmed first")
    code: int | None = Field(default=None, ge=100, le=599)
    body: str | None = None
    seconds: float | None = Field(default=None, ge=0, le=600)
    fraction: float = Field(default=0.5, ge=0, lt=1)
    retry_after: int | None = Field(default=None, ge=0)
    field: str | None = Field(default=None, min_length=1)
    to: str | None = Field(default=None, min_length=1)
    framing: Literal["crlf", "lf"] = "crlf"

    @model_validator(mode="after")
    def _parameters_fit_the_kind(self) -> Self:
        needed, optional = PARAMETERS[self.kind]
        given = {name for name in self.model_fields_set if getattr(self, name) is not None} - COMMON
        if missing := needed - given:
            raise ValueError(f"{self.kind} needs {', '.join(sorted(missing))}")
        if surplus := given - needed - optional:
            allowed = ", ".join(sorted(needed | optional | COMMON))
            raise ValueError(f"{self.kind} has no {', '.join(sorted(surplus))}; allowed are {allowed}")
        if self.kind == "retype_field" and self.to not in RETYPED:
            raise ValueError(f"to must be one of {', '.join(RETYPED)}, not {self.to!r}")
        if self.times == 0:
            raise ValueError("times must be -1 (until cleared) or at least 1")
        return self


@dataclass(slots=True)
class ActiveFault:
    """A fault with its count of matching requests (seen) and of those that suffered (hits)."""

    id: int
    fault: Fault
    seen: int = 0
    hits: int = 0

    @property
    def spent(self) -> bool:
        return self.fault.times != -1 and self.hits >= self.fault.times

    def shown(self) -> dict[str, object]:
        described = self.fault.model_dump(exclude_unset=True)
        return {"id": self.id, **described, "hits": self.hits, "spent": self.spent}


class FaultBoard:
    """The faults posted so far, and how many requests each system answered with which status."""

    def __init__(self, systems: Sequence[str]) -> None:
        self.systems = systems
        self._faults: list[ActiveFault] = []
        self._posted = 0
        self._statuses: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, fault: Fault) -> ActiveFault:
        """Raises ValueError when there is no such system."""
        if fault.system not in self.systems:
            raise ValueError(f"system must be one of {', '.join(self.systems)}, not {fault.system!r}")
        self._posted += 1
        active = ActiveFault(self._posted, fault)
        self._faults.append(active)
        return active

    def clear(self) -> int:
        """Removes all faults; returns how many there were."""
        count, self._faults = len(self._faults), []
        return count

    def listed(self) -> list[dict[str, object]]:
        return [active.shown() for active in self._faults]

    def matching(self, system: str, text: str) -> list[ActiveFault]:
        """The faults that this request meets, in the order in which they were posted."""
        met = []
        for active in self._faults:
            fault = active.fault
            if fault.system != system or fault.path not in text or active.spent:
                continue
            active.seen += 1
            if active.seen > fault.after:
                met.append(active)
        return met

    def count(self, system: str, status: str) -> None:
        self._statuses[system][status] += 1

    def stats(self) -> dict[str, object]:
        """Per system: how many requests, and how many answers of each status ("cut" for a body cut off)."""
        return {
            system: {
                "requests": sum(self._statuses[system].values()),
                "statuses": dict(sorted(self._statuses[system].items())),
            }
            for system in self.systems
        }


@dataclass(slots=True)
class Answer:
    """A whole answer, held back until the faults have been at it."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut_at: int | None = None


class FaultMiddleware:
    """Wraps one system; a request that meets no fault streams straight through."""

    def __init__(self, app: ASGIApp, system: str, board: FaultBoard) -> None:
        self._app = app
        self._system = system
        self._board = board
        self._given: dict[tuple[int, str], bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        met = self._board.matching(self._system, _described(scope))
        if not met:
            await self._app(scope, receive, self._counting(send))
            return
        answer = None
        for active in met:
            if active.fault.kind == "delay":
                active.hits += 1
                await asyncio.sleep(active.fault.seconds or 0)
            elif active.fault.kind == "expired_token" and _carries_token(scope):
                active.hits += 1
                scope = _without_token(scope)
            elif answer is None and active.fault.kind in ("status", "html", "rate_limit"):
                active.hits += 1
                answer = _instead(active.fault)
        answer = answer or await self._collect(scope, receive)
        whole = answer.body
        for active in met:
            if _afflict(answer, active.fault, scope) or self._given_again(active, answer, whole, scope["path"]):
                active.hits += 1
        await self._deliver(answer, send)

    def _given_again(self, active: ActiveFault, answer: Answer, whole: bytes, path: str) -> bool:
        """Where pages are not linked, "the same page again" is the page before in the place of this one."""
        if active.fault.kind != "repeat_page" or answer.status != 200:
            return False
        before = self._given.get((active.id, path))
        self._given[active.id, path] = whole
        if before in (None, whole):
            return False
        answer.body = before
        return True

    def _counting(self, send: Send) -> Send:
        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._board.count(self._system, str(message["status"]))
            await send(message)

        return counted

    async def _collect(self, scope: Scope, receive: Receive) -> Answer:
        answer = Answer(500, {}, b"")

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            elif message["type"] == "http.response.body":
                answer.body += message.get("body", b"")

        await self._app(scope, receive, keep)
        return answer

    async def _deliver(self, answer: Answer, send: Send) -> None:
        cut = answer.cut_at is not None
        self._board.count(self._system, "cut" if cut else str(answer.status))
        headers = {**answer.headers, "content-length": str(len(answer.body))}
        if answer.status in (204, 304):
            del headers["content-length"]
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
        # Leaving the body unfinished makes the server close the connection: fewer bytes than promised.
        await send({"type": "http.response.body", "body": answer.body[: answer.cut_at], "more_body": cut})


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")


def _described(scope: Scope) -> str:
    """What a fault's `path` is looked for in: path and query, and where SOAP says its action."""
    query = scope["query_string"].decode("latin-1")
    action = f"{_header(scope, b'content-type')} {_header(scope, b'soapaction')}"
    return f"{scope['path']}?{query} {action}"


EXPIRED = "sandbox.expired_token"
"""Where a request's scope tells a system which of its tokens has just expired."""


def _carries_token(scope: Scope) -> bool:
    """Whether the request shows a credential, rather than asks for one."""
    shown = _header(scope, b"authorization") or _header(scope, b"sid")
    return bool(shown) and not scope["path"].endswith("/oauth2/token")


def _without_token(scope: Scope) -> Scope:
    """The request without its credential, which the systems are told to forget: it is over for good, not just once."""
    expired = _header(scope, b"sid") or _header(scope, b"authorization").partition(" ")[2]
    kept = [(name, value) for name, value in scope["headers"] if name not in (b"authorization", b"sid")]
    return {**scope, "headers": kept, EXPIRED: expired}


def _instead(fault: Fault) -> Answer:
    """The answer of a system that does not do what it was asked."""
    if fault.kind == "html":
        return Answer(200, {"content-type": "text/html; charset=utf-8"}, damage.HTML_PAGE)
    if fault.kind == "status":
        body = f"fault: {fault.code}" if fault.body is None else fault.body
        content_type = "application/json" if body[:1] in ("{", "[") else "text/plain; charset=utf-8"
        status = fault.code or 500
        return Answer(status, {"content-type": content_type}, b"" if status == 204 else body.encode())
    headers = {"content-type": "application/json"}
    if fault.retry_after is not None:
        headers["retry-after"] = str(fault.retry_after)
    if fault.system == "salesforce":
        headers["sforce-limit-info"] = "api-usage=100000/100000"
        refusal = [{"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}]
        return Answer(403, headers, json.dumps(refusal).encode())
    if fault.system == "shop":  # 200, and how long to wait follows from the points: 10 of them come back in a second
        status = {"maximumAvailable": 1000, "currentlyAvailable": 0, "restoreRate": 10}
        cost = {"requestedQueryCost": 10 * (fault.retry_after or 1), "throttleStatus": status}
        errors = [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]
        throttled = {"errors": errors, "extensions": {"cost": cost}}
        return Answer(200, {"content-type": "application/json"}, json.dumps(throttled).encode())
    return Answer(429, headers, b'{"error":{"code":"429","message":"Too many requests"}}')


def _is_csv(answer: Answer) -> bool:
    return answer.headers.get("content-type", "").startswith("text/csv")


def _led_back(answer: Answer, scope: Scope) -> bool:
    """Salesforce's job results name the next part in a header: here, once more the part that was asked for."""
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("locator")
    if not asked or answer.headers.get("sforce-locator", "null") == "null":
        return False
    answer.headers["sforce-locator"] = asked[0]
    return True


def _afflict(answer: Answer, fault: Fault, scope: Scope) -> bool:
    """Changes the answer as the fault says; returns whether it changed anything."""
    before = answer.body
    match fault.kind:
        case "cut_body" if before:
            answer.cut_at = int(len(before) * fault.fraction)
            return True
        case "bom" if before:
            answer.body = damage.with_bom(before)
        case "mtom" if "xml" in answer.headers.get("content-type", ""):
            answer.body, answer.headers["content-type"] = as_mtom(before, fault.framing)
        case "rename_field" | "drop_field" if _is_csv(answer):
            answer.body = damage.csv_column(before, fault.field or "", fault.to)
        case "repeat_page" if _is_csv(answer):
            return _led_back(answer, scope)
        case "rename_field":
            answer.body = damage.rename_field(before, fault.field or "", fault.to or "")
        case "retype_field":
            to = next(name for name in RETYPED if name == fault.to)
            answer.body = damage.retype_field(before, fault.field or "", to)
        case "drop_field":
            answer.body = damage.drop_field(before, fault.field or "")
        case "repeat_page":
            query = scope["query_string"].decode("latin-1")
            relative = f"{scope['path'].removeprefix(scope.get('root_path', ''))}?{query}".rstrip("?")
            absolute = f"{scope['scheme']}://{_header(scope, b'host')}{scope['path']}?{query}".rstrip("?")
            answer.body = damage.pointing_at_itself(before, relative, absolute) or before
    return answer.body != before
