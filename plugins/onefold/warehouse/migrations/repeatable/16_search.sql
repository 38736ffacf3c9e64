-- How texts are written for a search, so that case, accents, spaces and signs do not matter: letters and digits of any
-- script, in capitals, without accents; lines stay apart. As the macro `folded` does it. Indexes are over it: who changes it
-- changes search_text in onefold/mapping/golden.py along, or they are not made anew.
create or replace function conformed.search_form(text text) returns text
language sql immutable parallel safe strict as $$
    select regexp_replace(translate(upper(replace(replace(replace(replace(translate(normalize(text, NFKD),
        'łŁøØđĐıŧŦħĦ', 'lLoOdDitThH'), 'ß', 'ss'), 'æ', 'ae'), 'Æ', 'AE'), 'œ', 'oe') collate "pg_c_utf8"), ' .,-/"', ''),
        '[^[:alnum:]\n]+', '', 'g') collate "default"
$$;
comment on function conformed.search_form(text) is 'A text as golden records are searched by: capitals and digits alone.';
revoke all on function conformed.search_form(text) from public;
grant execute on function conformed.search_form(text)
    to onefold_loader, onefold_engineer, onefold_analyst, onefold_auditor, onefold_pii;
