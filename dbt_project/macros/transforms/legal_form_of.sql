{#- text: a company's legal form in its uniform spelling (Sp. z o.o., S.A., Sp. k., GmbH, …), from its name for the form or from
    the company's name, wherever in it the form stands; what is said of its state (w likwidacji) is no form. -#}
{%- macro legal_form_of(value) -%}
(select form
 from (select {{ text(value) }} as whole offset 0) as named
 cross join lateral {{ name_words('whole', 'false') }} as words
 where form is not null and left(form, 2) not in ('w ', 'in', 'en', 'v ')
 order by place desc limit 1)
{%- endmacro -%}
