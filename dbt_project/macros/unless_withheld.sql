{#- An attribute's value, or NULL where the gate has withheld it (staging's _withheld names it; NULL withholds nothing). -#}
{%- macro unless_withheld(attribute, value) -%}
case when jsonb_exists(_withheld, '{{ attribute }}') then null else {{ value }} end
{%- endmacro -%}
