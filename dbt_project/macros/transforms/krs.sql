{#- text: a number in the Polish court register, ten digits; leading zeros that a spreadsheet ate are restored. Numbers given
    so far begin with 000, so a nine-digit REGON in the wrong field is not taken for one. -#}
{%- macro krs(value) -%}
(select case when digits ~ '^000[0-9]{7}$' and digits <> '0000000000' then digits end
 from (select case when digits ~ '^[0-9]{1,10}$' then lpad(digits, 10, '0') end as digits
       from (select regexp_replace(upper({{ value }}), '^\s*KRS:?|[\s./-]', '', 'g') as digits offset 0) as cleaned
       offset 0) as krs)
{%- endmacro -%}
