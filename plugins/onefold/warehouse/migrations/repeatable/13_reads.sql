-- Who reads: a reader's own session says what it is about to read, and what came of it. The role is the session's, so
-- nobody can say it of another; no role can say less, since there is nothing that takes an event back.

comment on table audit.statement is
    'What readers asked, with ? for every literal: through onefold sql, and directly. Events name each by its name.';
comment on column audit.statement.name is
    'SHA-256 of salt and sha256, by which events name it. Where the salt was never there, the text''s own hash.';
comment on column audit.statement.sha256 is 'Of the text. Null, like text and salt, once an erasure has forgotten it.';
comment on column audit.statement.erasure_id is 'The erasure that has forgotten it: something of a person stood in it.';

-- Keeps a statement without its literals, once; returns the subject by which events name it: nobody can tell from it
-- what the statement was, once its salt is gone.
create or replace function audit.keep_statement(statement bytea, statement_text text) returns text
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    fresh    bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    named_by bytea;
begin
    if length(statement) <> 32 or length(statement_text) > 20000 then
        raise exception 'A statement is recorded with its SHA-256 and at most 20,000 letters.'
            using errcode = 'invalid_parameter_value';
    end if;
    insert into audit.statement (name, sha256, salt, text)
    values (sha256(fresh || statement), statement, fresh, statement_text) on conflict (sha256) do nothing;
    select s.name into strict named_by from audit.statement as s where s.sha256 = statement;
    return 'statement:' || encode(named_by, 'hex');
end $$;

-- Forgets statements in which something of a person stands: text, hash and salt, so that nothing can be guessed from the
-- events that name them. The chain says how many, and of which erasure. Returns how many.
create or replace function audit.forget_statements(of_erasure bigint, statements bytea[], person text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    forgotten bigint;
begin
    if not exists (select from ops.erasure where erasure_id = of_erasure and state = 'executing') then
        raise exception 'Statements are forgotten by an erasure that is being executed; % is none.', of_erasure
            using errcode = 'insufficient_privilege';
    end if;
    update audit.statement set text = null, sha256 = null, salt = null, erasure_id = of_erasure
    where name = any (statements) and text is not null;
    get diagnostics forgotten = row_count;
    if forgotten > 0 then
        perform audit.append_any(person, 'audit.forget', 'erasure:' || of_erasure, null, 'audit.statement',
            jsonb_build_object('statements', forgotten), 'ok');
    end if;
    return forgotten;
end $$;
revoke all on function audit.keep_statement(bytea, text) from public;
grant execute on function audit.keep_statement(bytea, text) to onefold_definer;

-- Whether this is all that is said of a read: known words, figures, and columns, entities and streams that there are. The chain keeps it for ever.
create or replace function audit.is_about_a_read(payload jsonb) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select jsonb_typeof(payload) = 'object' and coalesce(bool_and(case said.key
        when 'form' then said.value in ('"table"', '"csv"', '"json"', '"page"')
        when 'entity' then exists (
            select from pg_class where relnamespace = 'conformed'::regnamespace and relname = (said.value #>> '{}') || '_version')
        when 'golden_id' then said.value #>> '{}' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
        when 'stream' then exists (
            select from ops.load as l where l.system = split_part(said.value #>> '{}', '.', 1)
                and l.stream = split_part(said.value #>> '{}', '.', 2)
                and said.value #>> '{}' = l.system || '.' || l.stream)
        when 'quarantine_id' then jsonb_typeof(said.value) = 'number'
        when 'write_back_plan' then jsonb_typeof(said.value) = 'number'
        when 'columns_known' then jsonb_typeof(said.value) = 'boolean'
        when 'columns' then jsonb_typeof(said.value) = 'number'
        when 'rows' then jsonb_typeof(said.value) = 'number'
        when 'personal_columns' then jsonb_typeof(said.value) = 'array' and not exists (
            select from jsonb_array_elements(said.value) as named (name) where not exists (
                select from pg_namespace as n join pg_class as c on c.relnamespace = n.oid
                    join pg_attribute as a on a.attrelid = c.oid
                where n.nspname = split_part(named.name #>> '{}', '.', 1) and c.relname = split_part(named.name #>> '{}', '.', 2)
                    and named.name #>> '{}' in (
                        n.nspname || '.' || c.relname || '.' || a.attname, n.nspname || '.' || c.relname || '.*')))
        else false
    end), true)
    from jsonb_each(case when jsonb_typeof(payload) = 'object' then payload else '{}' end) as said
$$;
revoke all on function audit.is_about_a_read(jsonb) from public;
grant execute on function audit.is_about_a_read(jsonb) to onefold_definer;

create or replace function conformed.record_read(
    person text, statement bytea, statement_text text, payload jsonb, finished boolean, result text
) returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not person ~ '^[[:graph:]]{1,150}$' then
        raise exception 'A read is recorded with a person (one token).' using errcode = 'invalid_parameter_value';
    end if;
    if not coalesce(audit.is_about_a_read(payload) and result in ('ok', 'failed'), false) then
        raise exception 'A read is recorded with its form, columns that there are, how many, how many rows, and ok or failed.'
            using errcode = 'invalid_parameter_value';
    end if;
    return audit.append_any(
        'role:' || session_user || '/' || person, case when finished then 'read.end' else 'read.begin' end,
        audit.keep_statement(statement, statement_text), null, null, payload, result
    );
end $$;

alter function conformed.record_read(text, bytea, text, jsonb, boolean, text) owner to onefold_definer;
revoke all on function conformed.record_read(text, bytea, text, jsonb, boolean, text) from public;
alter function audit.forget_statements(bigint, bytea[], text) owner to onefold_definer;
revoke all on function audit.forget_statements(bigint, bytea[], text) from public;
grant execute on function audit.forget_statements(bigint, bytea[], text) to onefold_loader;
grant select, insert, update on audit.statement to onefold_definer;
grant select on ops.erasure to onefold_definer;
grant select (system, stream) on ops.load to onefold_definer;
grant select on audit.statement to onefold_auditor, onefold_loader;
grant maintain on audit.statement to onefold_loader; -- an erasure writes it anew
grant execute on function conformed.record_read(text, bytea, text, jsonb, boolean, text)
    to onefold_loader, onefold_engineer, onefold_analyst, onefold_auditor, onefold_pii;
