{#- Whether a number is one of another country than Poland: it begins with that one's letters (DE811569869), or its record is
    in another country. -#}
{%- macro of_another_country(value, country) -%}
(coalesce(upper({{ value }}) ~ '^ *(?!PL|NIP)[A-Z]{2,3}[-. ]?[0-9A-Z+*]*[0-9]', false) or coalesce({{ country_iso2(country) }}, 'PL') <> 'PL')
{%- endmacro -%}
