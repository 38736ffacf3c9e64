"""The price of queries: a bucket of points that fills up by itself, and that each query takes some of.

Source: Shopify, "GraphQL Admin API": rate limits (extensions.cost: a bucket of points that fills up at restoreRate; a
query that the bucket cannot pay is answered 200 with the error THROTTLED).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import msgspec

from onefold.connectors.graphql.answer import Answer, refused_query
from onefold.connectors.graphql.client import GraphQL
from onefold.http.client import Client


class _Throttle(msgspec.Struct, rename="camel"):
    maximum_available: float
    currently_available: float
    restore_rate: float


class _Cost(msgspec.Struct, rename="camel"):
    requested_query_cost: float = 0
    throttle_status: _Throttle | None = None


class _Extensions(msgspec.Struct):
    cost: _Cost | None = None


_EXTENSIONS: msgspec.json.Decoder[_Extensions | None] = msgspec.json.Decoder(_Extensions | None)


@dataclass(slots=True)
class _Bucket:
    """What the source said last of the points that we may spend; `at` in seconds of time.monotonic."""

    available: float
    rate: float
    at: float


class PricedGraphQL(GraphQL):
    """Before a query that costs more than the bucket held, it waits until it holds that much."""

    def __init__(self, named: str, http: Client) -> None:
        super().__init__(named, http)
        self._bucket: _Bucket | None = None
        self._prices: dict[str, float] = {}

    def before(self, what: str) -> None:
        price, bucket = self._prices.get(what), self._bucket
        if price and bucket and bucket.rate:
            lacking = price - bucket.available - (time.monotonic() - bucket.at) * bucket.rate
            if lacking > 0:
                self.http.wait(lacking / bucket.rate)

    def seconds(self, what: str, answer: Answer) -> float | None:
        try:
            extensions = _EXTENSIONS.decode(answer.extensions)
        except msgspec.DecodeError:  # whatever it says there, it is no price
            return None
        cost = extensions.cost if extensions else None
        status = cost.throttle_status if cost else None
        if not cost or not status:
            return None
        self._bucket = _Bucket(status.currently_available, status.restore_rate, time.monotonic())
        self._prices[what] = cost.requested_query_cost
        if not answer.is_throttled or not status.restore_rate:
            return None
        if cost.requested_query_cost > status.maximum_available:
            raise refused_query(self.named, "it costs more than all points that there can be")
        return max(0.0, (cost.requested_query_cost - status.currently_available) / status.restore_rate)
