"""A stand-in of an OpenAI-compatible provider (chat/completions, streaming off), with faults on demand.

Wire: platform.openai.com/docs/api-reference/chat/create and /docs/guides/error-codes. It counts tokens as honestly as
it can: never more than there are bytes, nor more than it was allowed to say.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec

from tests.http.web_server import Asked, Say, WebServer

KEY = "sk-test-only"


def error(status: int, kind: str, words: str = "no", headers: dict[str, str] | None = None) -> Say:
    """An error as OpenAI writes it."""
    body = {"error": {"message": words, "type": kind, "param": None, "code": kind}}
    return Say(status, msgspec.json.encode(body), {"Content-Type": "application/json", **(headers or {})})


class ChatServer:
    """Answers with what `answer` makes of the prompt, or with the faults that were scripted, one after another."""

    def __init__(self, web: WebServer, answer: Callable[[str], str] = lambda _: "It is so.") -> None:
        self.web = web
        self.faults: list[Say] = []
        self.prompts: list[str] = []
        """What was asked, each the content of all messages."""
        self.until: threading.Event | None = None
        self.without_usage = False
        self.finish = "stop"
        self.message: dict[str, object] = {}
        self._answer = answer
        self._lock = threading.Lock()
        web.answer = self._say

    def _say(self, asked: Asked) -> Say:
        if asked.method != "POST" or asked.path != "/v1/chat/completions":
            return error(404, "not_found_error")
        if asked.headers.get("Authorization") != f"Bearer {KEY}":
            return error(401, "invalid_api_key")
        body = msgspec.json.decode(asked.body)
        if body.get("stream") is not False or not body.get("model") or not body.get("messages"):
            return error(400, "invalid_request_error")
        prompt = "\n".join(message["content"] for message in body["messages"])
        with self._lock:
            self.prompts.append(prompt)
            if self.faults:
                return self.faults.pop(0)
        text = self._answer(prompt)
        answer = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": body["model"],
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text, **self.message},
                    "finish_reason": self.finish,
                }
            ],
        }
        if not self.without_usage:
            into, out = len(prompt) // 4 + 1, min(len(text) // 4 + 1, body["max_tokens"])
            answer["usage"] = {"prompt_tokens": into, "completion_tokens": out, "total_tokens": into + out}
        return Say(200, msgspec.json.encode(answer), {"Content-Type": "application/json"}, until=self.until)


HUGE = Say(200, b'{"choices": "' + b"x" * (2 << 20) + b'"}')
FAULTS = {
    "429 with Retry-After": error(429, "rate_limit_error", headers={"Retry-After": "3600"}),
    "429, its quota is used up": error(429, "insufficient_quota"),
    "500": error(500, "server_error"),
    "503": error(503, "overloaded_error"),
    "a web page": Say(200, b"<html>maintenance</html>"),
    "a cut body": Say(200, b'{"choices": [', announced=500),
    "no choices": Say(200, b'{"choices": []}'),
    "a huge answer": HUGE,
    "no answer": Say(hang_up=True),
    "no answer in time": Say(drip=0.2, body=b'{"choices": []}'),
}
NOT_SENT = {"429 with Retry-After", "429, its quota is used up"}
"""After these nothing was used; after the others nobody knows."""
