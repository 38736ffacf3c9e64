-- generated from catalog/entities/contact.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['contact']) }}

-- By what each changed, living record can be recognised.
with folded as (
    select m._record collate "C" as record, m._load_id, m.contact_key
    from {{ ref('salesforce__contact') }} as m
    join {{ ref('contact__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted
)
select record, _load_id, contact_key
from folded
