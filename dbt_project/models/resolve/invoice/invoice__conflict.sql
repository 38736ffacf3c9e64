-- generated from catalog/entities/invoice.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['invoice']) }}

-- Where strong identifiers contradict each other: see ops.identity_conflict.
with torn as materialized (
    select m.*, s.unit, s.contested
    from {{ ref('invoice__strong') }} as s join {{ ref('invoice__member') }} as m using (n)
    where s.torn
)
select 'invoice_number' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'invoice_number' = any (contested) group by invoice_number
union all
select 'invoice_number', 'plural', array_agg(record order by record)
from torn where invoice_number is not null group by unit having min(invoice_number) <> max(invoice_number)
union all
select 'ksef_number' as identifier, 'contested' as reason, array_agg(record order by record) as records
from torn where 'ksef_number' = any (contested) group by ksef_number
union all
select 'ksef_number', 'plural', array_agg(record order by record)
from torn where ksef_number is not null group by unit having min(ksef_number) <> max(ksef_number)
