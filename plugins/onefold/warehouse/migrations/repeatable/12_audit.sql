-- How an audit event gets into the chain. What exactly is hashed: plugins/onefold/audit/chain.py.

-- A value of a payload as canonical JSON (RFC 8785), as verify() computes it: strings, booleans, nulls, whole numbers
-- within ±(2^53 - 1), and lists and objects of these. Anything else is refused.
create or replace function audit.canonical(value jsonb) returns text
language plpgsql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
begin
    case jsonb_typeof(value)
        when 'object' then
            return '{' || coalesce((select string_agg(to_json(key)::text || ':' || case
                    when jsonb_typeof(item) in ('string', 'boolean', 'null') then item::text
                    else audit.canonical(item) end, ',' order by key collate "C")
                from jsonb_each(value) as each (key, item)), '') || '}';
        when 'array' then
            return '[' || coalesce((select string_agg(case
                    when jsonb_typeof(item) in ('string', 'boolean', 'null') then item::text
                    else audit.canonical(item) end, ',' order by position)
                from jsonb_array_elements(value) with ordinality as each (item, position)), '') || ']';
        when 'number' then
            if scale(value::numeric) <> 0 or abs(value::numeric) > 9007199254740991 then
                raise exception 'An audit payload has a number that not every language keeps: give a whole number within '
                    '±(2^53 - 1), or text.' using errcode = 'invalid_parameter_value';
            end if;
            return value::text;
        else
            return value::text;
    end case;
end $$;

-- Before an event is inserted, by whomever: it is put behind the newest one. What is given must be what it would be.
create or replace function audit.link_event() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    head_seq  bigint;
    head_hash bytea;
    found     bytea;
begin
    -- Held until the commit: the next one waits here, and then sees what was committed.
    lock table audit.append_lock in exclusive mode;
    select seq, hash into head_seq, head_hash from audit.event order by seq desc limit 1;
    head_seq := coalesce(head_seq, 0);
    head_hash := coalesce(head_hash, decode(repeat('00', 32), 'hex'));
    new.seq := coalesce(new.seq, head_seq + 1);
    new.previous_hash := coalesce(new.previous_hash, head_hash);
    new.at := coalesce(new.at, clock_timestamp());
    if new.seq <> head_seq + 1 or new.previous_hash <> head_hash then
        raise exception 'audit event % does not continue the chain, whose head is %. Use onefold.audit.append.',
            new.seq, head_seq using errcode = 'serialization_failure';
    end if;
    found := sha256(convert_to(
        '{"action":' || to_json(new.action)
        || ',"actor":' || to_json(new.actor)
        || ',"at":' || to_json(to_char(new.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
        || ',"from":' || coalesce(to_json(new."from")::text, 'null')
        || ',"payload":' || audit.canonical(new.payload)
        || ',"previous_hash":"' || encode(new.previous_hash, 'hex')
        || '","result":' || to_json(new.result)
        || ',"seq":' || new.seq
        || ',"subject":' || to_json(new.subject)
        || ',"to":' || coalesce(to_json(new."to")::text, 'null') || '}', 'UTF8'));
    if new.hash <> found then
        raise exception 'audit event % does not have the hash of its content. Use onefold.audit.append.', new.seq
            using errcode = 'integrity_constraint_violation';
    end if;
    new.hash := found;
    return new;
end $$;

-- Appends an event as it is given, and returns its number. For functions of this schema only: nobody may execute it.
create or replace function audit.append_any(
    actor text, action text, subject text, "from" text, "to" text, payload jsonb, result text
) returns bigint language sql security definer set search_path = pg_catalog, pg_temp as $$
    insert into audit.event (actor, action, subject, "from", "to", payload, result)
    values (append_any.actor, append_any.action, append_any.subject, append_any."from", append_any."to",
        append_any.payload, append_any.result)
    returning seq
$$;

-- Appends an event and returns its number. Some actions are proof that another function has checked something: they are
-- refused here, so that an event of them says that it was checked.
create or replace function audit.append(
    actor text, action text, subject text, "from" text, "to" text, payload jsonb, result text
) returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    number bigint;
begin
    if action ~ '^(approval|audit|read|schema)\.' then
        raise exception 'Audit events % are appended by their own functions only.', action
            using errcode = 'insufficient_privilege';
    end if;
    insert into audit.event (actor, action, subject, "from", "to", payload, result)
    values (append.actor, append.action, append.subject, append."from", append."to", append.payload, append.result)
    returning seq into number;
    return number;
end $$;

alter function audit.append_any(text, text, text, text, text, jsonb, text) owner to onefold_definer;
alter function audit.append(text, text, text, text, text, jsonb, text) owner to onefold_definer;
revoke all on function audit.append_any(text, text, text, text, text, jsonb, text) from public;
revoke all on function audit.append(text, text, text, text, text, jsonb, text) from public;
