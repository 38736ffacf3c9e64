"""The keys of a stream, all of them: what a sweep lists, by the stream's own reader over fewer fields."""

from __future__ import annotations

from datetime import timedelta

from onefold.catalog.deletes import Deletes
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.connectors.listing import names_time, why_not_listed_whole
from onefold.connectors.registry import connector_class

SLACK = timedelta(days=1)
"""How far past now a sweep asks: what is changed while it lists would else leave the window and look deleted."""


def key_system(system: System, stream_name: str) -> System:
    """The system with the stream as its sweep asks for it: the primary key alone, of all records."""
    can, stream = connector_class(system).capabilities, keys_only(system.streams[stream_name])
    if can.select_keys and not stream.nested:
        stream = stream.model_copy(update={"request": can.select_keys(stream)})
    return system.model_copy(update={"streams": {**system.streams, stream_name: stream}})


def keys_only(stream: Stream) -> Stream:
    """The stream without fields that are no key, and without all that is about changes and deletions."""
    sweep = stream.deletes.sweep
    return stream.model_copy(
        update={
            "request": (sweep and sweep.request) or stream.request,
            "records": stream.records if sweep is None or sweep.records is None else sweep.records,
            "next": (sweep and sweep.next) or stream.next,
            "fields": {name: stream.fields[name] for name in stream.primary_key},
            "cursor": None,
            "deletes": Deletes(),
        }
    )


def why_no_sweep(system: System, stream_name: str) -> str | None:
    """Why the keys of the stream cannot be swept, and what to do instead, in a sentence; None where they can."""
    can, stream = connector_class(system).capabilities, system.streams[stream_name]
    kept = stream.history or system.history
    if stream.lookup:
        return "the source cannot list its records: each load asks again about what it has not asked lately"
    if stream.webhook:
        return "its records are those that events brought or named, and no listing"
    if stream.parent:
        times = ": take the times out of its request," if names_time(stream.request) else ", and"
        return f"it is listed for each record of another stream{times} what that record's listing lacks is deleted"
    if stream.retention_limited:
        return "the source keeps its records for a limited time, so that one it no longer lists has only expired"
    if can.acknowledges:
        return "the source gives each record once and removes it when it is acknowledged"
    if isinstance(kept, timedelta):
        return "the source tells only of a limited time (history), so that older records would look deleted"
    if why_not_listed_whole(can, stream) is None:
        return "every load lists the stream whole, so that what is deleted at its source is deleted without a sweep"
    if stream.partial_changes:
        return "its records come in parts, so that a listing of them does not hold every key"
    if not can.sweeps:
        module = f"the module {system.python.module}" if system.python else f"protocol {system.protocol}"
        return f"{module} cannot list keys alone"
    return None
