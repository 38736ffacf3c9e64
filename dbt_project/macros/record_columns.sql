{#- What every mapped model has before the entity's attributes: which record it is, and by which load and mapping. -#}
{%- macro record_columns(system, stream, mapping_version) -%}
'{{ system }}|{{ stream }}|' || _key as _record,
    '{{ system }}'::text as _system,
    '{{ stream }}'::text as _stream,
    _key,
    _load_id,
    _deleted,
    _extracted_at,
    {{ mapping_version }}::int as _mapping_version
{%- endmacro -%}
