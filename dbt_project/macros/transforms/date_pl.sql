{#- date: dd.MM.yyyy; a day that does not exist is not understood. -#}
{%- macro date_pl(value) -%}
(select {{ date_iso("case when length(day) = 10 and substr(day, 3, 1) = '.' and substr(day, 6, 1) = '.'
    then substr(day, 7) || '-' || substr(day, 4, 2) || '-' || left(day, 2) else day end") }}
 from (select {{ text(value) }} as day offset 0) as date_pl)
{%- endmacro -%}
