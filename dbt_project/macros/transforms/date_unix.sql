{#- date: the day, on a Warsaw clock, of a moment in seconds since 1970-01-01 00:00 UTC. -#}
{%- macro date_unix(value) -%}
(({{ timestamp_unix(value) }}) at time zone 'Europe/Warsaw')::date
{%- endmacro -%}
