{% macro probabilistic_matches(entity, strong) -%}
{#- Groups of records that have name and address in common. A key whose groups contradict each other joins none of them. -#}
with member as materialized (
    select m.*, s.group_id from {{ ref(entity ~ '__member') }} as m join {{ ref(entity ~ '__strong') }} as s using (n)
),
group_key as (
    select group_id, probabilistic_key as key from member where probabilistic_key is not null
    union
    -- A truncated name stands for the one full name that it begins; when it begins several, for none.
    select truncated.group_id, min(full_name.probabilistic_key)
    from member as truncated
    join member as full_name on full_name.name_prefix_key = truncated.name_prefix_key and not full_name.name_truncated
        and starts_with(full_name.name_key, truncated.name_key)
    where truncated.name_truncated
    group by truncated.group_id, truncated.probabilistic_key
    having count(distinct full_name.probabilistic_key) = 1
),
shared as materialized (
    select group_id, key from (select group_id, key, count(*) over (partition by key) as groups from group_key) as counted
    where groups > 1
),
bounds as (
    select m.group_id
{%- for identifier in strong %}
        , min(m.{{ identifier }}) as {{ identifier }}_min, max(m.{{ identifier }}) as {{ identifier }}_max
{%- endfor %}
    from member as m where m.group_id in (select group_id from shared) group by m.group_id
),
consistent as (
    select key, min(group_id) as hub from shared join bounds using (group_id)
    group by key
    having {% for identifier in strong %}min({{ identifier }}_min) is not distinct from max({{ identifier }}_max){{ '' if loop.last else ' and ' }}{% endfor %}
)
select distinct group_id, hub from shared join consistent using (key) where group_id <> hub
{%- endmacro %}
