{#- text: the name as a person would write it, from one field or two that continue each other. Blanks and quotation marks
    are made uniform, and the legal form at the end is spelled one way ('Sp. z o.o.', 'S.A.'). Registers write all in
    capitals; since they are trusted first, such a name is put into the usual spelling, so that the golden name reads
    well and differs from the CRM's spelling only where the name differs. -#}
{%- macro company_name(value, more="null::text") -%}
(select case when stem = '' then whole else {{ titled('stem') }} || substr(whole, length(stem) + 1) end
 from (select whole, regexp_replace(whole, '( (Sp\. z o\.o\.|P\.S\.A\.|S\.K\.A\.|S\.A\.|Sp\. k\.|Sp\. j\.|Sp\. p\.|S\.C\.))+$', '') as stem
       from (select {{ legal_form_spelled("regexp_replace(" ~ text("concat_ws(' ', " ~ value ~ ", " ~ more ~ ")") ~ ", '[„”“‟«»]', '\"', 'g')") }} as whole offset 0) as spelled
       offset 0) as company_name)
{%- endmacro -%}
