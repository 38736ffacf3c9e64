{% macro probabilistic_matches(entity, strong) -%}
{#- Groups of records that have name and address in common. A key whose groups contradict each other joins none of them. -#}
with member as materialized (
    select m.*, s.unit from {{ ref(entity ~ '__member') }} as m join {{ ref(entity ~ '__strong') }} as s using (n)
),
holds as (
    select unit, cautious_key as key from member where cautious_key is not null
    union
    -- A cut name stands for the one full name that it begins; when it begins several, for none.
    select cut_name.unit, min(full_name.cautious_key)
    from member as cut_name
    join member as full_name on full_name.cut_key = cut_name.cut_key and not full_name.cut
        and starts_with(full_name.name_key, cut_name.name_key)
    where cut_name.cut
    group by cut_name.unit, cut_name.cautious_key
    having count(distinct full_name.cautious_key) = 1
),
shared as materialized (
    select unit, key from (select unit, key, count(*) over (partition by key) as units from holds) as counted
    where units > 1
),
bounds as (
    select m.unit
{%- for identifier in strong %}
        , min(m.{{ identifier }}) as {{ identifier }}_min, max(m.{{ identifier }}) as {{ identifier }}_max
{%- endfor %}
    from member as m where m.unit in (select unit from shared) group by m.unit
),
clear as (
    select key, min(unit) as hub from shared join bounds using (unit)
    group by key
    having {% for identifier in strong %}min({{ identifier }}_min) is not distinct from max({{ identifier }}_max){{ '' if loop.last else ' and ' }}{% endfor %}
)
select distinct unit, hub from shared join clear using (key) where unit <> hub
{%- endmacro %}
