-- generated from catalog/entities/beneficial_owner.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['beneficial_owner']) }}

-- The records that came or went with this publish's loads.
{%- set taken_in = 'true' if 'beneficial_owner' in var('full_mapping') else
    '_load_id in (select load_id from ops.publish_load where publish_id = ' ~ var('publish_id') ~ ')' %}

select _record collate "C" as record from {{ ref('crbr__beneficial_owner') }} where {{ taken_in }}
union
-- A load that was rolled back: its records are gone from the mapped models, or back to an earlier load.
select record from mapped.beneficial_owner__identifier where {{ taken_in }}
{%- if 'beneficial_owner' not in var('full_mapping') %}
union
-- What it had deleted is there again, by an earlier load; the identifiers hold nothing of what was gone.
select (aside.system || '|' || aside.stream || '|' || aside._key) collate "C"
from ops.publish_load as taken
join ops.load as load on load.load_id = taken.load_id
join staging.aside as aside on (aside.system, aside.stream, aside._load_id) = (load.system, load.stream, load.load_id)
where taken.publish_id = {{ var('publish_id') }} and taken.undone and aside._deleted
    and load.system || '.' || load.stream in ('crbr.beneficiary')
{%- endif %}
