{#- numeric: a number as Poles write it ('5000,00', '12 000.50', '1.234,50'). '5.000' may be five or five thousand, so it is
    not understood; nor is '5,000'. -#}
{%- macro decimal_comma(value) -%}
(select case
    when digits ~ '^[+-]?[0-9]{1,30}([.,]([0-9]{1,2}|[0-9]{4,30}))?$' then replace(digits, ',', '.')::numeric
    when digits ~ '^[+-]?[0-9]{4,30}[.,][0-9]{3}$' then replace(digits, ',', '.')::numeric
    when digits ~ '^[+-]?[0-9]{1,3}(\.[0-9]{3}){1,9},[0-9]{1,30}$' then replace(replace(digits, '.', ''), ',', '.')::numeric
    when digits ~ '^[+-]?[0-9]{1,3}(,[0-9]{3}){1,9}\.[0-9]{1,30}$' then replace(digits, ',', '')::numeric end
 from (select regexp_replace({{ value }}, '\s', '', 'g') as digits offset 0) as number)
{%- endmacro -%}
