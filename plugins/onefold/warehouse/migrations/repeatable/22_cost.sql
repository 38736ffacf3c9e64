-- What each stream has used and what that costs, by day (docs/cost.md). Days are those of the price list's time zone. What a
-- load has used counts on the day on which the load began, whatever became of it.
create or replace function ops.price_day(at timestamptz) returns date
language sql stable set search_path = pg_catalog, pg_temp as $$
    select (at at time zone coalesce((select timezone from ops.price_list), 'Europe/Warsaw'))::date
$$;

-- `until`: the last day of what is only known as a sum of several days.
create or replace view ops.metered as
with zone as (select coalesce((select timezone from ops.price_list), 'Europe/Warsaw') as name),
used as (
    select (l.started_at at time zone z.name)::date as day, null::date as until, u.system, u.stream, 'requests' as kind,
        u.requests::numeric as quantity
    from zone as z, ops.usage as u join ops.load as l using (load_id)
    union all
    select (r.started_at at time zone z.name)::date, null, u.system, u.stream, 'requests', u.requests
    from zone as z, ops.usage as u join ops.reconciliation as r using (reconciliation_id)
    union all -- what the register API has asked of registers for its clients; `api` is what clients have asked of it
    select u.month, (u.month + interval '1 month - 1 day')::date, u.system, u.stream, 'requests', u.requests
    from ops.usage as u where u.api_client is not null and u.system <> 'api'
    union all
    select (l.started_at at time zone z.name)::date, null, l.system, l.stream, 'cpu', l.cpu_seconds
    from zone as z, ops.load as l where l.cpu_seconds > 0
    union all
    select day, null, system, stream, 'storage', bytes from ops.stream_storage
    union all
    select (c.reserved_at at time zone z.name)::date, null, c.system, null, t.kind, t.tokens
    from zone as z, ops.llm_call as c, lateral (values
        ('input_tokens', c.input_tokens), ('output_tokens', c.output_tokens)) as t (kind, tokens)
    where t.tokens > 0
    union all
    select day, until, system, stream, kind, quantity from ops.metered_base
)
select day, coalesce(until, day) as until, system, stream, kind, sum(quantity) as quantity from used
group by day, coalesce(until, day), system, stream, kind;

-- A system's own price of a kind takes the place of the general one. Licences are of a whole system: stream is null.
create or replace view ops.cost_day as
select m.day, m.until, m.system, m.stream, m.kind, m.quantity,
    case when p.valid_from <= m.day and coalesce(p.valid_to, 'infinity') >= m.until then m.quantity * p.price / case m.kind
        when 'requests' then 1000 when 'cpu' then 3600 when 'storage' then 1e9 * extract(day from
            date_trunc('month', m.day) + interval '1 month - 1 day') else 1e6 end end as amount
from ops.metered as m
left join lateral (
    select p.price, p.valid_from, p.valid_to from ops.price as p
    where p.kind = m.kind and coalesce(p.system, m.system) = m.system
        and p.valid_from <= m.until and coalesce(p.valid_to, 'infinity') >= m.day
    order by p.system is null, p.valid_from limit 1
) as p on true
union all
select d.day::date, d.day::date, p.system, null, p.kind, 1,
    p.price / extract(day from date_trunc('month', d.day) + interval '1 month - 1 day')
from ops.price as p, generate_series(p.valid_from::timestamp,
    least(p.valid_to, (now() at time zone (select timezone from ops.price_list))::date)::timestamp, interval '1 day') as d (day)
where p.kind = 'licence';

create or replace view ops.cost_month as
select month, system, stream, kind, round(sum(quantity) / unit, 6) as quantity,
    round(coalesce(sum(amount), 0), 6) as amount,
    round(coalesce(sum(quantity) filter (where amount is null), 0) / unit, 6) as unpriced,
    count(distinct day)::int as days, (select currency from ops.price_list) as currency
