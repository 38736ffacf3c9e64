{#- text: a company's legal form in its uniform spelling (Sp. z o.o., S.A., Sp. k., …), from its name for the form or from a
    company name that ends with one. -#}
{%- macro legal_form_of(value) -%}
(select btrim(coalesce({{ legal_form_spelled('form') }}, {{ legal_form_spelled('ending') }}))
 from (select form, {{ legal_form('words') }} as ending
       from (select form, string_to_array(form, ' ') as words from (select {{ text(value) }} as form offset 0) as cleaned offset 0)
           as split offset 0) as legal_form_of)
{%- endmacro -%}
