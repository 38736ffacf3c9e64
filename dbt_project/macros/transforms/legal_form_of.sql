{#- text: a company's legal form in its uniform spelling (Sp. z o.o., S.A., Sp. k., …), from its name for the form or from a
    company name that ends with one. -#}
{%- macro legal_form_of(value) -%}
(select nullif(btrim(coalesce({{ legal_form_spelled('form') }}, {{ legal_form("string_to_array(form, ' ')") }})), '')
 from (select {{ text(value) }} as form offset 0) as legal_form_of)
{%- endmacro -%}
