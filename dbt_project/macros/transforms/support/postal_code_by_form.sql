{#- A code without separators as the country writes it; NULL when it has none of the country's forms. `prefixes`: whether a prefix
    that belongs to the code (LV-1073) may be missing. -#}
{%- macro postal_code_by_form(code, country, prefixes) -%}
(select form.prefix || left(bare, greatest(form.cut - length(form.prefix), 0)) || form.separator
    || substr(bare, greatest(form.cut - length(form.prefix), 0) + 1)
 from (select {{ code }} as bare offset 0) as coded
 join ops.postal_code_form as form on form.country = {{ country }}
    and form.shape = translate(bare, '012345678BCDEFGHIJKLMNOPQRSTUVWXYZ', '999999999AAAAAAAAAAAAAAAAAAAAAAAAA')

 where {% if not prefixes %}form.prefix = '' and {% endif %}(form.pattern is null or form.prefix || bare ~ form.pattern))
{%- endmacro -%}
