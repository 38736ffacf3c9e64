-- When a run last looked after the stream that it waits for, and after its load: one that has stopped is not waited for.
alter table ops.queue add column last_seen timestamptz not null default now();
alter table ops.load add column last_active timestamptz not null default now();
update ops.load set last_active = coalesce(ended_at, started_at);
