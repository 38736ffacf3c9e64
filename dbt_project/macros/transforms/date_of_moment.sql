{#- date: the day, on a Warsaw clock, of a moment as timestamp_utc reads it; a text without a time is the day itself,
    also one with a zone (xsd:date). -#}
{%- macro date_of_moment(value) -%}
(select case when length(moment) = 10 or moment ~ '^[0-9-]{10}(Z|[+-][0-9]{2}:[0-9]{2})$' then {{ date_iso('left(moment, 10)') }}
    else (({{ timestamp_utc('moment') }}) at time zone 'Europe/Warsaw')::date end
 from (select {{ text(value) }} as moment offset 0) as day)
{%- endmacro -%}
