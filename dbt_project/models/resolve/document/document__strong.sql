-- generated from catalog/entities/document.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['document']) }}

-- Records that share a strong identifier are one, transitively. Where that would give a cluster two values of an
-- identifier, it is torn: identifiers are then authoritative in the catalogue's order, and each value belongs to the
-- one group that its records' more authoritative identifiers name. When they name several, it is contested, and belongs
-- to the one that the most trusted system names, or to none when that does not decide it. A record's value that belongs
-- to another group is disowned: it is not published.
with component as materialized (
    select node, root from ops.components($edges$
        select null::bigint as a, null::bigint as b where false
    $edges$)
),
labelled as materialized (
    select l.n, coalesce(c.root, l.label) as root, case split_part(l.record, '|', 1) when 'microsoft365' then 1 else 2 end as rank, l.document_key
    from (select m.*, coalesce(first.n, m.n) as label
        from {{ ref('document__member') }} as m left join (
            select document_key, min(n) as n from {{ ref('document__member') }} group by document_key
        ) as first using (document_key)) as l left join component as c on c.node = l.label
),
torn_root as materialized (
    select root from labelled group by root having min(document_key) <> max(document_key)
),
torn as materialized (
    select l.* from labelled as l join torn_root using (root)
),
document_key_group as materialized (
    select distinct document_key as value, 'document_key:' || document_key as name, 1::bigint as claims
    from torn where document_key is not null
),
mended as (
    select t.n, t.root, own.name
        , array_remove(array[
            case when document_key_group.claims > 1 then 'document_key' end
        ], null) as contested
        , array_remove(array[
            case when document_key_group.name <> own.name then 'document_key' end
        ], null) as disowned
    from torn as t
    left join document_key_group on document_key_group.value = t.document_key
    cross join lateral (select coalesce(document_key_group.name) as name) as own
)
select l.n, l.root as unit, false as torn, null::text[] as contested, null::text[] as disowned
from labelled as l where not exists (select from torn_root as t where t.root = l.root)
union all
select n, min(n) over (partition by root, name), true, contested, disowned from mended
