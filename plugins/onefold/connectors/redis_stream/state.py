"""What a Redis stream says of itself, and whether every entry since the published position is still there.

A stream has no identity of its own, and what was trimmed leaves no trace in what is read afterwards. But it counts
every entry that it was ever given (entries-added, from Redis 7 on), and one that is made anew begins to count at 0. So
what was added since the position must be exactly what is read after it.

Source: redis.io, XINFO STREAM; src/t_stream.c (streamReplyWithCGLag) for what the counts mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import redis
from redis.exceptions import ResponseError

from onefold.connectors.lag import Lag
from onefold.connectors.redis_stream.position import Checkpoint, EntryId
from onefold.connectors.redis_stream.server import RedisServer
from onefold.connectors.stored_position import anew
from onefold.errors import Fatal


@dataclass(frozen=True, slots=True)
class StreamState:
    """A stream at one look: its last entry's id, how many entries it was ever given (None: an old server does not say)
    and how many it has, and when that was by the server's clock."""

    last: EntryId
    added: int | None
    length: int
    at: datetime


def state_of(server: RedisServer, key: str) -> StreamState | None:
    """None where there is no such key."""

    def look(client: redis.Redis) -> tuple[tuple[dict[str, Any] | None, tuple[int, int]], int]:
        try:
            found: Any = client.xinfo_stream(key)
        except ResponseError as error:
            if "no such key" not in str(error):
                raise
            found = None
        now: Any = client.time()
        return (found, now), 0

    found, (seconds, microseconds) = server.ask("XINFO", key, look)
    if found is None:
        return None
    at = datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=microseconds)
    return StreamState(EntryId.parse(found["last-generated-id"]), found.get("entries-added"), found["length"], at)


def require_state(server: RedisServer, key: str, named: str) -> tuple[StreamState, int]:
    """The stream's state, and how many entries it was ever given. Raises Fatal where there is no stream, or its server
    does not count."""
    state = state_of(server, key)
    if state is None:
        raise Fatal(
            f"{named}: there is no stream {key} at the source. It is made by the first XADD; compare request.stream in "
            "the system's YAML, and the database number (db in the connection's extra), with the producer. If it was "
            f"deleted and will be made anew, load it anew then: {anew(named)} (docs/queues.md)."
        )
    if state.added is None:
        raise Fatal(
            f"{named}: the server does not count the entries of a stream, so that lost ones could not be noticed. "
            "Redis does from version 7 on, and so does Valkey: upgrade it."
        )
    return state, state.added


def require_nothing_lost(held: Checkpoint, state: StreamState, added: int, named: str) -> None:
    """See that the stream can have all that follows the published position. Raises Fatal when it cannot."""
    if state.last < held.position or added < held.added:
        raise lost(
            *(named, held),
            f"the stream's last id is {state.last}, after {added:,} entries, which is less than what was read before: "
            "it was deleted and made anew, or its server was restored or has failed over to one that lacked entries",
        )
    if added - held.added > state.length:
        raise lost(*(named, held), f"{added - held.added - state.length:,} entries were trimmed before they were read")


def lost(named: str, held: Checkpoint, what: str) -> Fatal:
    """What is raised when entries after the published position are not there."""
    return Fatal(
        f"{named}: not all entries after {held.position} can be had: {what}. Nothing was loaded, and what is published "
        f"stays. Let the producer keep more (MAXLEN, MINID), then read on from the oldest entry that is there: "
        f"{anew(named)} (docs/queues.md)."
    )


def lag(held: Checkpoint, state: StreamState) -> Lag:
    """How far what is published is behind."""
    messages = None if state.added is None else max(state.added - held.added, 0)
    behind = None if held.as_of is None else max(state.at - held.as_of, timedelta())
    if messages == 0:
        behind = timedelta()
    return Lag(position=str(held.position), log_end=str(state.last), behind=behind, lag_messages=messages)
