-- generated from catalog/entities/invoice.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['invoice']) }}

-- Records that share a strong identifier are one, transitively. Where that would give a cluster two values of an
-- identifier, it is torn: identifiers are then authoritative in the catalogue's order, and each value belongs to the
-- one group that its records' more authoritative identifiers name. When they name several, it is contested, and belongs
-- to the one that the most trusted system names, or to none when that does not decide it. A record's value that belongs
-- to another group is disowned: it is not published.
with component as materialized (
    select node, root from ops.components($edges$
        with labelled as materialized (select m.*, coalesce(first.n, m.n) as label
        from {{ ref('invoice__member') }} as m left join (
            select invoice_number, min(n) as n from {{ ref('invoice__member') }} group by invoice_number
        ) as first using (invoice_number))
        select l.label as a, least.label as b from labelled as l join (
            select ksef_number, min(label) as label from labelled where ksef_number is not null group by ksef_number
        ) as least using (ksef_number)
    $edges$)
),
labelled as materialized (
    select l.n, coalesce(c.root, l.label) as root, case split_part(l.record, '|', 1) when 'ksef' then 1 when 'erp' then 2 when 'accounting' then 3 else 4 end as rank, l.invoice_number, l.ksef_number
    from (select m.*, coalesce(first.n, m.n) as label
        from {{ ref('invoice__member') }} as m left join (
            select invoice_number, min(n) as n from {{ ref('invoice__member') }} group by invoice_number
        ) as first using (invoice_number)) as l left join component as c on c.node = l.label
),
torn_root as materialized (
    select root from labelled group by root having min(invoice_number) <> max(invoice_number) or min(ksef_number) <> max(ksef_number)
),
torn as materialized (
    select l.* from labelled as l join torn_root using (root)
),
invoice_number_group as materialized (
    select distinct invoice_number as value, 'invoice_number:' || invoice_number as name, 1::bigint as claims
    from torn where invoice_number is not null
),
ksef_number_group as materialized (
    select v.value, coalesce(c.name, 'ksef_number:' || v.value) as name, coalesce(c.claims, 0) as claims
    from (select distinct ksef_number as value from torn where ksef_number is not null) as v
    left join (
        select value, count(*) as claims
            , case when count(*) filter (where rank = best) = 1 then min(name) filter (where rank = best) end as name
        from (
            select value, name, min(rank) as rank, min(min(rank)) over (partition by value) as best
            from (
                select t.ksef_number as value, g.name, t.rank from torn as t join invoice_number_group as g on g.value = t.invoice_number
                where t.ksef_number is not null
            ) as said
            group by value, name
        ) as claim
        group by value
    ) as c using (value)
),
mended as (
    select t.n, t.root, own.name
        , array_remove(array[
            case when invoice_number_group.claims > 1 then 'invoice_number' end,
            case when ksef_number_group.claims > 1 then 'ksef_number' end
        ], null) as contested
        , array_remove(array[
            case when invoice_number_group.name <> own.name then 'invoice_number' end,
            case when ksef_number_group.name <> own.name then 'ksef_number' end
        ], null) as disowned
    from torn as t
    left join invoice_number_group on invoice_number_group.value = t.invoice_number
    left join ksef_number_group on ksef_number_group.value = t.ksef_number
    cross join lateral (select coalesce(invoice_number_group.name, ksef_number_group.name) as name) as own
)
select l.n, l.root as unit, false as torn, null::text[] as contested, null::text[] as disowned
from labelled as l where not exists (select from torn_root as t where t.root = l.root)
union all
select n, min(n) over (partition by root, name), true, contested, disowned from mended
