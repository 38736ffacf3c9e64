"""The streams of the catalogue and what the suite must know to accept each: a new stream is listed in cases/."""

from __future__ import annotations

from collections.abc import Callable
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


CASES: dict[str, Case] = {
    name: case
    for module in iter_modules(cases.__path__)
    for name, case in import_module(f"{cases.__name__}.{module.name}").CASES.items()
}
"""By system.stream; a system's streams are in cases/<system>.py."""

EXEMPT: dict[str, str] = {}
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
        entity, _, attribute = self.stream.lookup.attribute.partition(".")
        named_by = CATALOG.entities[entity].attributes[attribute].sources
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


ALL = tuple(Listed(name) for name in sorted(catalogued() & CASES.keys()))
LISTING = tuple(listed for listed in ALL if not listed.stream.lookup)
LOOKUPS = tuple(listed for listed in ALL if listed.stream.lookup)

each_stream = pytest.mark.parametrize("listed", ALL, ids=lambda listed: listed.name)
each_lookup = pytest.mark.parametrize("listed", LOOKUPS, ids=lambda listed: listed.name)


def each_that_can_have(*faults: str) -> pytest.MarkDecorator:
    """Parametrises a test over the streams whose source can have all of these faults."""
    able = [listed for listed in ALL if not listed.case.cannot_have.keys() & set(faults)]
    return pytest.mark.parametrize("listed", able, ids=lambda listed: listed.name)


def each(values: Callable[[Case], tuple]) -> pytest.MarkDecorator:
    """Parametrises a test over the streams and what `values` gives of each one's case."""
    pairs = [(listed, value) for listed in ALL for value in values(listed.case)]
    return pytest.mark.parametrize(
        ("listed", "given"), pairs, ids=[f"{listed.name}-{value[0]}-{value[-1]}" for listed, value in pairs]
    )
