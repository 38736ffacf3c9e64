{% macro touched_members(entity, strong, probabilistic=false) -%}
{#- The living records of every cluster that a changed record touches, with a number each to calculate with. -#}
{%- set identifiers = strong + (['probabilistic_key', 'name_prefix_key'] if probabilistic else []) -%}
{%- set columns = ['record', '_load_id'] + identifiers + (['name_key', 'name_truncated'] if probabilistic else []) -%}
with touched as materialized (
    {% if resolves_all(entity) -%}
    select record from {{ ref(entity ~ '__changed') }}
    {%- else -%}
    select record collate "C" as record from ops.touched(
        '{{ ref(entity ~ '__changed') }}', '{{ ref(entity ~ '__candidate_identifier') }}', '{{ known_identifiers(entity) }}',
        array['{{ identifiers | join("', '") }}']) as record
    {%- endif %}
),
member as (
    select {{ columns | join(', ') }} from {{ ref(entity ~ '__candidate_identifier') }}
    union all
    select {{ columns | join(', ') }} from {{ known_identifiers(entity) }} as i
    where i.record in (select record from touched)
        and not exists (select from {{ ref(entity ~ '__changed') }} as c where c.record = i.record)
)
select row_number() over () as n, * from member
{%- endmacro %}
