-- What the register API writes (bin/onefold api, onefold/serve): its reading role only reads; what is told here is told by
-- its writing role.

-- Brings ops.api_company to what is published now, and says for watched companies what changed. `always` are the
-- attributes that are personal, `of_persons` those that are so of a natural person. Returns how many companies changed.
create or replace function ops.refresh_api_companies(always text[], of_persons text[]) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp set work_mem = '128MB' as $$
declare
    shown    bigint;
    known    bigint;
    changed  bigint;
begin
    perform pg_advisory_xact_lock(hashtextextended('onefold register api companies', 0));
    select s.publish_id into known from ops.api_shown as s;
    select p.publish_id into shown from ops.published as p where p.entity = 'company';
    if shown is not distinct from known then
        return 0;
    end if;
    with touched as materialized (
        select distinct v.company_id from conformed.company_version as v
        where known is null or shown is null
            or v._publish_id > least(known, shown) and v._publish_id <= greatest(known, shown)
            or v._ended_publish_id > least(known, shown) and v._ended_publish_id <= greatest(known, shown)
    ), now_shown as materialized (
        select v.*, conformed.is_natural_person(v.legal_name, v.krs) as is_natural,
            to_jsonb(v) - array['company_id', '_systems', '_records', '_members', '_loads', '_mapping_versions',
                '_winning_members', '_hash', '_publish_id', '_ended_publish_id', '_merged_into'] as everything,
            (select p.ended_at from ops.publish as p where p.publish_id = v._publish_id) as published
        from conformed.company_version as v join touched using (company_id)
        where v._publish_id <= shown and (v._ended_publish_id is null or v._ended_publish_id > shown)
    ), written as (
        insert into ops.api_company as c (company_id, tax_id_pl, regon, krs, eu_vat, status, main_activity, natural_person,
            systems, content, people, published_at)
        select n.company_id, n.tax_id_pl, n.regon, n.krs, n.eu_vat, n.status, n.main_activity, n.is_natural, n._systems,
            n.everything - always - case when n.is_natural then of_persons else '{}' end,
            n.everything - (select coalesce(array_agg(name), '{}') from jsonb_object_keys(n.everything) as name
                where not name = any (always || case when n.is_natural then of_persons else '{}' end)),
            coalesce(n.published, now())
        from now_shown as n
        on conflict (company_id) do update set tax_id_pl = excluded.tax_id_pl, regon = excluded.regon, krs = excluded.krs,
            eu_vat = excluded.eu_vat, status = excluded.status, main_activity = excluded.main_activity,
            natural_person = excluded.natural_person, systems = excluded.systems,
            content = excluded.content, people = excluded.people, published_at = excluded.published_at
        returning c.company_id, old.content || old.people as before, new.content || new.people as after
    ), removed as (
        delete from ops.api_company as c using touched
        where c.company_id = touched.company_id and not exists (select from now_shown as n where n.company_id = c.company_id)
        returning c.company_id
    ), told as (
        insert into ops.api_change (company_id, kind, attributes)
        select w.company_id, 'changed', array(
            select a.key from jsonb_each(w.after) as a where a.value is distinct from w.before -> a.key order by 1)
        from written as w
        where w.before is not null and w.before is distinct from w.after
            and exists (select from ops.api_watch as watch where watch.company_id = w.company_id)
        union all
        select r.company_id, 'ended', '{}' from removed as r
        where exists (select from ops.api_watch as watch where watch.company_id = r.company_id)
        returning change_id, company_id
    ), sent as (
        insert into ops.api_webhook_event (webhook_id, change_id)
        select h.webhook_id, t.change_id from told as t
        join ops.api_watch as watch using (company_id) join ops.api_webhook as h on h.client = watch.client
        where h.disabled_at is null
        on conflict do nothing
    )
    select (select count(*) from written) + (select count(*) from removed) into changed;
    update ops.api_shown as s set publish_id = shown;
    return changed;
