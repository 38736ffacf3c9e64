"""Asks one GraphQL endpoint. Source: "GraphQL over HTTP" (draft of the GraphQL foundation)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import msgspec
from pydantic import JsonValue

from onefold.catalog.request import Request
from onefold.connectors.graphql.answer import Answer, Raws, answer_of, require_an_answer, require_no_errors
from onefold.connectors.window_text import filled
from onefold.http.attempt import Response
from onefold.http.client import Client
from onefold.http.failure import retry_after

_BAD_REQUEST = 400


@dataclass(frozen=True, slots=True)
class Call:
    """How the endpoint is asked: with GET the query stands in the address, for what caches answers."""

    path: str
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)


def call_of(request: Request, values: Mapping[str, str]) -> Call:
    """The request's call with its placeholders filled in."""
    method = request.method if "method" in request.model_fields_set else "POST"
    headers = {name: filled(value, values) for name, value in request.headers.items()}
    return Call(filled(request.path, values), method, headers)


class GraphQL:
    """Asks one endpoint, and takes an answer for one only when it is whole."""

    def __init__(self, named: str, http: Client) -> None:
        self.http = http
        self.named = named

    def ask(self, call: Call, document: str, variables: Mapping[str, JsonValue] | None = None, what: str = "") -> Raws:
        """The answer's data; `what` names queries that differ only in their values, as the pages of a listing.

        Raises Retriable while the source asks us to wait or cannot answer in full, Refused for a query that it does not
        accept.
        """
        self.before(what or document)
        read = partial(self._read, call.path, what or document)
        headers = {"Accept": "application/graphql-response+json, application/json;q=0.9", **call.headers}
        accept = frozenset({_BAD_REQUEST})
        if call.method == "GET":
            given = {"variables": msgspec.json.encode(variables).decode()} if variables else {}
            params = {"query": document, **given}
            return self.http.send("GET", call.path, params=params, headers=headers, accept=accept, parse=read)
        body = msgspec.json.encode({"query": document, "variables": variables or {}})
        headers = {"Content-Type": "application/json", **headers}
        return self.http.send("POST", call.path, headers=headers, body=body, accept=accept, parse=read)

    def before(self, what: str) -> None:
        """What a source's own rules want before a query is sent."""

    def seconds(self, what: str, answer: Answer) -> float | None:
        """How long the answer, of which this takes note, wants us to wait where it says that we ask too much; None
        where it does not tell. Raises Refused when waiting would not help."""
        return None

    def _read(self, path: str, what: str, response: Response) -> Raws:
        if response.status == _BAD_REQUEST:
            require_an_answer(response, self.http, path)
        answer = answer_of(response)
        seconds = self.seconds(what, answer)
        if seconds is None:
            seconds = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        return require_no_errors(answer, self.named, self.http, seconds)
