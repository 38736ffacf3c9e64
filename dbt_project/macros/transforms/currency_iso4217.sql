{#- text: a currency's three letters; the customary 'zł' is PLN. -#}
{%- macro currency_iso4217(value) -%}
(select case when code ~ '^[A-Z]{3}$' then code when code in ('ZŁ', 'ZL') then 'PLN' end
 from (select upper({{ text(value) }}) as code offset 0) as currency)
{%- endmacro -%}