end $$;
comment on function ops.refresh_api_companies(text[], text[]) is
    'Brings what the register API answers from to what is published now.';
alter function ops.refresh_api_companies(text[], text[]) owner to onefold_loader;

-- The forms that a search compares follow what stands in the row, also when an erasure changes it.
create or replace function ops.write_search_forms() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    new.name_form := conformed.search_form(new.content ->> 'legal_name');
    new.name_form_people := coalesce(conformed.search_form(new.people ->> 'legal_name'), new.name_form);
    new.town_form := conformed.search_form(coalesce(new.content ->> 'town', new.people ->> 'town'));
    return new;
end $$;
create or replace trigger api_company_search_forms before insert or update on ops.api_company
    for each row execute function ops.write_search_forms();

-- Lets requests in: each by its client's rate and monthly quota, counted by all processes together, in the order given.
-- Of each: null where it is let in, else how many seconds it has to wait; a quota that is used up, until the month ends.
create or replace function ops.admit_api_requests(clients text[], rates integer[], quotas bigint[])
returns double precision[] language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    waits    double precision[] := '{}';
    held     ops.api_allowance;
    place    integer;
    moment   timestamptz;
    spacing  interval;
    this_month date := date_trunc('month', now() at time zone 'UTC');
begin
    insert into ops.api_allowance (client, month, requests, arrival)
    select distinct each, this_month, 0, '-infinity'::timestamptz from unnest(clients) as each on conflict do nothing;
    perform from ops.api_allowance where client = any (clients) order by client for update;
    moment := clock_timestamp();
    for place in 1 .. cardinality(clients) loop
        select * into held from ops.api_allowance where client = clients[place];
        if held.month <> this_month then
            held.month := this_month;
            held.requests := 0;
        end if;
        spacing := interval '1 second' / rates[place];
        held.arrival := greatest(held.arrival, moment);
        if held.requests >= quotas[place] then
            waits := waits || extract(epoch from (this_month + interval '1 month') at time zone 'UTC' - moment)::float8;
        elsif held.arrival - moment > interval '1 second' - spacing then
            waits := waits || extract(epoch from held.arrival - moment - interval '1 second' + spacing)::float8;
        else
            waits := waits || null::float8;
            update ops.api_allowance set month = held.month, requests = held.requests + 1, arrival = held.arrival + spacing
            where client = clients[place];
        end if;
    end loop;
    return waits;
end $$;
alter function ops.admit_api_requests(text[], integer[], bigint[]) owner to onefold_definer;

-- Records requests before their answers leave: each a row, its client's usage, and of those that show personal data an event.
create or replace function ops.record_api_requests(
    clients text[], endpoints text[], companies uuid[], about_people boolean[], statuses smallint[], took integer[],
    sizes bigint[]
) returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.append_any('api:' || r.client, 'api.read', coalesce('company:' || r.company_id, 'api:' || r.endpoint), null,
        null, jsonb_build_object('endpoint', r.endpoint, 'people', true, 'status', r.status), 'ok')
    from unnest(clients, endpoints, companies, about_people, statuses) as r (client, endpoint, company_id, people, status)
    where r.people and r.status < 400;
    insert into ops.api_request (client, endpoint, company_id, people, status, milliseconds)
    select r.client, r.endpoint, r.company_id, r.people, r.status, r.took
    from unnest(clients, endpoints, companies, about_people, statuses, took) with ordinality
        as r (client, endpoint, company_id, people, status, took, place)
    order by r.place;
    insert into ops.usage as u (api_client, month, system, stream, status, requests, bytes, milliseconds)
    select r.client, date_trunc('month', now() at time zone 'UTC'), 'api', r.endpoint, r.status::text, count(*), sum(r.size),
        sum(r.took)
    from unnest(clients, endpoints, statuses, took, sizes) as r (client, endpoint, status, took, size)
    group by r.client, r.endpoint, r.status order by 1, 2, 3, 4, 5
    on conflict (api_client, month, system, stream, status) where api_client is not null do update
    set requests = u.requests + excluded.requests, bytes = u.bytes + excluded.bytes,
        milliseconds = u.milliseconds + excluded.milliseconds;
