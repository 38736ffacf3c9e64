{#- timestamptz: an ISO 8601 moment (without a zone: UTC; finer than a microsecond: cut) or OData's /Date(milliseconds)/. -#}
{%- macro timestamp_utc(value) -%}
(select case
    when left(moment, 6) = '/Date(' then
        case when moment ~ '^/Date\(-?[0-9]{1,15}([+-][0-9]{4})?\)/$' then
            case when milliseconds::bigint between -62135510400000 and 253402214399999
            then timestamptz '1970-01-01 00:00:00Z' + milliseconds::bigint * interval '1 millisecond' end end
    when moment ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?)?$' then
        case when pg_input_is_valid(iso, 'timestamptz') and {{ within_calendar('iso') }} then iso::timestamptz end end
 from (select moment,
        case when left(moment, 6) = '/Date(' then substring(moment from '-?[0-9]+') end as milliseconds,
        case when left(moment, 6) <> '/Date(' then regexp_replace(replace(moment, ',', '.'), '(\.[0-9]{6})[0-9]+', '\1')
            || case when length(moment) = 10 then ' 00:00Z'
                when translate(substr(moment, 12), 'Zz+-', '') <> substr(moment, 12) then '' else 'Z' end end as iso
       from (select {{ text(value) }} as moment offset 0) as cleaned offset 0) as timestamp_utc)
{%- endmacro -%}
