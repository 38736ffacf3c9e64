"""What a connector can do, as data that is read without opening a connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from onefold.catalog.request import Request
from onefold.catalog.stream import Stream


@dataclass(frozen=True, slots=True)
class Counting:
    """How a source counts records by window. `at_once` is how many windows are worth asking about in one round: many
    where all are one query, few where each is a request. `step` is how finely the source is told a window's ends."""

    at_once: int
    step: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a connector can do.

    `windows` says which of its streams can be asked about a window of the past: `never`; those whose `request` names
    the window's start and end; those with a `cursor` that is a time; `always`. `counting`: the source counts records
    by window. `feed`: it names, by days, the keys that were changed. `lookups`: it asks about single keys.
    `acknowledges`: it is told which records have been published. `confirms`: it is told up to where in its log a stream
    is published, or says how far it is behind; `lets_go`: it does not tell again what it was told of. `only_events`: it
    tells what has happened, and there is nothing that lists what there is. `peeks`: it says cheaply whether there is
    anything to load. `ordered`: what it reads later in a load is newer, as where a record may change between two pages;
    not so where all that it reads is one picture.

    `listing` says which of its streams every load lists whole, so that what a listing lacks is deleted: `never`; those
    whose `request` names no time; those without a `cursor` and such a request, where the connector asks by the cursor.
    `by_key`: its pages follow the key, so that none can miss a record which is there all the time. `sweeps`: it lists
    the keys of all records where a stream has no other field and no cursor; `select_keys` gives the request that asks
    for them alone, where that takes more than naming fewer fields.
    """

    windows: Literal["never", "request", "cursor", "always"] = "never"
    counting: Counting | None = None
    feed: bool = False
    lookups: bool = False
    acknowledges: bool = False
    confirms: bool = False
    lets_go: bool = False
    only_events: bool = False
    peeks: bool = False
    ordered: bool = True
    listing: Literal["never", "request", "cursor"] = "never"
    by_key: bool = False
    sweeps: bool = False
    select_keys: Callable[[Stream], Request] | None = None