end $$;
alter function ops.record_api_requests(text[], text[], uuid[], boolean[], smallint[], integer[], bigint[]) owner to onefold_definer;

-- SHA-256 over the rows of requests, as text with a line for each; null where rows are missing.
create or replace function ops.api_request_hash(first_number bigint, last_number bigint) returns bytea
language sql stable security definer set search_path = pg_catalog, pg_temp set timezone = 'UTC' set datestyle = 'ISO, DMY' as $$
    select sha256(convert_to(string_agg(r::text, E'\n' order by r.number), 'UTF8'))
    from ops.api_request as r where r.number between first_number and last_number
$$;
alter function ops.api_request_hash(bigint, bigint) owner to onefold_definer;

-- Chains the requests that are not yet: one event with the hash over their rows. Returns how many.
create or replace function ops.chain_api_requests() returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    since  bigint;
    until  bigint;
    found  bigint;
    hash   bytea;
begin
    -- First the chain's own lock, which a publish may hold for long: nobody who records waits meanwhile. Then nobody is
    -- recording, so what is below the greatest number is committed.
    lock table audit.append_lock in exclusive mode;
    lock table ops.api_request in share mode;
    since := coalesce((select max(last_number) from ops.api_request_batch), 0) + 1;
    select count(*), max(number) into found, until from ops.api_request where number >= since;
    if found = 0 then
        return 0;
    end if;
    hash := ops.api_request_hash(since, until);
    insert into ops.api_request_batch (first_number, last_number, sha256, audit_seq)
    values (since, until, hash, audit.append_any('role:' || session_user, 'api.requests', 'ops.api_request', null, null,
        jsonb_build_object('first', since, 'last', until, 'requests', found, 'sha256', encode(hash, 'hex')), 'ok'));
    return found;
end $$;
alter function ops.chain_api_requests() owner to onefold_definer;

-- The batches whose rows are no longer what the chain says.
create or replace function ops.altered_api_requests() returns setof bigint
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select b.last_number from ops.api_request_batch as b left join audit.event as e on e.seq = b.audit_seq
    where (e.payload ->> 'sha256') is distinct from encode(ops.api_request_hash(b.first_number, b.last_number), 'hex')
        or (e.payload ->> 'last')::bigint is distinct from b.last_number
$$;
alter function ops.altered_api_requests() owner to onefold_definer;

