{#- text: a Polish postal code, 00-950. -#}
{%- macro postal_code_pl(value) -%}
(select case when digits ~ '^[0-9]{5}$' then left(digits, 2) || '-' || right(digits, 3) end
 from (select regexp_replace({{ value }}, '^\s*PL-|[\s\u2010-\u2015-]', '', 'g') as digits offset 0) as postal_code)
{%- endmacro -%}
