{#- numeric: an amount in hundredths, also with decimals of them ('123.45' is 1.2345). -#}
{%- macro cents(value) -%}
trim_scale({{ numeric(value) }} / 100)
{%- endmacro -%}