-- What loads have brought of one key of a register: the record as it came, when the register last said so, and the proof.
create or replace function ops.api_held_record(of_system text, of_stream text, of_key text)
returns table (record jsonb, answered_at timestamptz, proof text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if of_system || '.' || of_stream not in ('krs.extract', 'white_list.subject', 'vies.number')
        or to_regclass(format('staging.%I', of_system || '__' || of_stream || '__current')) is null then
        return;
    end if;
    return query execute format('select s._payload, greatest(c.answered_at, s._extracted_at), c.proof from staging.%I as s
        left join ops.lookup_cache as c on c.system = $1 and c.stream = $2 and c.lookup_key = $3
        where s._key = $3 and not s._deleted', of_system || '__' || of_stream || '__current')
    using of_system, of_stream, of_key;
end $$;
alter function ops.api_held_record(text, text, text) owner to onefold_loader;

-- The beneficial owners that are published of a company, as they are published.
create or replace function ops.api_owners(of_krs text) returns table (owner jsonb, published_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select to_jsonb(v) - array['_systems', '_records', '_members', '_loads', '_mapping_versions', '_winning_members', '_hash',
        '_publish_id', '_ended_publish_id', '_merged_into', 'source_of_truth'], p.ended_at
    from conformed.beneficial_owner_version as v left join ops.publish as p on p.publish_id = v._publish_id
    where v.company_krs = of_krs
        and v._publish_id <= (select publish_id from ops.published where entity = 'beneficial_owner')
        and (v._ended_publish_id is null
            or v._ended_publish_id > (select publish_id from ops.published where entity = 'beneficial_owner'))
    order by v.owner_key
$$;
alter function ops.api_owners(text) owner to onefold_loader;

-- The companies, by court number, of which one of these persons (PESEL) is a beneficial owner.
create or replace function ops.api_companies_of_owners(numbers text[]) returns table (pesel text, krs text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select distinct v.pesel, v.company_krs
    from conformed.beneficial_owner_version as v
    where v.pesel = any (numbers)
        and v._publish_id <= (select publish_id from ops.published where entity = 'beneficial_owner')
        and (v._ended_publish_id is null
            or v._ended_publish_id > (select publish_id from ops.published where entity = 'beneficial_owner'))
    order by 1, 2 limit 200
$$;
alter function ops.api_companies_of_owners(text[]) owner to onefold_loader;

-- Waits until nobody else asks a register this question; the turn ends with the transaction.
create or replace function ops.take_api_question(question text) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
    select pg_advisory_xact_lock(hashtextextended('onefold register api question ' || question, 0))
$$;
alter function ops.take_api_question(text) owner to onefold_definer;

-- Counts what the registers were asked for a client.
create or replace function ops.count_api_question(
    client text, system text, stream text, status text, bytes bigint, took double precision
) returns void language sql security definer set search_path = pg_catalog, pg_temp as $$
    insert into ops.usage as u (api_client, month, system, stream, status, requests, bytes, milliseconds)
    values (client, date_trunc('month', now() at time zone 'UTC'), system, stream, status, 1, bytes, took)
    on conflict (api_client, month, system, stream, status) where api_client is not null do update
    set requests = u.requests + 1, bytes = u.bytes + excluded.bytes, milliseconds = u.milliseconds + excluded.milliseconds
$$;
alter function ops.count_api_question(text, text, text, text, bigint, double precision) owner to onefold_definer;

-- Tells the chain of a key, a watch or the like.
create or replace function ops.tell_of_api(person text, action text, subject text, payload jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not (person ~ '^[[:graph:]]{1,200}$' and action ~ '^api\.[a-z_]+$' and subject ~ '^(client|key|watch|webhook|check):[a-z0-9_.-]{1,80}$') then
        raise exception 'The register API tells of clients, keys, watches, webhooks and checks.'
            using errcode = 'invalid_parameter_value';
    end if;
    perform audit.append_any(person, action, subject, null, null, payload, 'ok');
end $$;
alter function ops.tell_of_api(text, text, text, jsonb) owner to onefold_definer;

comment on table ops.api_client is 'Who may ask the register API: scopes, rate and monthly quota (bin/onefold api-key).';
comment on table ops.api_key is 'Keys of clients; of each its SHA-256, never the key.';
comment on table ops.api_allowance is 'Of each client its requests of the month, and when its rate lets the next one in.';
comment on table ops.api_company is 'What the register API answers from: the companies that are published, what is personal apart.';
comment on table ops.api_shown is 'Which publish ops.api_company shows.';
comment on table ops.api_answer is 'What registers answered when the register API asked them; a failed question is never here.';
comment on table ops.api_request is 'Every request to the register API, recorded before its answer left.';
comment on table ops.api_request_batch is 'Which event of the audit chain has the hash of which requests.';
comment on column ops.usage.api_client is 'Whose requests these are: to the register API (system api), or of it to a register.';
comment on table ops.api_check is 'Bulk checks of the register API and their results.';
comment on table ops.api_watch is 'Which companies a client of the register API watches.';
comment on table ops.api_change is 'What changed in watched companies: the names of attributes, no values.';
comment on table ops.api_webhook is 'Where clients of the register API are told of changes.';
comment on table ops.api_webhook_event is 'Which change was told to which webhook, or is still to be.';
