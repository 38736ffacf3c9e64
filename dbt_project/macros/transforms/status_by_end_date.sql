{#- text: 'inactive' when the day on which business ended (ISO) is given, 'active' when it is empty. -#}
{%- macro status_by_end_date(value) -%}
(case when {{ text(value) }} is null then 'active' when {{ date_iso(value) }} is not null then 'inactive' end)
{%- endmacro -%}
