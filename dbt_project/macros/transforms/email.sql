{#- text: an e-mail address in small letters, when it has the shape of one. -#}
{%- macro email(value) -%}
(select case when length(address) <= 254 and position('..' in address) = 0 and position('.@' in address) = 0 and address ~
    '^[^\s@<>(),;:"\\\[\].][^\s@<>(),;:"\\\[\]]*@([[:alnum:]]([[:alnum:]-]*[[:alnum:]])?\.)+[[:alpha:]][[:alnum:]-]*[[:alnum:]]$'
    then address end
 from (select replace(lower({{ text(value) }}), 'mailto:', '') as address offset 0) as email)
{%- endmacro -%}
