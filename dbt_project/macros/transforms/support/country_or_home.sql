{#- The country by whose forms a value is read: the record's; Poland when the record names none; NULL when nobody knows what it
    names, because then the value may be of any country. -#}
{%- macro country_or_home(country) -%}
(case when nullif({{ country }}, '') is null then 'PL' else {{ country_iso2("coalesce(" ~ text(country) ~ ", 'PL')") }} end)
{%- endmacro -%}
