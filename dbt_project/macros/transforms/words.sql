{#- text: the elements of a JSON list of texts, in their order, with blanks between them. -#}
{%- macro words(value) -%}
(select case when pg_input_is_valid(list, 'jsonb') then (
    select string_agg(word, ' ' order by place)
    from jsonb_array_elements_text(case when jsonb_typeof(list::jsonb) = 'array' then list::jsonb else '[]' end)
        with ordinality as words (word, place) where word <> '') end
 from (select {{ text(value) }} as list offset 0) as words)
{%- endmacro -%}
