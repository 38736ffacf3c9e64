"""Proposes the mapping of a system's streams from what staging and mapped hold: asks the warehouse, writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from onefold.catalog.reader import Catalog
from onefold.errors import Fatal
from onefold.mapping.sql import field_sql
from onefold.mapping_proposal.catalogue import read_catalogue
from onefold.mapping_proposal.examples import example
from onefold.mapping_proposal.features import FieldEvidence
from onefold.mapping_proposal.field_values import RECORDS, read_records
from onefold.mapping_proposal.known_values import mapped_tables
from onefold.mapping_proposal.proposal import StreamProposal, propose, read_evidence, staged
from onefold.mapping_proposal.rules import Answer, ProposedRule, Values, fields_of_few_values, rules

FEW = 100
"""Records that tell which entity the other streams of the system are, to which the proposed ones may refer."""


@dataclass(frozen=True, slots=True)
class Proposed:
    """The proposals for the streams, and what of them becomes a rule or a question."""

    streams: Mapping[str, StreamProposal]
    answer: Answer


def proposed_mapping(
    connection: psycopg.Connection, catalog: Catalog, system: str, streams: Sequence[str] = (), records: int = RECORDS
) -> Proposed:
    """What is proposed for these streams of the system, or for all of them.

    Looks at so many current records of each stream. Raises Fatal when a stream has never been loaded.
    """
    of = catalog.systems[system]
    relations = {name: relation for name, relation in staged(of).items() if _exists(connection, relation)}
    if missing := [name for name in streams or of.streams if name not in relations]:
        first = f"{system}.{missing[0]}"
        raise Fatal(f"{first} has never been loaded, so there are no values to look at. Run: bin/onefold sync {system}")
    with connection.transaction(force_rollback=True):
        tables = mapped_tables(connection, catalog.entities, without=system)
        looked_at = {name: records if not streams or name in streams else min(records, FEW) for name in relations}
        evidence = read_evidence(connection, of, tables, relations, looked_at)
        every = propose(read_catalogue(catalog.entities, catalog.systems, system), of, evidence)
        chosen = {name: each for name, each in every.items() if not streams or name in streams}
        values = {name: _values(connection, relations[name], evidence[name], records) for name in chosen}
        answer = rules(system, chosen, catalog.entities, values)
        shown = tuple(with_example(connection, catalog, relations, each, records) for each in answer.rules)
    return Proposed(chosen, replace(answer, rules=shown))


def _exists(connection: psycopg.Connection, relation: sql.Composable) -> bool:
    row = connection.execute("select to_regclass(%s) is not null", (relation.as_string(connection),)).fetchone()
    return row is not None and bool(row[0])


def _values(
    connection: psycopg.Connection, relation: sql.Composable, fields: Mapping[str, FieldEvidence], records: int
) -> Values:
    """The different values of the fields that have few, in the records that are looked at."""
    read_records(connection, relation, records)
    found: dict[str, list[str]] = {}
    for name in fields_of_few_values(fields):
        raw = sql.SQL(field_sql(name, fields[name].source))
        query = sql.SQL("select distinct {0} from proposal_record where {0} <> '' order by 1").format(raw)
        found[name] = [value for (value,) in connection.execute(query)]
    return found


def with_example(
    connection: psycopg.Connection,
    catalog: Catalog,
    relations: Mapping[str, sql.Composable],
    each: ProposedRule,
    records: int,
) -> ProposedRule:
    """The rule with an example, where one can be made; the caller's transaction gets temporary tables."""
    system, _, stream = each.source.partition(".")
    read_records(connection, relations[stream], records)
    attribute = catalog.entities[each.entity].attributes[each.attribute]
    found = example(connection, each.rule, attribute, catalog.systems[system].streams[stream], each.proposals)
    return replace(each, rule=each.rule.model_copy(update={"examples": [found]})) if found else each
