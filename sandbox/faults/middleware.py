"""The middleware that lets a system's answers suffer from the active faults."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.faults.answer import Answer, answer_instead, apply_fault
from sandbox.faults.board import ActiveFault, FaultBoard
from sandbox.faults.request import carries_token, described, without_token


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
        met = self._board.matching(self._system, described(scope))
        if not met:
            await self._app(scope, receive, self._counting(send))
            return
        answer = None
        for active in met:
            if active.fault.kind == "delay":
                active.hits += 1
                await asyncio.sleep(active.fault.seconds or 0)
            elif active.fault.kind == "late_commit":  # it is done, however long the client has been gone by then
                receive = await _whole(receive)
                await asyncio.sleep(active.fault.seconds or 0)
            elif active.fault.kind == "expired_token" and carries_token(scope):
                active.hits += 1
                scope = without_token(scope)
            elif answer is None and active.fault.kind in ("status", "html", "rate_limit"):
                active.hits += 1
                answer = answer_instead(active.fault)
        answer = answer or await self._collect(scope, receive)
        whole = answer.body
        for active in met:
            if apply_fault(answer, active.fault, scope) or self._given_again(active, answer, whole, scope["path"]):
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


async def _whole(receive: Receive) -> Receive:
    """The request's body, received to its end, to be given to the system later."""
    messages: list[Message] = []
    while not messages or messages[-1].get("more_body"):
        messages.append(await receive())

    async def held() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    return held
