"""The streams of the catalogue and what the suite must know to accept each: a new stream is listed in cases/."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules

import pytest

from onefold.catalog.reader import read_catalog
from onefold.catalog.stream import Stream
from onefold.catalog.system import System
from onefold.http.endpoint import Endpoint
from sandbox.process import Sandbox
from sandbox.stand_ins import connections
from tests.acceptance import cases
from tests.acceptance.case import Case

CATALOG = read_catalog()
Mark = pytest.MarkDecorator


CASES: dict[str, Case] = {
    name: case
    for module in iter_modules(cases.__path__)
    for name, case in import_module(f"{cases.__name__}.{module.name}").CASES.items()
}
"""By system.stream; a system's streams are in cases/<system>.py."""

EXEMPT: dict[str, str] = {
    name: f"a stream of events has no windows, pages or faults of HTTP: {proven} proves what becomes of it"
    for name, proven in {
        "erp_log.stock": "tests/connectors/cdc",
        "stripe_events.checkout": "tests/connectors/webhook",
        "github.issue": "tests/connectors/webhook",
        "shop_orders.order": "tests/connectors/redis_stream",
    }.items()
}
"""Streams of the catalogue that the suite does not take, each with the reason in a sentence."""


@dataclass(frozen=True)
class Listed:
    """A stream under acceptance."""

    name: str

    @property
    def case(self) -> Case:
        return CASES[self.name]

    @property
    def system(self) -> System:
        return CATALOG.systems[self.name.partition(".")[0]]

    @property
    def stream_name(self) -> str:
        return self.name.partition(".")[2]

    @property
    def stream(self) -> Stream:
        return self.system.streams[self.stream_name]

    @property
    def staging(self) -> str:
        return f"staging.{self.name.replace('.', '__')}"

    @property
    def naming(self) -> tuple[Listed, ...]:
        """The streams that must be loaded first, because this one is asked about what they name."""
        if not self.stream.lookup:
            return ()
        asked = [name.split(".") for name in self.stream.lookup.attributes]
        named_by = {source for entity, name in asked for source in CATALOG.entities[entity].attributes[name].sources}
        return tuple(listed for listed in LISTING if listed.name in named_by)

    def endpoint(self, sandbox: Sandbox) -> Endpoint:
        """The stand-in's address and login."""
        connection = connections(sandbox.url, sandbox.databases, sandbox.state)[self.system.system]
        url = connection["host"]
        if "schema" in connection:
            url = f"{connection['conn_type']}://{url}:{connection['port']}/{connection['schema']}"
        return Endpoint(url, connection["login"], connection["password"], connection["extra"])


def catalogued() -> set[str]:
    """Every stream of the catalogue as system.stream."""
    return {f"{name}.{stream}" for name, system in CATALOG.systems.items() for stream in system.streams}


COSTLY = {"crbr.beneficiary"}
"""Streams whose loads take several times as long as others': taken where no other stream proves the same."""
ALL = tuple(Listed(name) for name in sorted(catalogued() & CASES.keys(), key=lambda name: (name in COSTLY, name)))
LISTING = tuple(listed for listed in ALL if not listed.stream.lookup)
LOOKUPS = tuple(listed for listed in ALL if listed.stream.lookup)


def connector(listed: Listed) -> str:
    """What reads the stream: its system's own module, or its protocol."""
    return listed.system.python.module if listed.system.python else listed.system.protocol


def one_status(listed: Listed) -> str:
    """What decides how an answer fares of which only status, headers and time count: no reader sees it."""
    return listed.system.protocol


def one_request(listed: Listed) -> tuple[object, ...]:
    """What decides how one request and its answer fare."""
    return connector(listed), listed.system.odata_version


def between_requests(listed: Listed) -> tuple[object, ...]:
    """What decides how the reader goes from one page to the next."""
    return *one_request(listed), listed.stream.next.kind, listed.case.small_pages


def who_signs_in(listed: Listed) -> tuple[object, ...]:
    """What decides how a sign-in that has ended is made again."""
    return *one_request(listed), listed.system.auth.kind


def signs_in(listed: Listed) -> tuple[object, ...]:
    """What decides what a request and its sign-in show of themselves."""
    return one_request(listed), listed.system.auth.kind


def history(listed: Listed) -> tuple[object, ...]:
    """What decides how pages that are there become versions, whoever has read them."""
    stream = listed.stream
    cursor = stream.cursor.kind if stream.cursor else None
    deletes = tuple(name for name, said in stream.deletes if said)
    changes_by_itself = bool(stream.volatile)
    return cursor, deletes, bool(stream.nested), bool(stream.lookup), stream.retention_limited, changes_by_itself


