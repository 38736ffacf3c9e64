{#- text: a Polish personal number (PESEL): eleven digits with a right check digit and a date of birth that exists. -#}
{%- macro pesel(value) -%}
(select case when length(digits) = 11 and digits ~ '^[0-9]+$' then
    case when mod({{ digit_sum('digits', [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) }} + substr(digits, 11, 1)::int, 10) = 0
        and pg_input_is_valid(
            (array['19', '20', '21', '22', '18'])[substr(digits, 3, 2)::int / 20 + 1] || left(digits, 2) || '-'
            || lpad(mod(substr(digits, 3, 2)::int, 20)::text, 2, '0') || '-' || substr(digits, 5, 2), 'date')
    then digits end end
 from (select {{ compacted(value) }} as digits offset 0) as pesel)
{%- endmacro -%}
