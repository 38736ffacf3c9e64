{#- timestamptz: seconds since 1970-01-01 00:00 UTC. -#}
{%- macro timestamp_unix(value) -%}
(select case when seconds ~ '^-?[0-9]{1,11}(\.[0-9]{1,9})?$' then
    case when seconds::numeric between -62135510400 and 253402214399 then to_timestamp(seconds::numeric::float8) end end
 from (select {{ text(value) }} as seconds offset 0) as timestamp_unix)
{%- endmacro -%}
