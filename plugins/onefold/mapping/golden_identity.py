"""The dbt models that decide which records are one and the same: strong identifiers first, then with caution.

Strong identifiers are authoritative in the catalogue's order. Records that share one are joined, transitively. Where
that would give a cluster two values of an identifier, the cluster is torn: each value of an identifier then belongs
to the one group that its records' more authoritative identifiers name, and to none when they name several.

Every decision depends on nothing but the records connected by equal values, so resolving the touched ones only
gives what resolving all would give.
"""

from __future__ import annotations

from onefold.catalog.entity import Entity

CUT_PREFIX = 24
"""Letters of a cut name that must agree before it is compared at all. SAP's name fields hold 40 characters."""


def systems(entity: Entity) -> list[str]:
    """The systems that feed the entity, sorted: one mapped model each."""
    return sorted({stream.split(".")[0] for stream in entity.streams})


def identifiers(entity: Entity) -> list[str]:
    """The columns of <entity>__identifier by which records may be connected."""
    return [*entity.identity.strong, *(["cautious_key", "cut_key"] if entity.identity.cautious else [])]


def models(entity: Entity) -> dict[str, str]:
    """The resolution models by name, in the order in which they depend on each other."""
    name = entity.entity
    made = {
        f"{name}__changed": _changed(entity),
        f"{name}__candidate_identifier": _candidate_identifier(entity),
        f"{name}__member": _member(entity),
        f"{name}__strong": _strong(entity),
    }
    if entity.identity.cautious:
        made[f"{name}__cautious"] = _cautious(entity)
    made[f"{name}__cluster"] = _cluster(entity)
    made[f"{name}__conflict"] = _conflict(entity)
    return made


def _changed(entity: Entity) -> str:
    loads = "(select load_id from ops.publish_load where publish_id = {{ var('publish_id') }})"
    mapped = "\nunion\n".join(
        f"select _record collate \"C\" as record from {{{{ ref('{system}__{entity.entity}') }}}}\n"
        f"where _load_id in {loads}"
        for system in systems(entity)
    )
    return f"""{mapped}
union
-- A load that was rolled back: its records are gone from the mapped models, or back to an earlier load.
select record from mapped.{entity.entity}__identifier
where _load_id in {loads}"""


def _candidate_identifier(entity: Entity) -> str:
    strong = ", ".join(f"m.{kind}" for kind in entity.identity.strong)
    if not entity.identity.cautious:
        return "\nunion all\n".join(
            f'select m._record collate "C" as record, m._load_id, {strong}\n{_from_changed(entity, system)}'
            for system in systems(entity)
        )
    cautious = entity.identity.cautious
    address = ", ".join(f"m.{part}" for part in cautious.address)
    rows = "\n    union all\n".join(
        f'    select m._record collate "C" as record, m._load_id, {strong},\n'
        f"        {{{{ name_key('m.{cautious.name}') }}}} as name_key, {{{{ name_is_cut('m.{cautious.name}') }}}} as cut,\n"
        f"        {' || '.join(f'{{{{ address_key({part!r}) }}}}' for part in address.split(', '))} as address_key\n"
        f"    {_from_changed(entity, system)}"
        for system in systems(entity)
    )
    names = ", ".join(entity.identity.strong)
    return f"""with folded as (
{rows}
)
select record, _load_id, {names}, name_key, cut,
    case when length(name_key) >= 3 and address_key <> '' then name_key || '|' || address_key end as cautious_key,
    case when length(name_key) >= {CUT_PREFIX} and address_key <> ''
        then left(name_key, {CUT_PREFIX}) || '|' || address_key end as cut_key
from folded"""


def _from_changed(entity: Entity, system: str) -> str:
    return (
        f"from {{{{ ref('{system}__{entity.entity}') }}}} as m\n"
        f'    join {{{{ ref(\'{entity.entity}__changed\') }}}} as c on c.record = m._record collate "C"\n'
        "    where not m._deleted"
    )


def _member(entity: Entity) -> str:
    name = entity.entity
    extra = ["name_key", "cut", "cautious_key", "cut_key"] if entity.identity.cautious else []
    columns = ", ".join(["record", "_load_id", *entity.identity.strong, *extra])
    array = ", ".join(f"'{column}'" for column in identifiers(entity))
    return f"""-- The living records of every touched cluster, with a number each to calculate with.
with touched as materialized (
    select record collate "C" as record from ops.touched(
        '{{{{ ref('{name}__changed') }}}}', '{{{{ ref('{name}__candidate_identifier') }}}}',
        'mapped.{name}__identifier', array[{array}]) as record
), member as (
    select {columns} from {{{{ ref('{name}__candidate_identifier') }}}}
    union all
    select {columns} from mapped.{name}__identifier
    where record in (select record from touched)
        and record not in (select record from {{{{ ref('{name}__changed') }}}})
)
select row_number() over () as n, * from member"""


def torn_if(kinds: list[str]) -> str:
    """The SQL condition on a group of records: it holds two values of a strong identifier."""
    return " or ".join(f"min({kind}) <> max({kind})" for kind in kinds)


