{#- date: yyyy-MM-dd; a day that does not exist is not understood. -#}
{%- macro date_iso(value) -%}
(select case when day ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' then case when pg_input_is_valid(day, 'date') then day::date end end
 from (select {{ text(value) }} as day offset 0) as date_iso)
{%- endmacro -%}
