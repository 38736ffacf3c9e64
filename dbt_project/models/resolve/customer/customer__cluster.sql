-- generated from catalog/entities/customer.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['customer']) }}

-- Which records are one and the same: the strong groups, joined where name and address agree without contradiction.
with component as materialized (
    select node, root from ops.components($edges$
        select unit as a, hub as b from {{ ref('customer__cautious') }}
    $edges$)
),
joined as materialized (
    select m.record, s.unit, c.root, m.tax_id_pl, m.regon, m.krs
    from {{ ref('customer__member') }} as m
    join {{ ref('customer__strong') }} as s using (n)
    left join component as c on c.node = s.unit
),
torn as materialized (
    select root from joined where root is not null
    group by root having min(tax_id_pl) <> max(tax_id_pl) or min(regon) <> max(regon) or min(krs) <> max(krs)
)
select record, case when root is null or root in (select root from torn) then unit else root end as cluster
from joined
