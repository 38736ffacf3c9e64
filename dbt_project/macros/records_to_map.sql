{#- The records of a stream that this run maps: all of them on a full build, else those whose versions came or went with
    the publish's loads. A record whose last version was rolled back comes as deleted, so that the mapped row is not left
    behind. The keys go to the view as an array, because PostgreSQL pushes that below the view's DISTINCT ON (a join it
    would not): the cost follows what changed. -#}
{%- macro records_to_map(system, stream) -%}
{%- set versions = source('staging', system ~ '__' ~ stream) -%}
{%- set current = source('staging', system ~ '__' ~ stream ~ '__current') -%}
{%- set publish_load = source('ops', 'publish_load') -%}
{%- if not is_incremental() -%}
select _key, _payload, _deleted, _load_id, _extracted_at from {{ current }}
{%- else -%}
{%- set of_publish = "_load_id = any (array(select load_id from taken_in))" if not var('full_mapping') else "true" -%}
with taken_in as materialized (
    select load_id from {{ publish_load }} where publish_id = {{ var('publish_id') }}
),
changed as materialized (
    select _key from {{ versions }} where {{ of_publish }}
    union
    select _key from {{ this }} where _system = '{{ system }}' and _stream = '{{ stream }}' and {{ of_publish }}
),
newest as (
    select * from {{ current }} where _key = any (array(select _key from changed))
)
select
    changed._key,
    newest._payload,
    coalesce(newest._deleted, true) as _deleted,
    coalesce(newest._load_id, (select max(load_id) from taken_in), 0) as _load_id,
    coalesce(newest._extracted_at, now()) as _extracted_at
from changed
left join newest on newest._key = changed._key
{%- endif -%}
{%- endmacro -%}
