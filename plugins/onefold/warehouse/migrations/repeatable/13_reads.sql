-- Who reads: a reader's own session says what it is about to read, and what came of it. The role is the session's, so
-- nobody can say it of another; no role can say less, since there is nothing that takes an event back.

-- Keeps a statement without its literals, once; returns the subject by which events name it.
create or replace function audit.keep_statement(statement bytea, statement_text text) returns text
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if length(statement) <> 32 or length(statement_text) > 20000 then
        raise exception 'A statement is recorded with its SHA-256 and at most 20,000 letters.'
            using errcode = 'invalid_parameter_value';
    end if;
    insert into audit.statement (sha256, text) values (statement, statement_text) on conflict do nothing;
    return 'statement:' || encode(statement, 'hex');
end $$;
revoke all on function audit.keep_statement(bytea, text) from public;
grant execute on function audit.keep_statement(bytea, text) to onefold_definer;

create or replace function conformed.record_read(
    person text, statement bytea, statement_text text, payload jsonb, finished boolean, result text
) returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not person ~ '^[[:graph:]]{1,150}$' then
        raise exception 'A read is recorded with a person (one token).' using errcode = 'invalid_parameter_value';
    end if;
    return audit.append_any(
        'role:' || session_user || '/' || person, case when finished then 'read.end' else 'read.begin' end,
        audit.keep_statement(statement, statement_text), null, null, payload, result
    );
end $$;

alter function conformed.record_read(text, bytea, text, jsonb, boolean, text) owner to onefold_definer;
revoke all on function conformed.record_read(text, bytea, text, jsonb, boolean, text) from public;
grant select, insert on audit.statement to onefold_definer;
grant select on audit.statement to onefold_auditor, onefold_loader;
grant execute on function conformed.record_read(text, bytea, text, jsonb, boolean, text)
    to onefold_loader, onefold_engineer, onefold_analyst, onefold_auditor, onefold_pii;
