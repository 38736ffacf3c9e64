{% macro candidate_identifiers(entity, systems, streams, strong, composites={}, probabilistic=none) -%}
{#- By what each changed, living record can be recognised. `composites` are the identifiers among `strong` that are made of
    several columns: a record has one when it has all of these. What was mapped from a stream that is no longer among `streams`
    counts no more. `probabilistic` names the attribute with the name and those with
    the address: {'name': 'legal_name', 'address': ['postal_code', 'street']}. -#}
with keyed as (
{%- for system in systems %}
    select m._record collate "C" as record, m._load_id
{%- for identifier in strong %}
{%- if identifier in composites %}
        , case when num_nulls(m.{{ composites[identifier] | join(', m.') }}) = 0
            then {{ short_key('json_build_array(m.' ~ composites[identifier] | join(', m.') ~ ')::text') }} end as {{ identifier }}
{%- else %}
        , {{ short_key('m.' ~ identifier) }} as {{ identifier }}
{%- endif %}
{%- endfor %}
{%- if probabilistic %}
        , {{ name_key('m.' ~ probabilistic.name) }} as name_key
        , {{ name_is_truncated('m.' ~ probabilistic.name) }} as name_truncated
        , {% for part in probabilistic.address %}nullif({{ address_key('m.' ~ part) }}, ''){{ '' if loop.last else ' || ' }}{% endfor %} as address_key
{%- endif %}
    from {{ ref(system ~ '__' ~ entity) }} as m
    join {{ ref(entity ~ '__changed') }} as c on c.record = m._record collate "C"
    where not m._deleted and m._system || '.' || m._stream in ('{{ streams | join("', '") }}')
{%- if not loop.last %}
    union all
{%- endif %}
{%- endfor %}
)
select record, _load_id, {{ strong | join(', ') }}
{%- if probabilistic %}
    , name_key, name_truncated
    , case when {{ tells_apart('name_key') }} then {{ short_key("(name_key || '|' || address_key)") }} end as probabilistic_key
    -- Where a name may have been truncated, its first letters must agree before it is compared at all.
    , case when length(name_key) >= 24 then {{ short_key("(left(name_key, 24) || '|' || address_key)") }} end as name_prefix_key
{%- endif %}
from keyed
{%- endmacro %}
