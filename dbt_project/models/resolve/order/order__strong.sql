-- generated from catalog/entities/order.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['order']) }}

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
    select l.n, coalesce(c.root, l.label) as root, case split_part(l.record, '|', 1) when 'salesforce' then 1 when 'sap' then 2 when 'erp' then 3 when 'shop' then 4 else 5 end as rank, l.order_number
    from (select m.*, coalesce(first.n, m.n) as label
        from {{ ref('order__member') }} as m left join (
            select order_number, min(n) as n from {{ ref('order__member') }} group by order_number
        ) as first using (order_number)) as l left join component as c on c.node = l.label
),
torn_root as materialized (
    select root from labelled group by root having min(order_number) <> max(order_number)
),
torn as materialized (
    select l.* from labelled as l join torn_root using (root)
),
order_number_group as materialized (
    select distinct order_number as value, 'order_number:' || order_number as name, 1::bigint as claims
    from torn where order_number is not null
),
mended as (
    select t.n, t.root, own.name
        , array_remove(array[
            case when order_number_group.claims > 1 then 'order_number' end
        ], null) as contested
        , array_remove(array[
            case when order_number_group.name <> own.name then 'order_number' end
        ], null) as disowned
    from torn as t
    left join order_number_group on order_number_group.value = t.order_number
    cross join lateral (select coalesce(order_number_group.name) as name) as own
)
select l.n, l.root as unit, false as torn, null::text[] as contested, null::text[] as disowned
from labelled as l where not exists (select from torn_root as t where t.root = l.root)
union all
select n, min(n) over (partition by root, name), true, contested, disowned from mended
