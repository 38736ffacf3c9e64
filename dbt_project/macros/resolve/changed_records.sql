{% macro changed_records(entity, systems, streams) -%}
{#- The records of an entity that came or went with this publish's loads. The systems each have a mapped model of it; the
    streams, as 'system.stream', are those that these are made of. -#}
{%- set whole = resolves_all(entity) -%}
{%- set taken_in = 'true' if whole else
    '_load_id in (select load_id from ops.publish_load where publish_id = ' ~ var('publish_id') ~ ')' -%}
{% for system in systems -%}
select _record collate "C" as record from {{ ref(system ~ '__' ~ entity) }} where {{ taken_in }}
union
{% endfor -%}
{%- if not whole %}
{%- for stream in streams if (entity ~ ':' ~ stream) in var('full_mapping') %}
-- Its mapping is another one: every record of it was mapped again.
select _record collate "C" from {{ ref(stream.split('.')[0] ~ '__' ~ entity) }} where _stream = '{{ stream.split('.')[1] }}'
union
{%- endfor %}
{%- endif %}
-- A load that was rolled back: its records are gone from the mapped models, or back to an earlier load.
select record from {{ known_identifiers(entity) }} where {{ taken_in }}
union
-- What is held back is judged again each time, although its load was taken in before.
select unnest(records) collate "C" from ops.held_back where entity = '{{ entity }}'
{%- if not whole %}
union
-- What it had deleted is there again, by an earlier load; the identifiers hold nothing of what was gone.
select (superseded.system || '|' || superseded.stream || '|' || superseded._key) collate "C"
from ops.publish_load as taken
join ops.load as load on load.load_id = taken.load_id
join staging.superseded as superseded on (superseded.system, superseded.stream, superseded._load_id) = (load.system, load.stream, load.load_id)
where taken.publish_id = {{ var('publish_id') }} and taken.undone and superseded._deleted
    and load.system || '.' || load.stream in ('{{ streams | join("', '") }}')
{%- endif %}
{%- endmacro %}
