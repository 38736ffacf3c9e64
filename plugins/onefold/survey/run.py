"""The survey: asks every system, one after the other, and reports. One that fails stops only itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import psycopg
from psycopg import sql

from onefold.catalog.reader import Catalog
from onefold.catalog.system import System
from onefold.connectors.registry import OpenTransport, open_transport
from onefold.errors import OnefoldError
from onefold.http.endpoint import Endpoint
from onefold.mapping.sql import rule_sql
from onefold.survey.advice import Phase, Risk, phases, risks
from onefold.survey.entity_rules import EntitySource, entity_sources
from onefold.survey.reading import Bounds, StreamRead, read_stream, table_of
from onefold.survey.shared_records import EntityMet, entity_met
from onefold.survey.stream_facts import StreamFacts, stream_facts

EndpointOf = Callable[[System], Endpoint]
"""Raises an OnefoldError when the system is not connected."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found. Counts, shares, names and masks: no value of a record."""

    streams: tuple[StreamFacts, ...]
    entities: tuple[EntityMet, ...]
    risks: tuple[Risk, ...]
    phases: tuple[Phase, ...]


def survey(
    connection: psycopg.Connection,
    catalog: Catalog,
    endpoint_of: EndpointOf,
    bounds: Bounds,
    *,
    systems: Sequence[str] = (),
    transport: OpenTransport = open_transport,
    progress: Callable[[StreamRead], None] = lambda read: None,
) -> Survey:
    """Ask these systems, or all. `connection` is a session of its own, in which the records stand until it ends.

    Reads only: nothing is written to a source, nor to any table that stays.
    """
    chosen = {name: each for name, each in catalog.systems.items() if not systems or name in systems}
    reads: list[StreamRead] = []
    listing = [(each, name) for each in chosen.values() for name, stream in each.streams.items() if not stream.lookup]
    lookups = [(each, name) for each in chosen.values() for name, stream in each.streams.items() if stream.lookup]
    endpoints = {name: _endpoint(each, endpoint_of) for name, each in chosen.items()}
    ask = partial(_ask, connection, endpoints, bounds, transport)
    for system, name in listing:
        reads.append(ask(system, name, ()))
        progress(reads[-1])
    sources = _sources(connection, catalog, reads)
    for system, name in lookups:
        keys = _keys(connection, catalog, sources, system, name)
        reads.append(ask(system, name, keys if bounds.keys is None else keys[: bounds.keys]))
        progress(reads[-1])
    asked = {system.system for system, _ in lookups}
    sources = [each for each in sources if each.system not in asked]
    sources += _sources(connection, catalog, [read for read in reads if read.system in asked])
    facts = tuple(stream_facts(connection, catalog.systems[read.system], read) for read in reads)
    by_entity: defaultdict[str, list[EntitySource]] = defaultdict(list)
    for each in sources:
        by_entity[each.entity].append(each)
    met = tuple(
        entity_met(connection, catalog, catalog.entities[name], of_entity)
        for name, of_entity in sorted(by_entity.items())
    )
    return Survey(
        facts,
        met,
        tuple(risk for each in facts for risk in risks(catalog.systems[each.read.system], each)),
        tuple(phases(catalog.entities, met)),
    )


def _endpoint(system: System, endpoint_of: EndpointOf) -> Endpoint | str:
    """Where the system is; or why nobody knows."""
    try:
        return endpoint_of(system)
    except OnefoldError as error:
        return str(error)


def _ask(
    connection: psycopg.Connection,
    endpoints: Mapping[str, Endpoint | str],
    bounds: Bounds,
    transport: OpenTransport,
    system: System,
    name: str,
    keys: Sequence[str],
) -> StreamRead:
    endpoint = endpoints[system.system]
    if isinstance(endpoint, str):
        return StreamRead(system.system, name, endpoint)
    return read_stream(connection, system, name, endpoint, bounds, keys, transport)


def _sources(connection: psycopg.Connection, catalog: Catalog, reads: Iterable[StreamRead]) -> list[EntitySource]:
    relations: defaultdict[str, dict[str, sql.Composable]] = defaultdict(dict)
    for read in reads:
        if read.records:
            relations[read.system][read.stream] = table_of(read.system, read.stream)
    with connection.transaction(force_rollback=True):
        return entity_sources(connection, catalog, relations)


def _keys(
    connection: psycopg.Connection, catalog: Catalog, sources: Iterable[EntitySource], system: System, name: str
) -> list[str]:
    """The values that the surveyed records of other systems name for what the look-up is asked about, sorted."""
    lookup = system.streams[name].lookup
    found: set[str] = set()
    for asked in lookup.attributes if lookup else ():
        entity, _, attribute = asked.partition(".")
        for each in sources:
            rule = each.rules.get(attribute)
            if each.entity == entity and rule and each.system != system.system:
                stream = catalog.systems[each.system].streams[each.stream]
                query = sql.SQL("select distinct ({})::text from {} where not _deleted").format(
                    sql.SQL(rule_sql(rule, stream)), table_of(each.system, each.stream)
                )
                found |= {value for (value,) in connection.execute(query) if value is not None}
    return sorted(found)
