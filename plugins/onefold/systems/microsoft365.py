"""Microsoft Graph: calendars, mail and drives have a delta query per user, and $batch asks twenty of them at once.

Source: Microsoft Graph, "Combine multiple HTTP requests using JSON batching" (at most 20 items, answers in any order,
each with a status of its own, 429 among them) and "Throttling guidance" (Retry-After, which may be missing).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

import msgspec

from onefold.catalog.system import System
from onefold.connectors.capabilities import Capabilities
from onefold.connectors.delta import Question, Round, RoundReader, circle, delta_reader, says_resync
from onefold.connectors.lenient_json import lenient_value, raw_elements, raw_members
from onefold.connectors.page import Page, PageReader
from onefold.connectors.paging import SAME_PAGE
from onefold.connectors.partition import Partition
from onefold.connectors.records import sound_text
from onefold.connectors.rest.connector import RestConnector
from onefold.connectors.window import Window
from onefold.errors import Fatal, Retriable
from onefold.http.attempt import BadBody, Response
from onefold.http.client import Client
from onefold.http.endpoint import Endpoint
from onefold.http.failure import Refused, retry_after, times

T = TypeVar("T")
log = logging.getLogger(__name__)

AT_ONCE = 20
USERS = {"$select": "id", "$top": "999"}


def graph_reader(system: System, stream_name: str, endpoint: Endpoint, http: Client) -> PageReader:
    """Reads a stream of the directory by its delta link, one of the users' mailboxes or drives user by user."""
    if "{user}" in system.streams[stream_name].request.path:
        return ByUser(system, stream_name, http).read
    return delta_reader(system, stream_name, http)


@dataclass(frozen=True, slots=True)
class Reading:
    """How far one user's part is read. `snapshot_since`: all of it is listed, since then; None: only what changed."""

    address: str
    snapshot_since: datetime | None
    delays: int = 0
    anew: bool = False
    mark: int | None = None
    same: int = 0


@dataclass(frozen=True, slots=True)
class Item:
    """What one item of a batch was answered."""

    status: int
    round: Round | None
    error: bytes
    retry_after: float | None


class _Wire(msgspec.Struct):
    id: str
    status: int
    headers: dict[str, str] = {}
    body: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"null"))


class _Batch(msgspec.Struct):
    responses: list[_Wire]


class _User(msgspec.Struct):
    id: str


class _Users(msgspec.Struct):
    value: list[msgspec.Raw]
    next: str | None = msgspec.field(name="@odata.nextLink", default=None)


class ByUser:
    """A page is one batch. Its token names the last user of the group that is asked, and how far each of those is who
    have more pages. Whoever has no mailbox or drive (404) is passed; what was read of them before stays."""

    def __init__(self, system: System, stream_name: str, http: Client) -> None:
        self._named = f"{system.system}.{stream_name}"
        self._stream = system.streams[stream_name]
        self._version, _, _ = self._stream.request.path.partition("/users/")
        self._attempts = system.limits.attempts
        self._most_pages = system.limits.pages
        self._http = http
        self._split = RoundReader(self._named, self._stream)

    def read(self, window: Window, token: str | None) -> Iterator[Page]:
        question = Question.of(self._stream, window)
        after, group = _from_token(token)
        waiting = (user for user in self._users() if user > after)
        following = list(islice(waiting, AT_ONCE))
        while group or following:
            if not group:
                after, group = following[-1], {user: _begun(question, window, user) for user in following}
                following = list(islice(waiting, AT_ONCE))
            at = max([datetime.now(UTC), *(each.snapshot_since for each in group.values() if each.snapshot_since)])
            records, ended, waits = [], [], [0.0]
            for user, item in self._asked(question, group).items():
                reading = group.pop(user)
                if item.round:
                    records += item.round.records
                    if item.round.link:
                        ended.append(Partition(user, question.state(item.round.link), reading.snapshot_since))
                    else:
                        group[user] = self._further(reading, item.round)
                elif says_resync(item.status, item.error) and not reading.anew:
                    log.warning("%s: a link is too old to go on from; that user's part is listed anew", self._named)
                    group[user] = Reading(question.address(user), datetime.now(UTC), anew=True)
                elif item.status == 404:
                    ended.append(Partition(user))
                else:
                    group[user] = self._later(reading, item)
                    waits.append(2.0**reading.delays if item.retry_after is None else item.retry_after)
            yield Page(records, at, _token(after, group) if group or following else None, ended=tuple(ended))
            if group and max(waits):
                self._http.wait(max(waits))

    def _users(self) -> list[str]:
        """The ids of all users, sorted, so that a token can say how far they have been asked."""
        found: list[str] = []
        address = f"{self._version}/users"
        for _ in range(self._most_pages):
            page = self._http.send("GET", address, params=USERS if not found else None, parse=_users)
            found += [user for raw in page.value if (user := _user(raw))]
            if not page.next:
                return sorted(set(found))
            address = page.next
        raise Fatal(
            f"{self._named}: the list of users has more than {self._most_pages} pages (limits.pages) and goes on. "
            "Report it to the system's owner, or raise the limit in the system's YAML. Nothing was changed here."
        )

    def _asked(self, question: Question, group: Mapping[str, Reading]) -> dict[str, Item]:
        """The answer to each user's next address, whatever order they came in."""
        users = list(group)
        items = [
            {"id": str(place), "method": "GET", "url": self._relative(group[user].address), "headers": question.headers}
            for place, user in enumerate(users)
        ]

        def parse(response: Response) -> dict[str, Item]:
            answers = {wire.id: wire for wire in _batch(response)}
            if answers.keys() != {item["id"] for item in items}:
                raise BadBody("a batch that does not answer each of its items once")
            return {user: self._item(answers[str(place)], user) for place, user in enumerate(users)}

        return self._http.send(
            "POST",
            f"{self._version}/$batch",
            headers={"Accept": "application/json", "Content-Type": "application/json"},
            body=msgspec.json.encode({"requests": items}),
            parse=parse,
        )

    def _item(self, wire: _Wire, user: str) -> Item:
        body = bytes(wire.body)
        told = {name.lower(): value for name, value in wire.headers.items()}.get("retry-after")
        round_ = self._split(body, user) if wire.status == 200 else None
        return Item(wire.status, round_, b"" if round_ else body, retry_after(told, datetime.now(UTC)))

    def _relative(self, address: str) -> str:
        """An item's address, below the version; the host of a link is never asked for, so it can lead nowhere else."""
        _, found, below = address.partition(f"{self._version}/")
        if not found:
            raise Fatal(
                f"{self._named}: it pointed us to an address that is not below {self._version}. Refused: report it to "
                "the system's owner."
            )
        return f"/{below}"

    def _further(self, reading: Reading, page: Round) -> Reading:
        same = reading.same + 1 if page.mark == reading.mark and page.records else 1
        if same > SAME_PAGE:
            raise circle(self._named, same)
        return Reading(page.next or "", reading.snapshot_since, anew=reading.anew, mark=page.mark, same=same)

    def _later(self, reading: Reading, item: Item) -> Reading:
        if item.status != 429 and item.status < 500:
            raise Refused(
                f"{self._named}: an item of a batch was refused with status {item.status}. Check the application's "
                "rights (admin consent included) and compare the stream's YAML with the system's interface.",
                item.status,
            )
        if reading.delays + 1 >= self._attempts:
            raise Retriable(
                f"{self._named}: an item of a batch failed {times(self._attempts)}, the last time with status "
                f"{item.status}. Run it later, or lower limits.rate in the system's YAML; nothing was changed here."
            )
        return replace(reading, delays=reading.delays + 1)


