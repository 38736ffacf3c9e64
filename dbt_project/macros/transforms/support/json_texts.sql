{#- What an SQL/JSON path finds in a value that holds JSON as text, as one text in the order found; NULL for nothing. -#}
{%- macro json_texts(value, path, separator='; ') -%}
(select string_agg(distinct_text.found, '{{ separator }}' order by distinct_text.place) from (
    select found, min(place) as place from jsonb_path_query(
        case when pg_input_is_valid({{ value }}, 'jsonb') then ({{ value }})::jsonb end, '{{ path }}') with ordinality as f (j, place)
    cross join lateral (select {{ text("j #>> '{}'") }} as found) as t where found is not null group by found) as distinct_text)
{%- endmacro -%}
