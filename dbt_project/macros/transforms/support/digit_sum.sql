{#- The weighted sum of a number's leading digits; `digits` must hold at least as many digits as there are weights. -#}
{%- macro digit_sum(digits, weights) -%}
({% for weight in weights %}{{ weight }} * substr({{ digits }}, {{ loop.index }}, 1)::int{% if not loop.last %} + {% endif %}{% endfor %})
{%- endmacro -%}
