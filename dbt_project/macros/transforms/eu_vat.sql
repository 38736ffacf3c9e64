{#- text: a VAT number of the European Union, with its country's prefix. A Polish one (also without PL) must be a valid NIP;
    of others the prefix and the shape are checked, Greece's is EL. -#}
{%- macro eu_vat(value) -%}
(select case when left(number, 2) = 'PL' or number ~ '^[0-9]+$' then 'PL' || {{ nip('number') }}
    when number ~ '^(AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PT|RO|SE|SI|SK|XI)[0-9A-Z+*]{2,12}$'
    then number end
 from (select {{ compacted(value) }} as number offset 0) as eu_vat)
{%- endmacro -%}
