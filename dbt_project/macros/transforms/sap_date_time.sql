{#- timestamptz: SAP's date (/Date(ms)/ or ISO) and its time of day (PT13H45M30S or 13:45:30), which are two fields, UTC. -#}
{%- macro sap_date_time(date, time) -%}
(select case when clock is null then day when clock ~ '^([01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9]$' then day + clock::interval end
 from (select date_trunc('day', {{ timestamp_utc(date) }}, 'UTC') as day,
        regexp_replace({{ text(time) }}, '^PT([0-9]{1,2})H([0-9]{1,2})M([0-9]{1,2})S$', '\1:\2:\3') as clock
       offset 0) as sap_date_time)
{%- endmacro -%}
