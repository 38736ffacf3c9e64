{#- date: the day, on a Warsaw clock, of a moment as timestamp_utc reads it; a text without a time is the day itself. -#}
{%- macro date_of_moment(value) -%}
(select case when length(moment) = 10 then {{ date_iso('moment') }}
    else (({{ timestamp_utc('moment') }}) at time zone 'Europe/Warsaw')::date end
 from (select {{ text(value) }} as moment offset 0) as day)
{%- endmacro -%}
