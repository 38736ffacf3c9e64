"""Bulk operations: a query that the source runs by itself, and whose result is a file of lines to be fetched.

Source: Shopify, "Perform bulk operations with the GraphQL Admin API": bulkOperationRunQuery, the operation's status by
its id, a JSONL file at a signed address for seven days; the nodes of a nested connection are lines of their own with
__parentId, below their parent's line (groupObjects). The file is read in ranges, so that memory stays flat and a load
that died goes on in the middle of it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial

import msgspec

from onefold.connectors.graphql.answer import Raws
from onefold.connectors.graphql.client import Call, GraphQL
from onefold.connectors.graphql.parts import OtherShape, members
from onefold.errors import Fatal, Retriable
from onefold.foreign_text import described, shown_name
from onefold.http.attempt import BadBody, Response
from onefold.http.failure import Refused
from onefold.http.known_words import ERROR_CODES

log = logging.getLogger(__name__)

RANGE = 8 * 1024 * 1024
LARGEST_RANGE = 128 * 1024 * 1024
LONGEST_PAUSE = 30.0
PATIENCE = 6 * 3600.0
"""Seconds that are waited for an operation, this one's or one that is in its way, before the load gives up."""

_PLACE = "bulk "
_PARENT = "__parentId"
_RUN = (
    "mutation($query: String!) { bulkOperationRunQuery(query: $query, groupObjects: true) "
    "{ bulkOperation { id status } userErrors { code field message } } }"
)
_STATUS = "query($id: ID!) { node(id: $id) { ... on BulkOperation { id status errorCode objectCount fileSize url } } }"


class _UserError(msgspec.Struct):
    code: str | None = None
    message: str = ""


class _Made(msgspec.Struct):
    id: str


class _Run(msgspec.Struct, rename="camel"):
    bulk_operation: _Made | None = None
    user_errors: list[_UserError] = []


class _Operation(msgspec.Struct, rename="camel"):
    status: str
    error_code: str | None = None
    file_size: str | int | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the root connection, and those of the connection within it."""

    root: Raws
    children: list[Raws]


def is_token(token: str | None) -> bool:
    """Whether the token says how far a bulk operation's result has been read."""
    return token is not None and token.startswith(_PLACE)


class Bulk:
    """One query's bulk operation."""

    def __init__(self, named: str, graphql: GraphQL, call: Call, query: str) -> None:
        self._named = named
        self._graphql = graphql
        self._call = call
        self._query = query

    def part(self, token: str | None) -> tuple[list[Node], str | None]:
        """The next nodes of the result and the token to go on with; without a token the operation is begun.

        Raises Refused (410) when the operation of a token is no more, Retriable when it failed.
        """
        operation, at = (self._begun(), 0) if token is None else _place(token)
        done = self._done(operation)
        if done.url is None:
            return [], None  # an operation that found nothing has no file
        nodes, at, ended = self._range(done.url, at, int(done.file_size or 0))
        return nodes, None if ended else f"{_PLACE}{operation} {at}"

    def _begun(self) -> str:
        waited, pause = 0.0, 1.0
        while True:
            run = msgspec.json.decode(self._ask(_RUN, "query", self._query)["bulkOperationRunQuery"], type=_Run)
            if run.bulk_operation:
                log.info("%s: bulk operation %s", self._named, run.bulk_operation.id)
                return run.bulk_operation.id
            codes = {error.code for error in run.user_errors}
            busy = "OPERATION_IN_PROGRESS" in codes or any("already in progress" in e.message for e in run.user_errors)
            if not busy:
                said = described(", ".join(sorted(filter(None, codes))), ERROR_CODES) or "no code"
                raise Fatal(
                    f"{self._named}: the source refused a bulk operation ({said}). "
                    "Compare the stream's fields with what bulk operations allow."
                )
            waited, pause = self._wait(waited, pause, "another bulk operation of this app is running")

    def _done(self, operation: str) -> _Operation:
        waited, pause = 0.0, 1.0
        while True:
            found = msgspec.json.decode(self._ask(_STATUS, "id", operation)["node"], type=_Operation | None)
            match found.status if found else "EXPIRED":
                case "COMPLETED":
                    return found
                case "CREATED" | "RUNNING":
                    waited, pause = self._wait(waited, pause, "the bulk operation is still running")
                case "CANCELED" | "CANCELING" | "EXPIRED" as status:
                    raise Refused(
                        f"{self._named}: the bulk operation is {status.lower()}. Run the load again: it begins anew.",
                        410,
                    )
                case status:
                    code = found.error_code if found else None
                    raise Retriable(
                        f"{self._named}: the bulk operation ended as {shown_name(status)} "
                        f"({described(code or '', ERROR_CODES) or 'no code'}). Run it again "
                        "later, with a shorter window if it is too large; nothing was changed here."
                    )

    def _ask(self, document: str, name: str, value: str) -> Raws:
        return self._graphql.ask(self._call, document, {name: value})

    def _wait(self, waited: float, pause: float, why: str) -> tuple[float, float]:
        if waited + pause > PATIENCE:
            raise Retriable(f"{self._named}: {why}, for {waited:.0f} s now. Run it later; nothing was changed here.")
        self._graphql.http.wait(pause)
        return waited + pause, min(2 * pause, LONGEST_PAUSE)

    def _range(self, url: str, at: int, size: int) -> tuple[list[Node], int, bool]:
        """The whole nodes from byte `at` on, the byte after them, and whether that is the end."""
        length = RANGE
        while length <= LARGEST_RANGE:
            wanted = min(length, size - at)
            headers = {"Range": f"bytes={at}-{at + wanted - 1}"}
            nodes, taken = self._graphql.http.fetch(url, headers=headers, parse=partial(_part, at, wanted, size))
            if nodes or at + taken >= size:
                return nodes, at + taken, at + taken >= size
            length *= 2
        raise Fatal(
            f"{self._named}: one record of the bulk operation's result is larger than {LARGEST_RANGE >> 20} MiB. "
            "Select fewer fields."
        )


def _part(at: int, wanted: int, size: int, answer: Response) -> tuple[list[Node], int]:
    """The whole nodes of a range; a server that knows no ranges sends everything. Raises BadBody when it is short."""
    text = answer.body if answer.status == 206 else answer.body[at : at + wanted]
    if len(text) != wanted:
        raise BadBody("another number of a file's bytes than was asked for")
    return _nodes(text, ended=at + wanted >= size)


def _nodes(text: bytes, *, ended: bool) -> tuple[list[Node], int]:
    """The nodes whose lines are all there, and how many bytes they take."""
    lines = text[: len(text) if ended else text.rfind(b"\n") + 1].splitlines(keepends=True)
    nodes: list[Node] = []
    taken = begins = 0
    for line in lines:
        if line.strip():
            fields = _line(line)
            if _PARENT in fields:
                parent = fields.pop(_PARENT)
                if not nodes or nodes[-1].root.get("id", b"") != parent:
                    raise BadBody("a line that is not below its parent's")
                nodes[-1].children.append(fields)
            else:
                begins = taken
                nodes.append(Node(fields, []))
        taken += len(line)
    if ended:
        return nodes, taken
    return nodes[:-1], begins  # more lines of the last one may follow


def _line(line: bytes) -> Raws:
    """The line's members; of one that is no object what it is, so that its record goes to quarantine for its key."""
    try:
        return members(line)
    except OtherShape:
        pass
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        raise BadBody("a line that is no JSON") from error
    return {"not_an_object": line.strip()}


def _place(token: str) -> tuple[str, int]:
    operation, _, at = token.removeprefix(_PLACE).rpartition(" ")
    return operation, int(at)
