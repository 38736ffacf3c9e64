{#- text: a person's name, or the parts of it in their order, in the usual spelling. -#}
{%- macro person_name(value, last='') -%}
{%- set whole = "concat_ws(' ', " ~ text(value) ~ ", " ~ text(last) ~ ")" if last else text(value) -%}
(select case when whole <> upper(whole) and whole <> lower(whole) then whole else initcap(whole) end
 from (select nullif({{ whole }}, '') as whole offset 0) as person)
{%- endmacro -%}
