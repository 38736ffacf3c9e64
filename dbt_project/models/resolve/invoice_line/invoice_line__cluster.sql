-- generated from catalog/entities/invoice_line.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['invoice_line']) }}

-- Which records are one and the same: the strong groups, joined where name and address agree without contradiction.
select m.record, s.unit as cluster
from {{ ref('invoice_line__member') }} as m join {{ ref('invoice_line__strong') }} as s using (n)
