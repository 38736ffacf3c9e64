"""One GraphQL endpoint, with a price for every query, as Shopify's Admin API has it.

Source: Shopify, "GraphQL Admin API": rate limits (extensions.cost: a bucket of points that fills up at restoreRate; a
query that the bucket cannot pay is answered 200 with the error THROTTLED), errors with status 200.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

import msgspec

from onefold.connectors.records import sound_text
from onefold.foreign_text import described
from onefold.http.attempt import BadBody, Later, Response
from onefold.http.client import Client
from onefold.http.failure import Refused
from onefold.http.known_words import known_words

Raws = dict[str, msgspec.Raw]


class _Throttle(msgspec.Struct, rename="camel"):
    maximum_available: float
    currently_available: float
    restore_rate: float


class _Cost(msgspec.Struct, rename="camel"):
    requested_query_cost: float = 0
    throttle_status: _Throttle | None = None


class _Extensions(msgspec.Struct):
    cost: _Cost | None = None


class _Code(msgspec.Struct):
    code: str = ""


class _Error(msgspec.Struct):
    message: str = ""
    extensions: _Code = msgspec.field(default_factory=_Code)


class _Answer(msgspec.Struct):
    data: Raws | None = None
    errors: list[_Error] = []
    extensions: _Extensions | None = None


@dataclass(slots=True)
class _Bucket:
    """What the source said last of the points that we may spend; `at` in seconds of time.monotonic."""

    available: float
    rate: float
    at: float


class GraphQL:
    """Asks one endpoint. Before a query that costs more than the bucket held, it waits until it holds that much."""

    def __init__(self, named: str, path: str, http: Client) -> None:
        self.http = http
        self._named = named
        self._path = path
        self._bucket: _Bucket | None = None
        self._prices: dict[str, float] = {}

    def ask(self, document: str, **variables: object) -> Raws:
        """The answer's data. Raises Retriable while the source has no points for us, Refused for a query that it does
        not accept."""
        self._afford(document)
        body = msgspec.json.encode({"query": document, "variables": variables})
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        read = partial(self._read, document)
        return self.http.send("POST", self._path, headers=headers, body=body, parse=read)

    def _afford(self, document: str) -> None:
        price, bucket = self._prices.get(document), self._bucket
        if price and bucket and bucket.rate:
            lacking = price - bucket.available - (time.monotonic() - bucket.at) * bucket.rate
            if lacking > 0:
                self.http.wait(lacking / bucket.rate)

    def _read(self, document: str, response: Response) -> Raws:
        body = sound_text(response)
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except msgspec.ValidationError as error:
            raise BadBody("no answer to a query") from error
        except msgspec.DecodeError as error:
            raise BadBody("JSON that is cut off or malformed") from error
        cost = answer.extensions.cost if answer.extensions else None
        status = cost.throttle_status if cost else None
        if cost and status:
            self._bucket = _Bucket(status.currently_available, status.restore_rate, time.monotonic())
            self._prices[document] = cost.requested_query_cost
        if answer.errors:
            raise self._said(answer.errors, cost)
        if answer.data is None:
            raise BadBody("neither data nor errors")
        return answer.data

    def _said(self, errors: list[_Error], cost: _Cost | None) -> Exception:
        codes = {error.extensions.code for error in errors}
        if "THROTTLED" in codes:
            status = cost.throttle_status if cost else None
            if not cost or not status or not status.restore_rate:
                return Later("THROTTLED", None)
            if cost.requested_query_cost <= status.maximum_available:
                lacking = cost.requested_query_cost - status.currently_available
                return Later("THROTTLED", max(0.0, lacking / status.restore_rate))
        elif "INTERNAL_SERVER_ERROR" in codes:
            return BadBody("the error INTERNAL_SERVER_ERROR")
        said = described("; ".join((*codes, *(error.message for error in errors))), known_words(self.http.system))
        return Refused(
            f"{self._named}: the query was refused ({said}). Compare the stream's fields with the source's "
            " schema, its rights with the access scopes of the app, and next.size with the price of a query.",
            400,
        )
