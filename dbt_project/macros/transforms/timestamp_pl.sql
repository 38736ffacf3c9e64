{#- timestamptz: dd.MM.yyyy, with or without HH:mm:ss, on a Warsaw clock. -#}
{%- macro timestamp_pl(value) -%}
(select case when moment ~ '^[0-9]{2}\.[0-9]{2}\.[0-9]{4}( [0-9]{2}:[0-9]{2}:[0-9]{2})?$' then
    case when pg_input_is_valid(iso, 'timestamp') and {{ within_calendar('iso') }} then iso::timestamp at time zone 'Europe/Warsaw' end end
 from (select moment, substr(moment, 7, 4) || '-' || substr(moment, 4, 2) || '-' || left(moment, 2) || substr(moment, 11) as iso
       from (select {{ text(value) }} as moment offset 0) as cleaned offset 0) as timestamp_pl)
{%- endmacro -%}
