-- generated from catalog/entities/product.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['product']) }}

-- Records that share a strong identifier are one, transitively. Where that would give a cluster two values of an
-- identifier, it is torn: identifiers are then authoritative in the catalogue's order, and each value belongs to the
-- one group that its records' more authoritative identifiers name. When they name several, it is contested, and belongs
-- to the one that the most trusted system names, or to none when that does not decide it. A record's value that belongs
-- to another group is disowned: it is not published.
with component as materialized (
    select node, root from ops.components($edges$
        with labelled as materialized (select m.*, coalesce(first.n, m.n) as label
        from {{ ref('product__member') }} as m left join (
            select sku, min(n) as n from {{ ref('product__member') }} group by sku
        ) as first using (sku))
        select l.label as a, least.label as b from labelled as l join (
            select ean, min(label) as label from labelled where ean is not null group by ean
        ) as least using (ean)
    $edges$)
),
labelled as materialized (
    select l.n, coalesce(c.root, l.label) as root, case split_part(l.record, '|', 1) when 'erp' then 1 when 'sap_v4' then 2 when 'sap_idoc' then 3 when 'salesforce' then 4 when 'shop' then 5 else 6 end as rank, l.sku, l.ean
    from (select m.*, coalesce(first.n, m.n) as label
        from {{ ref('product__member') }} as m left join (
            select sku, min(n) as n from {{ ref('product__member') }} group by sku
        ) as first using (sku)) as l left join component as c on c.node = l.label
),
torn_root as materialized (
    select root from labelled group by root having min(sku) <> max(sku) or min(ean) <> max(ean)
),
torn as materialized (
    select l.* from labelled as l join torn_root using (root)
),
sku_group as materialized (
    select distinct sku as value, 'sku:' || sku as name, 1::bigint as claims
    from torn where sku is not null
),
ean_group as materialized (
    select v.value, coalesce(c.name, 'ean:' || v.value) as name, coalesce(c.claims, 0) as claims
    from (select distinct ean as value from torn where ean is not null) as v
    left join (
        select value, count(*) as claims
            , case when count(*) filter (where rank = best) = 1 then min(name) filter (where rank = best) end as name
        from (
            select value, name, min(rank) as rank, min(min(rank)) over (partition by value) as best
            from (
                select t.ean as value, g.name, t.rank from torn as t join sku_group as g on g.value = t.sku
                where t.ean is not null
            ) as said
            group by value, name
        ) as claim
        group by value
    ) as c using (value)
),
mended as (
    select t.n, t.root, own.name
        , array_remove(array[
            case when sku_group.claims > 1 then 'sku' end,
            case when ean_group.claims > 1 then 'ean' end
        ], null) as contested
        , array_remove(array[
            case when sku_group.name <> own.name then 'sku' end,
            case when ean_group.name <> own.name then 'ean' end
        ], null) as disowned
    from torn as t
    left join sku_group on sku_group.value = t.sku
    left join ean_group on ean_group.value = t.ean
    cross join lateral (select coalesce(sku_group.name, ean_group.name) as name) as own
)
select l.n, l.root as unit, false as torn, null::text[] as contested, null::text[] as disowned
from labelled as l where not exists (select from torn_root as t where t.root = l.root)
union all
select n, min(n) over (partition by root, name), true, contested, disowned from mended
