{#- date: the day, on a UTC clock, of a moment as timestamp_utc reads it. -#}
{%- macro date_utc(value) -%}
(({{ timestamp_utc(value) }}) at time zone 'UTC')::date
{%- endmacro -%}