from (
    select date_trunc('month', day)::date as month, system, stream, kind, quantity, amount, day, case kind when 'cpu' then 3600
        when 'storage' then 1e9 * extract(day from date_trunc('month', day) + interval '1 month - 1 day')
        when 'licence' then extract(day from date_trunc('month', day) + interval '1 month - 1 day') else 1 end as unit
    from ops.cost_day
) as used
group by month, system, stream, kind, unit;

create or replace function ops.keep_metered_usage() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into ops.metered_base as base (day, until, system, stream, kind, quantity)
    select day, until, system, stream, 'requests', sum(requests) from (
        select ops.price_day(l.started_at) as day, ops.price_day(l.started_at) as until, d.system, d.stream, d.requests
        from deleted as d join ops.load as l using (load_id)
        union all
        select ops.price_day(r.started_at), ops.price_day(r.started_at), d.system, d.stream, d.requests
        from deleted as d join ops.reconciliation as r using (reconciliation_id)
        union all
        select d.month, (d.month + interval '1 month - 1 day')::date, d.system, d.stream, d.requests
        from deleted as d where d.api_client is not null and d.system <> 'api'
    ) as used group by day, until, system, stream
    on conflict (day, until, system, stream, kind) do update set quantity = base.quantity + excluded.quantity;
    return null;
end $$;
create or replace trigger keep_metered after delete on ops.usage
    referencing old table as deleted for each statement execute function ops.keep_metered_usage();

create or replace function ops.keep_metered_loads() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into ops.metered_base as base (day, until, system, stream, kind, quantity)
    select day, day, system, stream, 'cpu', sum(cpu_seconds)
    from (select ops.price_day(started_at) as day, system, stream, cpu_seconds from deleted where cpu_seconds > 0) as used
    group by day, system, stream
    on conflict (day, until, system, stream, kind) do update set quantity = base.quantity + excluded.quantity;
    return null;
end $$;
create or replace trigger keep_metered after delete on ops.load
    referencing old table as deleted for each statement execute function ops.keep_metered_loads();

create or replace function ops.keep_metered_tokens() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into ops.metered_base as base (day, until, system, stream, kind, quantity)
    select day, day, system, null, kind, sum(tokens) from (
        select ops.price_day(d.reserved_at) as day, d.system, t.kind, t.tokens from deleted as d, lateral (values
            ('input_tokens', d.input_tokens), ('output_tokens', d.output_tokens)) as t (kind, tokens)
        where t.tokens > 0
    ) as used group by day, system, kind
    on conflict (day, until, system, stream, kind) do update set quantity = base.quantity + excluded.quantity;
    return null;
end $$;
create or replace trigger keep_metered after delete on ops.llm_call
    referencing old table as deleted for each statement execute function ops.keep_metered_tokens();

comment on column ops.load.cpu_seconds is 'CPU time of the process that ran the load, all its attempts, as far as they were recorded; '
    'without PostgreSQL''s own. NULL: not measured.';
comment on table ops.price_list is 'What catalog/prices.yaml says of all prices, and when it was applied.';
comment on table ops.price is 'Prices of catalog/prices.yaml, by the days on which they hold: of 1,000 requests, an hour of CPU time, a '
    'gigabyte (10^9 bytes) stored for a month, a million tokens, a licence for a month. System NULL: of every system.';
comment on table ops.budget is 'What a system may cost in a month, and at how many percent of it an alert is opened.';
comment on table ops.stream_storage is 'The size of each stream''s tables in staging, measured once a day.';
comment on table ops.metered_base is 'What was metered of loads and requests that were deleted since.';
comment on view ops.metered is 'What each stream has used, by day: requests, seconds of CPU time, bytes stored, tokens (of a whole system).';
comment on view ops.cost_day is 'The same with what it costs; amount NULL: no price holds on that day.';
comment on view ops.cost_month is 'What each stream costs, by month and kind; stream NULL: of the whole system (licences, tokens). Quantities '
    'are requests, hours of CPU time, gigabytes for a month, tokens, months; unpriced: the quantity for which there is no price; days: '
    'on how many days there is a figure.';
