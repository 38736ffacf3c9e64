{#- numeric: the sum of the amounts at an SQL/JSON path of a JSON text; 0 where there is none, NULL where one is no number or the
    text is no JSON. -#}
{%- macro amounts_in(value, path) -%}
(select case when count(*) = count(number) then coalesce(sum(number), 0) end
 from (select {{ numeric("amount #>> '{}'") }} as number
       from jsonb_path_query(case when pg_input_is_valid({{ value }}, 'jsonb') then ({{ value }})::jsonb
            when {{ text(value) }} is not null then '[{}, "not JSON"]' end, '{{ path }}') as amount) as amounts)
{%- endmacro -%}
