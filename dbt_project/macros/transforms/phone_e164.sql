{#- text: a telephone number as E.164 (+48221234567). Nine digits are Polish; other countries need + or 00. An extension is
    dropped, since E.164 has none. -#}
{%- macro phone_e164(value) -%}
(select case
    when number ~ '^((\+|00)?48)?0?[1-9][0-9]{8}$' then '+48' || right(number, 9)
    when number ~ '^(\+|00)48' then null
    when number ~ '^(\+|00)[1-9][0-9]{7,14}$' then regexp_replace(number, '^(\+|00)', '+') end
 from (select regexp_replace(regexp_replace(lower({{ value }}), '^\s*(tel|telefon|kom|fax|phone)\M[.:]*|\(0\)|\s*(wew|ext|w)\M\.?\s*[0-9]+\s*$', '', 'g'),
        '[\s\u2010-\u2015()./-]', '', 'g') as number offset 0) as phone)
{%- endmacro -%}
