-- generated from catalog/entities/contact.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['contact']) }}

-- Which records are one and the same: the strong groups, joined where name and address agree without contradiction.
select m.record, s.unit as cluster
from {{ ref('contact__member') }} as m join {{ ref('contact__strong') }} as s using (n)
