{#- date: the day, on a UTC clock, of a moment in seconds since 1970-01-01 00:00 UTC. -#}
{%- macro date_unix_utc(value) -%}
(({{ timestamp_unix(value) }}) at time zone 'UTC')::date
{%- endmacro -%}
