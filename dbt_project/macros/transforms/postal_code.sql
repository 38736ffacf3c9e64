{#- text: a postal code as its country writes it (00-950, 10117, SW1A 1AA), by the record's country; a record without one is
    Polish. The country's own prefix ('D-10117') is dropped. Of a country that nobody knows, only what can be of no other
    country than Poland is understood (00-950); of a country without postal codes, anything with a digit. -#}
{%- macro postal_code(value, country="null::text") -%}
(select case
    when land = 'PL' then case when compact ~ '^(PL)?[0-9]{5}$' then left(right(compact, 5), 2) || '-' || right(compact, 3) end
    when land is null then case when given ~ '^[0-9]{2}-[0-9]{3}$' then given end
    else coalesce({{ postal_code_by_form('compact', 'land', true) }},
        {{ postal_code_by_form("case when left(given, 2) = land then substr(compact, 3) else "
            ~ compacted("regexp_replace(given, '^[A-Z]{1,3}[- ]+(?=[0-9])', '')") ~ " end", 'land', false) }},
        case when given ~ '^(?=.*[0-9])[0-9A-Z][-0-9A-Z ]{1,9}$'
            and not exists (select from ops.postal_code_form as any_form where any_form.country = land) then given end) end
 from (select upper(given) as given, {{ compacted('given') }} as compact, {{ country_or_home(country) }} as land
       from (select {{ text("replace(" ~ value ~ ", '〒', '')") }} as given offset 0) as cleaned
       where given is not null offset 0) as postal_code) {{ forms_version() }}
{%- endmacro -%}
