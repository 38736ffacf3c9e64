"""Calls through the HTTP client to a made-up system, with what they waited and recorded."""

from __future__ import annotations

import msgspec
from purgatory import SyncCircuitBreakerFactory

from onefold.catalog.system import System
from onefold.http.attempt import Attempt, BadBody, Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.limit import MemoryLimiter

SYSTEM = {
    "system": "shop",
    "title": "A shop",
    "protocol": "rest",
    "connection": "shop_api",
    "schedule": "0 * * * *",
    "usage_header": "Sforce-Limit-Info",
    "errors": {"retry": ["REQUEST_LIMIT_EXCEEDED"]},
    "limits": {"rate": ["100000/s"], "timeout": "PT30S", "attempts": 4},
    "streams": {"item": {"title": "Items", "primary_key": ["id"], "fields": {"id": "text"}}},
}

SECRET = "s3cr3t-of-the-test"


class Out:
    """A client of the test's server, with what it recorded and how long it would have slept."""

    def __init__(self, url: str, threshold: int = 100, endpoint: Endpoint | None = None, **changes: object) -> None:
        self.attempts: list[Attempt] = []
        self.slept: list[float] = []
        system = System.model_validate(SYSTEM | changes)
        endpoint = endpoint or Endpoint(url, "someone", SECRET)
        breakers = SyncCircuitBreakerFactory(default_threshold=threshold, default_ttl=3600)
        self.client = Client(
            system,
            endpoint,
            self.attempts.append,
            limiter=MemoryLimiter(),
            stream="item",
            breakers=breakers,
            sleep=self.slept.append,
        )

    def get(self, path: str = "/items", **params: str) -> object:
        return self.client.send("GET", path, params=params, parse=as_json)

    def waits(self) -> list[float]:
        return [seconds for seconds in self.slept if seconds > 0.001]


def as_json(response: Response) -> object:
    try:
        return msgspec.json.decode(response.body)
    except msgspec.DecodeError as error:
        raise BadBody("no JSON") from error