def windows(listed: Listed) -> tuple[object, ...]:
    """What decides how a window, or the cursor from which a load goes on, becomes requests and back: nothing of its
    own in a look-up without a cursor, which is asked what others name."""
    cursor = listed.stream.cursor.kind if listed.stream.cursor else None
    reader = one_request(listed) if cursor or not listed.stream.lookup else None
    return reader, cursor, bool(listed.stream.lookup)


def increments(listed: Listed) -> tuple[object, ...]:
    """What decides which records the next load reads, and what they become."""
    return between_requests(listed), *history(listed)


def look_up(listed: Listed) -> tuple[object, ...]:
    """What decides which questions of a look-up are asked again, and what becomes of the answers."""
    return bool(listed.stream.lookup and listed.stream.lookup.feed), *history(listed)


def resumption(listed: Listed) -> tuple[object, ...]:
    """What decides how an extraction goes on from a page's token."""
    return *between_requests(listed), bool(listed.stream.lookup)


each_stream = pytest.mark.parametrize("listed", ALL, ids=lambda listed: listed.name)
each_lookup = pytest.mark.parametrize("listed", LOOKUPS, ids=lambda listed: listed.name)

Values = tuple[object, ...]


def once_per(key: Callable[..., object], names: str, values: Iterable[Values], identify: Callable[..., str]) -> Mark:
    """Parametrises a test over all `values`; of those with the same `key` only the first is in `make test`.

    The others are in the full matrix. Nobody lists what is proven once: a system with a new combination gets its case.
    """
    proven: set[object] = set()
    cases = []
    for value in values:
        marks = [pytest.mark.full_matrix] if key(*value) in proven else []
        proven.add(key(*value))
        cases.append(pytest.param(*value, marks=marks, id=identify(*value)))
    return pytest.mark.parametrize(names, cases)


def covering(kinds: Sequence[Values]) -> set[int]:
    """The places of as few kinds as hold, together, each value that stands anywhere in them in the same place."""
    values = [set(enumerate(kind)) for kind in kinds]
    missing, chosen = set().union(*values), set()
    while missing:
        most = max(range(len(values)), key=lambda place: len(values[place] & missing))
        chosen.add(most)
        missing -= values[most]
    return chosen


def each_value(kind: Callable[..., Values], names: str, values: Iterable[Values], identify: Callable[..., str]) -> Mark:
    """Parametrises a test over all `values`; in `make test` are so few that each thing which makes a kind has each of
    its values there: each reader, each kind of cursor, each way to tell of deletes; not every pair of them.
    """
    cases = list(values)
    chosen = covering([kind(*case) for case in cases])
    marks = [[] if place in chosen else [pytest.mark.full_matrix] for place in range(len(cases))]
    return pytest.mark.parametrize(
        names, [pytest.param(*case, marks=mark, id=identify(*case)) for case, mark in zip(cases, marks, strict=True)]
    )


def able(*faults: str) -> list[Listed]:
    """The streams whose source can have all of these faults."""
    return [listed for listed in ALL if not listed.case.cannot_have.keys() & set(faults)]


def each_sign_in(*faults: str) -> Mark:
    """Parametrises a test over the streams whose source can have all of these faults: each reader and each sign-in."""
    return each_thing(signs_in, able(*faults))


def each_kind(kind: Callable[[Listed], object], streams: Iterable[Listed]) -> Mark:
    """Parametrises a test over these streams, once per kind."""
    return once_per(kind, "listed", [(listed,) for listed in streams], lambda listed: listed.name)


def each_thing(kind: Callable[[Listed], Values], streams: Iterable[Listed]) -> Mark:
    """Parametrises a test over these streams: each value of each thing that makes a kind."""
    return each_value(kind, "listed", [(listed,) for listed in streams], lambda listed: listed.name)


def each_change(values: Callable[[Case], tuple], reader: Callable[[Listed], object] = connector) -> Mark:
    """Parametrises a test over the streams and what `values` gives of each one's case: each reader, each type, and
    fields that have another name, or a path, on the wire."""

    def key(listed: Listed, given: tuple[str, ...]) -> Values:
        field, wire, *types = given
        return reader(listed), field == wire, "." in wire, *types

    pairs = [(listed, value) for listed in ALL for value in values(listed.case)]
    return each_value(key, "listed, given", pairs, lambda listed, value: f"{listed.name}-{value[0]}-{value[-1]}")
