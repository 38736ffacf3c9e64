{#- The sum of amounts in PLN. NULL where one of them has no rate (yet): a sum without it would be a wrong number. -#}
{%- macro sum_in_pln(amount, rate) -%}
case when count({{ amount }}) = count({{ amount }} * {{ rate }}) then sum(round({{ amount }} * {{ rate }}, 2)) end
{%- endmacro -%}
