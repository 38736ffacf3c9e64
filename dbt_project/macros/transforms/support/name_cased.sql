{#- A word in capitals, or two joined by a dash, as it is written in a name. Words that only join stay small, and domains
    (Eobuwie.pl); Roman numerals, words with a digit, words without a vowel and acronyms (AT&T too) stay capital. Of three
    letters those are words that can be spoken as one (Pol, Eko), and the others acronyms (ING, PZU); of two, all are acronyms. -#}
{%- macro name_cased(word, first) -%}
(case {% if not first %}when {{ word }} in ('I', 'W', 'WE', 'Z', 'ZE', 'NA', 'NAD', 'POD', 'PRZY', 'DLA', 'DO', 'OD', 'O',
    'ORAZ', 'K.', 'IM.', 'DE', 'LA', 'LE', 'DU', 'DI', 'DA', 'DEL', 'DER', 'VON', 'VAN', 'UND', 'AND', 'OF', 'THE', 'FOR',
    'ET', 'FÜR') then lower({{ word }})
    {% endif -%}
 when {{ word }} = 'S-KA' then 'S-ka' when position('-' in {{ word }}) > 0 then (
    select string_agg({{ word_cased('part') }}, '-') from string_to_table({{ word }}, '-') as part)
 else {{ word_cased(word) }} end)
{%- endmacro -%}

{%- macro word_cased(word) -%}
(select case
    when translate(core, 'IVX', '') = '' or length(core) <= 5 and translate(core, '0123456789', '') <> core then capitals
    when length(core) <= 5 and (substr(core, 2, 1) = '.' or position('&' in core) > 0) then capitals
    when position('.' in core) > 2 and (right(core, 3) in ('.PL', '.EU', '.DE') or right(core, 4) in ('.COM', '.NET', '.ORG'))
        then left(capitals, 1) || lower(substr(capitals, 2))
    when length(core) = 2 then
        case when core in ('DE', 'LA', 'LE', 'EL', 'AL', 'NA', 'DO', 'OD', 'PO', 'ZE', 'WE') then initcap(capitals) else capitals end
    when length(core) = 3 and sounds in ('VCC', 'CCV', 'VVC', 'CVV', 'VVV', 'CCC') then
        case when core in ('ART', 'PRO', 'BIO', 'NEO', 'GEO', 'DUO', 'LEO', 'RIO', 'MIA', 'TRI', 'GRA', 'THE') then initcap(capitals)
            else capitals end
    when length(core) in (4, 5) and translate(sounds, 'C', '') = '' then capitals
    when core in ('PPHU', 'PPUH', 'PGNIG', 'AGD', 'OZE', 'USA', 'AXA', 'OBI', 'UMCS', 'SAP', 'LOT', 'ZUS', 'GUS', 'MAN') then capitals
    when left(core, 2) = 'MC' and length(core) >= 5 and substr(core, 3, 1) <> 'H' then
        replace(capitals, core, 'Mc' || {{ name_initcap('substr(core, 3)') }})
    else {{ name_initcap('capitals') }} end
 from (select capitals, core, translate(core, 'AEIOUYĄĘÓÄÖÜÉBCDFGHJKLMNPQRSTVWXZĆŁŃŚŹŻ', 'VVVVVVVVVVVVVCCCCCCCCCCCCCCCCCCCCCCCCCC') as sounds
       from (select capitals, btrim(capitals, '"()[],;:!') as core from (select {{ word }} as capitals offset 0) as given offset 0) as bare
       offset 0) as word)
{%- endmacro -%}

{#- initcap, but of an S after an apostrophe (McDonald's) and of the sigma that ends a Greek word. -#}
{%- macro name_initcap(word) -%}
(case when right({{ word }}, 2) in ('''S', '’S') then left(initcap({{ word }}), -1) || 's'
    when right({{ word }}, 1) = 'Σ' then left(initcap({{ word }}), -1) || 'ς' else initcap({{ word }}) end)
{%- endmacro -%}
