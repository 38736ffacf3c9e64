-- generated from catalog/entities/exchange_rate.yaml; do not edit (bin/onefold generate)
{{ config(materialized='table', unlogged=true, schema='mapped', tags=['exchange_rate']) }}

-- The records that came or went with this publish's loads.
{%- set taken_in = 'true' if 'exchange_rate' in var('full_mapping') else
    '_load_id in (select load_id from ops.publish_load where publish_id = ' ~ var('publish_id') ~ ')' %}

select _record collate "C" as record from {{ ref('nbp__exchange_rate') }} where {{ taken_in }}
union
-- A load that was rolled back: its records are gone from the mapped models, or back to an earlier load.
select record from mapped.exchange_rate__identifier where {{ taken_in }}
