{#- date: yyyyMMdd as SAP's documents (IDoc) write it, or OData v2's /Date(milliseconds)/ as a day in UTC. 00000000 means none
    and is not understood: name it under null_values. -#}
{%- macro date_sap(value) -%}
(select case when left(day, 6) = '/Date(' then (({{ timestamp_utc('day') }}) at time zone 'UTC')::date
    when day ~ '^[0-9]{8}$' then
        case when pg_input_is_valid(iso, 'date') and left(day, 4) <> '0000' then iso::date end end
 from (select day, left(day, 4) || '-' || substr(day, 5, 2) || '-' || substr(day, 7, 2) as iso
       from (select {{ text(value) }} as day offset 0) as cleaned offset 0) as date_sap)
{%- endmacro -%}
