{#- text: a legal form as a register writes it out, in its uniform spelling (Sp. z o.o., S.A., …); one without a customary
    abbreviation (Fundacja) in the usual spelling. -#}
{%- macro legal_form_name(value) -%}
coalesce({{ legal_form_of(value) }}, {{ titled(text(value)) }})
{%- endmacro -%}
