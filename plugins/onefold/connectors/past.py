"""Which streams can be asked about a window of the past, and how far back.

A stream can when what is asked names the window's start and its end: its connector's capabilities say how that is seen.
A look-up can when it has a feed that names, by days, what was changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Literal

from onefold.catalog.request import Request, texts_of
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.registry import connector_class
from onefold.connectors.stored_position import anew

_START = re.compile(r"\{(start|start_unix|start_unix_ms|first_day)\}")
_END = re.compile(r"\{(end|end_unix|end_unix_ms|last_day)\}")


@dataclass(frozen=True, slots=True)
class Unaskable:
    """Why a stream cannot be asked about a window: the reason as one word, and in a sentence with what to do."""

    reason: Literal["look_up", "row_version", "own_way", "log", "whole_list", "before_history"]
    text: str


def unaskable(system: System, stream_name: str, start: datetime | None, now: datetime) -> Unaskable | None:
    """Why the stream cannot be asked about a window that begins at `start` (None: at its history's beginning); None
    where it can."""
    stream = system.streams[stream_name]
    if not _asks_windows(system, stream):
        return _why(system, stream_name)
    first = history(system, stream_name, now)
    if start and first and start < first:
        return Unaskable(
            "before_history",
            f"{system.system}.{stream_name} goes back to {first:%Y-%m-%d} and not to {start:%FT%TZ}: let the window "
            "begin then, or later.",
        )
    return None


def how_to_load_again(system: System, stream_name: str) -> str:
    """What to do for the source to be read again, after something was put right: "load its window again"."""
    why = unaskable(system, stream_name, None, datetime.now(UTC))
    if why is None:
        return "load its window again"
    if why.reason == "log":
        named = f"{system.system}.{stream_name}"
        return f"load the stream anew, from the oldest that its source or the inbox still has ({anew(named)})"
    return f"load it again (bin/onefold sync {system.system})"


def history(system: System, stream_name: str, now: datetime) -> datetime | None:
    """The first instant that the stream can be asked about; None where the source states none."""
    stream = system.streams[stream_name]
    since = stream.history or system.history or (stream.request.slices.since if stream.request.slices else None)
    if since is None:
        return None
    return datetime.combine(since, time(), UTC) if isinstance(since, date) else now - since


def names_window(request: Request) -> bool:
    """Whether a request names a window's start and its end."""
    texts = texts_of(request)
    return any(map(_START.search, texts)) and any(map(_END.search, texts))


def _asks_windows(system: System, stream: Stream) -> bool:
    if stream.lookup:
        return "{day}" in (stream.lookup.feed or "")
    match connector_class(system).capabilities.windows:
        case "always":
            return True
        case "cursor":
            timed = stream.cursor is not None and stream.cursor.kind != "integer"
            return timed and (stream.nested is None or names_window(stream.request))
        case "request":
            return names_window(stream.request)
        case "never":
            return False


def _why(system: System, stream_name: str) -> Unaskable:
    stream, can = system.streams[stream_name], connector_class(system).capabilities
    named, now = f"{system.system}.{stream_name}", "A run without a window brings what there is now."
    if stream.lookup:
        said = f"{named} is asked about single values and answers with what is registered at that moment"
        return Unaskable("look_up", f"{said}, so it cannot be asked about a window of the past. {now}")
    if can.confirms or can.only_events or stream.by_inbox:
        said = f"{named} is read from a log of what happens, on from the published position, so it has no windows"
        return Unaskable("log", f"{said}. To read again all that the source still has: {anew(named)}")
    if stream.cursor and stream.cursor.kind == "integer":
        return Unaskable("row_version", f"{named} is read by a counter and not by time, so it has no windows. {now}")
    if system.python:
        why = f"{named} cannot be asked about a window of the past ({system.python.why}). {now}"
        return Unaskable("own_way", why)
    said = f"{named} lists what it has at the moment and cannot be asked about a window of the past"
    return Unaskable("whole_list", f"{said}. {now}")
