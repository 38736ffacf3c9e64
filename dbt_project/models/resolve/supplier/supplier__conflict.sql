-- generated from catalog/entities/supplier.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['supplier']) }}

-- Where strong identifiers contradict each other: see ops.identity_conflict.
with torn as materialized (
    select m.*, s.unit, s.contested
    from {{ ref('supplier__strong') }} as s join {{ ref('supplier__member') }} as m using (n)
    where s.torn
)
select 'tax_id_pl' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'tax_id_pl' = any (contested) group by tax_id_pl
union all
select 'tax_id_pl', 'plural', array_agg(record order by record)
from torn where tax_id_pl is not null group by unit having min(tax_id_pl) <> max(tax_id_pl)
union all
select 'regon' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'regon' = any (contested) group by regon
union all
select 'regon', 'plural', array_agg(record order by record)
from torn where regon is not null group by unit having min(regon) <> max(regon)
