"""Withheld values: what is wrong with one attribute of a record costs that attribute, not the record.

The gate writes them into `_withheld` of the load's candidates: attribute → suite, expectation, reason, the value's kind
and what would be allowed. The column goes along into staging, where the payload stays as it was received; mapping gives
NULL for the attributes that it names. Nothing withheld: NULL, which takes no space and no time.

The publish writes each withheld value into ops.quarantine too, as a row with an `attribute`. It is open while the
version that it belongs to is the newest of its record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

from onefold.catalog.stream import Stream
from onefold.load.ledger import Load
from onefold.quality.contract import field_value
from onefold.quality.gate import Finding
from onefold.quality.suite import Expectation
from onefold.quality.typed import Fault, Typed
from onefold.quality.withholding import Withholding

INSERT = sql.SQL(
    """
    insert into ops.quarantine (load_id, system, stream, _key, _hash, _cursor, _extracted_at, attribute, suite,
                                expectation, reason, value_kind, allowed, mapping_versions)
    select version._load_id, {system}, {stream}, version._key, version._hash, version._cursor, version._extracted_at,
           withheld.key, withheld.value ->> 'suite', withheld.value ->> 'expectation', withheld.value ->> 'reason',
           withheld.value ->> 'value_kind', withheld.value ->> 'allowed',
           nullif(withheld.value -> 'mapping_versions', 'null')
    from {versions} version cross join lateral jsonb_each(version._withheld) withheld
    where version._withheld is not null and {which}
    """
)
"""Writes a row into ops.quarantine for each value that those of the `versions` withhold for which {which} holds."""


def record_withheld(
    connection: psycopg.Connection,
    load: Load,
    stream: Stream,
    suite: str,
    typed: Typed,
    findings: Sequence[Finding],
    withholding: Withholding,
    versions: Mapping[str, int],
) -> dict[str, int]:
    """Write into `_withheld` of the candidates what the typed table and the suite found wrong with single values.

    Rows that are in the load's `refused` table are left out: they wait whole. `versions` are those of the
    mappings that the gate used, by entity. Returns how many values are withheld, by attribute.
    """
    faulty = [each for code in typed.codes for each in _of_fault(code, typed.fault(code), stream)]
    faulty += [each for finding in findings for each in _of_finding(load, finding, stream, withholding)]
    if not faulty:
        return {}
    names = {
        "candidate": load.tables.candidate,
        "typed": load.tables.typed,
        "refused": load.tables.refused,
        "withheld": load.tables.withheld,
        "suite": sql.Literal(suite),
        "versions": sql.Literal(json.dumps(versions) if versions else None),
        "faulty": sql.SQL(" union all ").join(faulty),
    }
    connection.execute(sql.SQL("drop table if exists {withheld}").format(**names))
    connection.execute(_COLLECT.format(**names))
    connection.execute(_MARK.format(**names))
    counted = connection.execute(
        sql.SQL("select attribute, count(*) from {withheld} group by 1 order by 1").format(**names)
    ).fetchall()
    return dict(counted)


_COLLECT = sql.SQL(
    """
    create unlogged table {withheld} as
    with flagged as materialized (
        select typed._key, string_to_array(typed._withheld, ',') as codes, candidate._payload
        from {typed} typed join {candidate} candidate using (_key) where typed._withheld is not null
    )
    select _key, attribute, {suite} as suite, string_agg(distinct expectation, ', ') as expectation,
           string_agg(distinct reason, '; ') as reason, min(value_kind) as value_kind,
           string_agg(distinct allowed, '; ') as allowed
    from ({faulty}) faulty
    where not exists (select from {refused} refused where refused._key = faulty._key)
    group by _key, attribute
    """
)
_MARK = sql.SQL(
    """
    update {candidate} candidate set _withheld = withheld.attributes
    from (
        select _key, jsonb_object_agg(attribute, jsonb_build_object('suite', suite, 'expectation', expectation,
            'reason', reason, 'value_kind', value_kind, 'allowed', allowed, 'mapping_versions', {versions}::jsonb
        )) as attributes
        from {withheld} group by _key
    ) withheld
    where withheld._key = candidate._key
    """
)


def _of_fault(code: str, fault: Fault, stream: Stream) -> list[sql.Composed]:
    return [
        sql.SQL(
            "select _key, {attribute} as attribute, {expectation} as expectation, {reason} as reason,"
            " {kind} as value_kind, {allowed} as allowed from flagged where {code} = any (codes)"
        ).format(
            attribute=sql.Literal(attribute),
            expectation=sql.Literal(f"expect_column_values_to_be_null({fault.finding})"),
            reason=sql.Literal(fault.text),
            kind=_kind(fault.fields, stream),
            allowed=sql.Literal(fault.allowed),
            code=sql.Literal(code),
        )
        for attribute in fault.attributes
    ]


def _of_finding(load: Load, finding: Finding, stream: Stream, withholding: Withholding) -> list[sql.Composed]:
    broken = withholding.broken_rule(finding.expectation)
    if not (finding.critical and finding.rows_query and broken):
        return []
    field, attributes = broken
    return [
        sql.SQL(
            "select _key, {attribute} as attribute, {expectation} as expectation, {reason} as reason,"
            " {kind} as value_kind, {allowed} as allowed"
            " from ({failing}) failing join {candidate} candidate using (_key)"
        ).format(
            attribute=sql.Literal(attribute),
            expectation=sql.Literal(finding.expectation.label),
            reason=sql.Literal(finding.expectation.reason),
            kind=_kind((field,), stream),
            allowed=sql.Literal(_allowed(finding.expectation)),
            failing=finding.rows_query,
            candidate=load.tables.candidate,
        )
        for attribute in attributes
    ]


def _kind(fields: Sequence[str], stream: Stream) -> sql.Composable:
    """What kind of value each field has, without the value: ops.value_kind()."""
    kinds = [sql.SQL("ops.value_kind({})").format(field_value(name, stream.fields[name])) for name in fields]
    return sql.SQL("concat_ws(' and ', {})").format(sql.SQL(", ").join(kinds))


def _allowed(expectation: Expectation) -> str:
    values = [f"{name} {value}" for name, value in expectation.kwargs.items() if name != "column"]
    return ", ".join([expectation.rule, *values])


def quarantine_withheld(connection: psycopg.Connection, load: Load) -> int:
    """Write the withheld values of the load's accepted candidates into ops.quarantine; returns how many.

    In the publishing transaction, before the candidates become versions.
    """
    return connection.execute(
        INSERT.format(
            system=sql.Literal(load.system),
            stream=sql.Literal(load.stream),
            versions=load.tables.candidate,
            which=sql.SQL("not exists (select from {} refused where refused._key = version._key)").format(
                load.tables.refused
            ),
        )
    ).rowcount


def close_withheld(connection: psycopg.Connection, load: Load) -> None:
    """Close what was withheld from the versions that the load's accepted candidates replace.

    In the publishing transaction, after a replay has given the rows that it chose their outcome. A refused candidate
    replaces no version.
    """
    connection.execute(
        sql.SQL(
            """
            update ops.quarantine q set state = 'superseded', closed_at = now(), closed_by_load = {load}
            from {candidate} c
            where q.system = {system} and q.stream = {stream} and q._key = c._key and q.state = 'open'
              and q.attribute is not null and q.load_id <> {load}
              and not exists (select from {refused} r where r._key = c._key)
            """
        ).format(
            load=sql.Literal(load.load_id),
            candidate=load.tables.candidate,
            refused=load.tables.refused,
            system=sql.Literal(load.system),
            stream=sql.Literal(load.stream),
        )
    )
