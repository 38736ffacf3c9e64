{#- The records of a stream that this run maps: all of them on a full build, else those whose versions came or went with
    the publish's loads. A record whose last version was rolled back comes as deleted, so that the mapped row is not left
    behind. On a full build the newest versions are found by their keys alone, for the view would sort the payloads; else
    the keys go to the view as an array, because PostgreSQL pushes that below the view's DISTINCT ON (a join it would
    not): the cost follows what changed. `|| '{}'` unpacks a payload once; every field would unpack it again. -#}
{%- macro records_to_map(entity, system, stream) -%}
{%- set versions = source('staging', system ~ '__' ~ stream) -%}
{%- set current = source('staging', system ~ '__' ~ stream ~ '__current') -%}
{%- set publish_load = source('ops', 'publish_load') -%}
{%- set whole = entity in var('full_mapping') or (entity ~ ':' ~ system ~ '.' ~ stream) in var('full_mapping') -%}
{%- if not is_incremental() or whole -%}
select _key, _payload || '{}' as _payload, _withheld, _deleted, _load_id, _extracted_at from {{ versions }} as version
where not exists (
    select from {{ versions }} as newer where newer._key = version._key and newer._load_id > version._load_id)
{%- if is_incremental() %}
union all
select _key, null, null, true, (select coalesce(max(load_id), 0) from {{ publish_load }} where publish_id = {{ var('publish_id') }}), now()
from {{ this }} as mapped
where _system = '{{ system }}' and _stream = '{{ stream }}'
    and not exists (select from {{ versions }} as version where version._key = mapped._key)
{%- endif %}
offset 0
{%- else -%}
with taken_in as materialized (
    select load_id from {{ publish_load }} where publish_id = {{ var('publish_id') }}
),
changed as materialized (
    select _key from {{ versions }} where _load_id = any (array(select load_id from taken_in))
    union
    select _key from {{ this }} where _system = '{{ system }}' and _stream = '{{ stream }}'
        and _load_id = any (array(select load_id from taken_in))
),
newest as (
    select _key, _payload || '{}' as _payload, _withheld, _deleted, _load_id, _extracted_at
    from {{ current }} where _key = any (array(select _key from changed)) offset 0
)
select
    changed._key,
    newest._payload,
    newest._withheld,
    coalesce(newest._deleted, true) as _deleted,
    coalesce(newest._load_id, (select max(load_id) from taken_in), 0) as _load_id,
    coalesce(newest._extracted_at, now()) as _extracted_at
from changed
left join newest on newest._key = changed._key
{%- endif -%}
{%- endmacro -%}
