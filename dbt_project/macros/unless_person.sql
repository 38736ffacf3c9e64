{#- A value that is said of a company, where the company is no natural person or the reader may read what is said of one
    (conformed.is_natural_person, conformed.may_read_people). Marts read the unmasked views, so that their figures are the same
    for everybody, and mask what they show by this. -#}
{%- macro unless_person(value, name, court_number="null") -%}
case when (select conformed.may_read_people()) or not conformed.is_natural_person({{ name }}, {{ court_number }}) then {{ value }} end
{%- endmacro -%}
