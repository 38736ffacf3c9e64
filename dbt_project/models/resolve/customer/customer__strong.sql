-- generated from catalog/entities/customer.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped') }}

-- Records that share a strong identifier are one, transitively. Where that would give a cluster two values of an
-- identifier, it is torn: identifiers are then authoritative in the catalogue's order, and each value belongs to the
-- one group that its records' more authoritative identifiers name, or to none when they name several (contested).
with component as materialized (
    select node, root from ops.components($edges$
        select n as a, min(n) over (partition by tax_id_pl) as b from {{ ref('customer__member') }} where tax_id_pl is not null
        union all
        select n as a, min(n) over (partition by regon) as b from {{ ref('customer__member') }} where regon is not null
        union all
        select n as a, min(n) over (partition by krs) as b from {{ ref('customer__member') }} where krs is not null
    $edges$)
),
labelled as materialized (
    select m.n, coalesce(c.root, m.n) as root, m.tax_id_pl, m.regon, m.krs
    from {{ ref('customer__member') }} as m left join component as c on c.node = m.n
),
torn_root as materialized (
    select root from labelled group by root having min(tax_id_pl) <> max(tax_id_pl) or min(regon) <> max(regon) or min(krs) <> max(krs)
),
torn as materialized (
    select l.* from labelled as l join torn_root using (root)
),
tax_id_pl_group as materialized (
    select distinct tax_id_pl as value, 'tax_id_pl:' || tax_id_pl as name, 1::bigint as claims
    from torn where tax_id_pl is not null
),
regon_group as materialized (
    select v.value, case when count(c.name) = 1 then min(c.name) else 'regon:' || v.value end as name, count(c.name) as claims
    from (select distinct regon as value from torn where regon is not null) as v
    left join (
        select t.regon as value, g.name from torn as t join tax_id_pl_group as g on g.value = t.tax_id_pl
        where t.regon is not null
    ) as c using (value)
    group by v.value
),
krs_group as materialized (
    select v.value, case when count(c.name) = 1 then min(c.name) else 'krs:' || v.value end as name, count(c.name) as claims
    from (select distinct krs as value from torn where krs is not null) as v
    left join (
        select t.krs as value, g.name from torn as t join tax_id_pl_group as g on g.value = t.tax_id_pl
        where t.krs is not null
        union
        select t.krs as value, g.name from torn as t join regon_group as g on g.value = t.regon
        where t.krs is not null and t.tax_id_pl is null
    ) as c using (value)
    group by v.value
),
mended as (
    select t.n, t.root
        , coalesce(tax_id_pl_group.name, regon_group.name, krs_group.name) as name
        , array_remove(array[
            case when t.tax_id_pl in (select value from tax_id_pl_group where claims > 1) then 'tax_id_pl' end,
            case when t.regon in (select value from regon_group where claims > 1) then 'regon' end,
            case when t.krs in (select value from krs_group where claims > 1) then 'krs' end
        ], null) as contested
    from torn as t
    left join tax_id_pl_group on tax_id_pl_group.value = t.tax_id_pl
    left join regon_group on regon_group.value = t.regon and t.tax_id_pl is null
    left join krs_group on krs_group.value = t.krs and t.tax_id_pl is null and t.regon is null
)
select l.n, l.root as unit, false as torn, null::text[] as contested
from labelled as l where not exists (select from torn_root as t where t.root = l.root)
union all
select n, min(n) over (partition by root, name), true, contested from mended
