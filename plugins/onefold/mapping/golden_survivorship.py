"""The dbt model that picks, attribute by attribute, the value which survives, and says where it came from.

One sort: the records of a cluster get a position by the entity's trust order. An attribute with an order of its own
takes the least of (its rank, position); so no attribute needs a sort of its own.
"""

from __future__ import annotations

import json

from onefold.catalog.entity import Attribute, Entity
from onefold.mapping.golden_identity import systems

_SPAN = 1 << 20  # more than the records of any cluster: rank * span + position orders by rank, then position


def model(entity: Entity) -> str:
    """<entity>__candidate: the new state of every golden record whose cluster was touched."""
    name, attributes = entity.entity, entity.attributes
    changed_at = "last_changed" if "last_changed" in attributes else "_extracted_at"
    columns = ", ".join(f"m.{attribute}" for attribute in attributes)
    records = "\n    union all\n".join(
        f"    select x.{name}_id, x.record, x.system, x.stream, x.key, m._load_id, m._mapping_version, m._extracted_at, {columns}\n"
        f"    from {{{{ ref('{name}__candidate_crosswalk') }}}} as x\n"
        f"    join {{{{ ref('{system}__{name}') }}}} as m on m._record collate \"C\" = x.record\n"
        f"    where x.system = '{system}'"
        for system in systems(entity)
    )
    winners = ",\n        ".join(
        f"{_winner(entity, attribute_name, attribute)} as _w_{attribute_name}"
        for attribute_name, attribute in attributes.items()
    )
    values = ",\n        ".join(f"array_agg({a} order by p) as _v_{a}" for a in attributes)
    picked = ",\n    ".join(f"_v_{a}[_w_{a}] as {a}" for a in attributes)
    winning_records = ", ".join(f"_record[_w_{a}]" for a in attributes)
    content = ", ".join(
        f"extract(epoch from _v_{a}[_w_{a}])" if spec.type == "timestamptz" else f"_v_{a}[_w_{a}]"
        for a, spec in attributes.items()
    )
    return f"""with member as (
{records}
), ranked as (
    select *, row_number() over (partition by {name}_id order by {_rank(entity.trust)}, {changed_at} desc nulls last, record)::int as p,
        jsonb_build_object('system', system, 'stream', stream, 'key', key,
            'load_id', _load_id, 'mapping_version', _mapping_version) as _source
    from member
), gathered as (
    select {name}_id,
        array_agg(system order by p) as _system, array_agg(stream order by p) as _stream,
        array_agg(record order by p) as _record, array_agg(_source order by p) as _source,
        max(_mapping_version) as _mapping_version,
        {winners},
        {values}
    from ranked group by {name}_id
)
select {name}_id,
    {picked},
    _system[1] as source_of_truth,
    (select array_agg(distinct s order by s) from unnest(_system) as s) as _systems,
    cardinality(_record) as _records,
    jsonb_strip_nulls(jsonb_build_object(
        {_provenance(entity)}
    )) as _provenance,
    _mapping_version,
    -- What makes a version: the values, and the records that gave them. A record's newer load alone does not.
    md5(row({content}, {winning_records}, _record)::text) as _hash
from gathered"""


def _rank(trust: list[str]) -> str:
    order = " ".join(f"when '{system}' then {rank}" for rank, system in enumerate(trust, 1))
    return f"case system {order} else {len(trust) + 1} end"


def _winner(entity: Entity, name: str, attribute: Attribute) -> str:
    if attribute.survivorship == "latest":
        return f"(array_agg(p order by {name} desc, p) filter (where {name} is not null))[1]"
    if attribute.trust is None or attribute.trust == entity.trust:
        return f"min(p) filter (where {name} is not null)"
    rank = _rank(attribute.trust)
    return f"(min({rank} * {_SPAN} + p) filter (where {name} is not null) % {_SPAN})"


def _provenance(entity: Entity) -> str:
    return ",\n        ".join(
        f"'{name}', case when _w_{name} is not null then _source[_w_{name}] || {_rule(name, attribute)} end"
        for name, attribute in entity.attributes.items()
    )


def _rule(name: str, attribute: Attribute) -> str:
    """The SQL that gives the field and the transform of the source which won."""
    cases = []
    for source, rule in sorted(attribute.sources.items()):
        field = rule.fields[0] if len(rule.fields) == 1 else rule.fields
        origin: dict[str, str | list[str]] = {"constant": rule.constant} if rule.constant is not None else {"field": field}
        literal = json.dumps(origin | {"transform": rule.transform}, ensure_ascii=False).replace("'", "''")
        cases.append(f"when '{source}' then '{literal}'::jsonb")
    return f"case _system[_w_{name}] || '.' || _stream[_w_{name}] {' '.join(cases)} else '{{}}'::jsonb end"