def _strong(entity: Entity) -> str:
    name, kinds = entity.entity, entity.identity.strong
    member = f"{{{{ ref('{name}__member') }}}}"
    edges = "\n        union all ".join(
        f"select n as a, min(n) over (partition by {kind}) as b from {member} where {kind} is not null"
        for kind in kinds
    )
    groups = "".join(_groups(position, kinds) for position in range(len(kinds)))
    joins = "\n    ".join(
        f"left join {kind}_group on {kind}_group.value = t.{kind}"
        + "".join(f" and t.{earlier} is null" for earlier in kinds[:position])
        for position, kind in enumerate(kinds)
    )
    contested = ", ".join(
        f"case when t.{kind} in (select value from {kind}_group where claims > 1) then '{kind}' end"
        for kind in kinds
    )
    return f"""with component as materialized (
    select node, root from ops.components($edges$
        {edges}
    $edges$)
), labelled as (
    select m.n, coalesce(c.root, m.n) as root, {", ".join(f"m.{kind}" for kind in kinds)}
    from {member} as m left join component as c on c.node = m.n
), torn as materialized (
    select l.* from labelled as l
    join (select root from labelled group by root having {torn_if(kinds)}) as t using (root)
){groups}, mended as (
    select t.n, t.root, coalesce({", ".join(f"{kind}_group.name" for kind in kinds)}) as name,
        array_remove(array[{contested}], null) as contested
    from torn as t
    {joins}
)
select n, root as unit, false as torn, null::text[] as contested from labelled
where root not in (select root from torn)
union all
select n, min(n) over (partition by root, name), true, contested from mended"""


def _groups(position: int, kinds: list[str]) -> str:
    """The CTE which gives each value of an identifier, inside torn components, the group that it belongs to."""
    kind, earlier = kinds[position], kinds[:position]
    own = f"'{kind}:' || v.value"
    if not earlier:
        return f""", {kind}_group as materialized (
    select v.value, {own} as name, 1 as claims from (select distinct {kind} as value from torn where {kind} is not null) as v
)"""
    claims = "\n        union ".join(
        f"select t.{kind} as value, g.name from torn as t join {other}_group as g on g.value = t.{other} where t.{kind} is not null"
        + "".join(f" and t.{before} is null" for before in kinds[:index])
        for index, other in enumerate(earlier)
    )
    return f""", {kind}_group as materialized (
    select v.value, case when count(c.name) = 1 then min(c.name) else {own} end as name, count(c.name) as claims
    from (select distinct {kind} as value from torn where {kind} is not null) as v
    left join (
        {claims}
    ) as c using (value)
    group by v.value
)"""


def _cautious(entity: Entity) -> str:
    name, kinds = entity.entity, entity.identity.strong
    bounds = ", ".join(f"min(s.{kind}) as {kind}_min, max(s.{kind}) as {kind}_max" for kind in kinds)
    clear = " and ".join(f"min({kind}_min) is not distinct from max({kind}_max)" for kind in kinds)
    return f"""-- Groups that have name and address in common. A key whose groups contradict each other joins none of them.
with member as materialized (
    select m.*, s.unit from {{{{ ref('{name}__member') }}}} as m join {{{{ ref('{name}__strong') }}}} as s using (n)
), holds as (
    select unit, cautious_key as key from member where cautious_key is not null
    union
    -- A cut name stands for the one full name that it begins; when it begins several, for none.
    select short.unit, min(full_name.cautious_key)
    from member as short
    join member as full_name on full_name.cut_key = short.cut_key and not full_name.cut
        and starts_with(full_name.name_key, short.name_key)
    where short.cut
    group by short.unit, short.cautious_key
    having count(distinct full_name.cautious_key) = 1
), shared as materialized (
    select unit, key from (select unit, key, count(*) over (partition by key) as units from holds) as counted
    where units > 1
), bounds as (
    select s.unit, {bounds}
    from member as s where s.unit in (select unit from shared) group by s.unit
), clear as (
    select key, min(unit) as hub from shared join bounds using (unit) group by key
    having {clear}
)
select distinct unit, hub from shared join clear using (key) where unit <> hub"""


def _cluster(entity: Entity) -> str:
    name, kinds = entity.entity, entity.identity.strong
    if not entity.identity.cautious:
        return f"""select m.record, s.unit as cluster
from {{{{ ref('{name}__member') }}}} as m join {{{{ ref('{name}__strong') }}}} as s using (n)"""
    return f"""with component as materialized (
    select node, root from ops.components($edges$
        select unit as a, hub as b from {{{{ ref('{name}__cautious') }}}}
    $edges$)
), joined as materialized (
    select m.record, s.unit, c.root, {", ".join(f"m.{kind}" for kind in kinds)}
    from {{{{ ref('{name}__member') }}}} as m
    join {{{{ ref('{name}__strong') }}}} as s using (n)
    left join component as c on c.node = s.unit
), torn as (
    select root from joined where root is not null group by root having {torn_if(kinds)}
)
select record, case when root is null or root in (select root from torn) then unit else root end as cluster
from joined"""


def _conflict(entity: Entity) -> str:
    name, kinds = entity.entity, entity.identity.strong
    parts = []
    for kind in kinds:
        parts.append(f"""select '{kind}' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where '{kind}' = any (contested) group by {kind}
union all
select '{kind}', 'plural', array_agg(record order by record)
from torn where {kind} is not null group by unit having min({kind}) <> max({kind})""")
    return f"""with torn as materialized (
    select m.*, s.unit, s.contested
    from {{{{ ref('{name}__strong') }}}} as s join {{{{ ref('{name}__member') }}}} as m using (n)
    where s.torn
)
{chr(10).join(chr(10) + "union all" + chr(10) + part if index else part for index, part in enumerate(parts))}"""