def _begun(question: Question, window: Window, user: str) -> Reading:
    link = question.link(window.checkpoints.get(user))
    return Reading(link, None) if link else Reading(question.address(user), datetime.now(UTC))


def _token(after: str, group: Mapping[str, Reading]) -> str:
    far = {
        user: [each.address, each.snapshot_since and each.snapshot_since.isoformat()] for user, each in group.items()
    }
    return json.dumps([after, far], separators=(",", ":"))


def _from_token(token: str | None) -> tuple[str, dict[str, Reading]]:
    if token is None:
        return "", {}
    after, far = json.loads(token)
    return after, {
        user: Reading(address, datetime.fromisoformat(since) if since else None)
        for user, (address, since) in far.items()
    }


def _user(raw: msgspec.Raw) -> str | None:
    """The id of a user in the list; None, with a line in the log, for what is none: nothing of theirs can be asked."""
    try:
        return msgspec.json.decode(raw, type=_User).id
    except (msgspec.DecodeError, RecursionError):
        log.warning("The list of users has an entry that is no user; it is passed by.")
        return None


def _users(response: Response) -> _Users:
    body = sound_text(response)
    try:
        return _decoded(body, _Users)
    except RecursionError:  # brackets within each other in one user: the others are cut out of the text
        raws = [msgspec.Raw(each.encode()) for each in raw_elements(body.decode(), ("value",)) or ()]
        following = lenient_value(body.decode(), ("@odata.nextLink",))
        return _Users(raws, following if isinstance(following, str) else None)


def _batch(response: Response) -> list[_Wire]:
    body = sound_text(response)
    try:
        return msgspec.json.decode(body, type=_Batch).responses
    except msgspec.ValidationError as error:
        raise BadBody("no answer to a batch") from error
    except msgspec.DecodeError:  # half a surrogate pair or NaN in some item: its body stays as it was sent
        try:
            return [_wire(raw_members(raw)) for raw in raw_elements(body.decode(), ("responses",)) or ()]
        except (ValueError, KeyError, msgspec.DecodeError) as error:
            raise BadBody("JSON that is cut off or malformed") from error


def _wire(item: Mapping[str, str]) -> _Wire:
    head = msgspec.json.decode(
        f'{{"id":{item["id"]},"status":{item["status"]},"headers":{item.get("headers") or "{}"},"body":null}}',
        type=_Wire,
    )
    return msgspec.structs.replace(head, body=msgspec.Raw(item["body"].encode()))


def _decoded(body: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.DecodeError as error:
        raise BadBody("JSON of another shape, cut off or malformed") from error


class GraphConnector(RestConnector):
    """Reads Microsoft Graph by delta queries, user by user where the stream is theirs."""

    capabilities = Capabilities()

    def page_reader(self) -> PageReader:
        source = self.source
        return graph_reader(source.system, source.stream_name, source.endpoint, self.transport)


CONNECTOR = GraphConnector
