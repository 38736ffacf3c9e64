-- Whose name, number and address an organisation's record holds: a sole trader and the partners of a civil partnership are
-- natural persons, and so what is said of their company is said of them.

-- Whether this session may read what is about people: onefold_pii, the engine, the superuser. The engine reads as one who may
-- not where it has said so (onefold.masked), to deliver to others what such a reader sees.
create or replace function conformed.may_read_people() returns boolean
language sql stable parallel safe set search_path = pg_catalog, pg_temp as $$
    select (pg_has_role(current_user, 'onefold_pii', 'usage') or current_user = 'onefold_loader')
        and coalesce(current_setting('onefold.masked', true), '') <> 'on'
$$;
comment on function conformed.may_read_people() is 'Whether the session may read what is said of natural persons.';

-- Whether a company is, or has to be taken for, a natural person. It is none when it is in the court register (where no
-- sole trader and no civil partnership can be), or when its name holds the legal form of a legal person or partnership,
-- or is that of a public body. Every other one is taken for one: a form that is not known does not show a person's data.
-- In PL/pgSQL, so that a plan shows its call by name: what masking reads, the reader has not read (read_columns.py).
create or replace function conformed.is_natural_person(name text, court_number text) returns boolean
language plpgsql immutable parallel safe cost 20 as $$ begin
    return court_number is null and coalesce(not (
        name ~* '\m(sp\.? ?z ?o\.? ?o\M|(sp\.?|spółka|spolka) (z ogr|komandyt|jawna|partnersk|akcyjn|europejsk)|prosta (spółka|spolka) akcyjna)'
        or name ~* ('[[:space:]"](s\.? ?a|p\.? ?s\.? ?a|s\.? ?k\.? ?a|(sp|s)\. ?[kjp]|sp [kjp]|se|g?gmbh|gmbh & co\.? kg|ag|kg|kgaa|ohg'
            || '|sarl|sasu?|eurl|sprl|bvba|scrl|b\.? ?v|n\.? ?v|s\.? ?r\.? ?o|a\.s|kft|zrt|nyrt|uab|sia|oyj?|oü|aps|a/s|ab'
            || '|s\.? ?p\.? ?a|s\.? ?r\.? ?l|s\.? ?r\.? ?l\.? ?s|s\.l|s\.l\.u|s\.a\.u|lda|ltda|ltd|limited|llc|llp|plc|inc|corp|d\.o\.o'
            || '|e?ood|asa|ТОВ|ООО|АО|ОАО|ЗАО|ПАО|Е?ООД|АД)\.?"?([[:space:]]+\(?(w|in|en|v|oddzia[łl]|branch)[[:space:]].*)?$')
        or name ~* '^"?(gmina|powiat|województwo|wojewodztwo|uniwersytet|politechnika|ministerstwo|fundacja|stowarzyszenie|spółdzielnia|spoldzielnia)\M'
    ), true);
end $$;
comment on function conformed.is_natural_person(text, text) is
    'Whether a company of this name and court number (KRS) is a natural person, or has to be taken for one.';
revoke all on function conformed.may_read_people(), conformed.is_natural_person(text, text) from public;
grant execute on function conformed.may_read_people(), conformed.is_natural_person(text, text)
    to onefold_loader, onefold_engineer, onefold_analyst, onefold_auditor, onefold_pii;
