-- generated from catalog/entities/company.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['company']) }}

-- Where strong identifiers contradict each other: see ops.identity_conflict.
with torn as materialized (
    select m.*, s.unit, s.contested
    from {{ ref('company__strong') }} as s join {{ ref('company__member') }} as m using (n)
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
union all
select 'krs' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'krs' = any (contested) group by krs
union all
select 'krs', 'plural', array_agg(record order by record)
from torn where krs is not null group by unit having min(krs) <> max(krs)
union all
select 'eu_vat' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'eu_vat' = any (contested) group by eu_vat
union all
select 'eu_vat', 'plural', array_agg(record order by record)
from torn where eu_vat is not null group by unit having min(eu_vat) <> max(eu_vat)
