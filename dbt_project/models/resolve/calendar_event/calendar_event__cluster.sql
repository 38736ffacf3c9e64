-- generated from catalog/entities/calendar_event.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['calendar_event']) }}

-- Which records are one and the same: the strong groups, joined where name and address agree without contradiction.
select m.record, s.unit as cluster
from {{ ref('calendar_event__member') }} as m join {{ ref('calendar_event__strong') }} as s using (n)
