-- Accounts of people who sign in at the company's identity provider (docs/people.md): the API server says at each sign-in what
-- their groups allow, the engine may end an account, and the superuser alone opens it again.

-- Gives the personal login of an account the role of its duty, or takes every role from it. Its password is good for a day
-- after its person's last sign-in: the realm does not say who has left it, and who has left does not sign in any more. Of
-- the superuser, who alone may give these roles: it touches no login but those that bin/onefold user has made.
create or replace function ops.follow_account(followed text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    who    ops.account%rowtype;
    id     oid;
    wanted text[] := '{}';
    role   text;
    held   boolean;
begin
    select * into who from ops.account as a where a.account = followed;
    select r.oid into id from pg_roles as r
    where r.rolname = who.login and shobj_description(r.oid, 'pg_authid') = 'onefold login';
    if id is null then
        return;
    end if;
    if who.ended_at is null and who.duty in ('engineer', 'analyst', 'auditor') then
        wanted := array['onefold_' || who.duty] || case when who.pii then array['onefold_pii'] end;
    end if;
    foreach role in array array['onefold_engineer', 'onefold_analyst', 'onefold_auditor', 'onefold_pii'] loop
        held := exists (select from pg_auth_members as m where m.member = id and m.roleid = role::regrole);
        if held and role <> all (wanted) then
            execute format('revoke %I from %I', role, who.login);
        elsif not held and role = any (wanted) then
            execute format('grant %I to %I', role, who.login);
        end if;
    end loop;
    if wanted = '{}' then
        execute format('alter role %I nologin', who.login);
        perform pg_terminate_backend(a.pid) from pg_stat_activity as a where a.usesysid = id;
    else
        execute format('alter role %I login valid until %L', who.login, who.signed_in_at + interval '1 day');
    end if;
end $$;

-- Somebody has signed in, and this is what their groups allow; null: nothing any more, which is recorded of known people
-- only. Returns whether their account has ended, so that they are refused.
create or replace function audit.record_sign_in(who text, issuer text, subject text, duty text, pii boolean)
returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    before ops.account%rowtype;
begin
    select * into before from ops.account as a where a.account = who for update;
    if before.account is null and duty is null then
        return false;
    end if;
    insert into ops.account as a (account, issuer, subject, duty, pii)
    values (who, record_sign_in.issuer, record_sign_in.subject, record_sign_in.duty, record_sign_in.pii)
    on conflict (account) do update set duty = excluded.duty, pii = excluded.pii,
        signed_in_at = case when excluded.duty is null then a.signed_in_at else now() end;
    if before.account is null or (before.duty, before.pii) is distinct from (record_sign_in.duty, record_sign_in.pii) then
        perform audit.append_any('airflow:' || who, 'account.rights', 'account:' || who, null, null,
            jsonb_build_object('duty', coalesce(record_sign_in.duty, 'none'), 'pii', record_sign_in.pii,
                'before', coalesce(before.duty, 'none')), 'ok');
    end if;
    perform ops.follow_account(who);
    return before.ended_at is not null;
end $$;

-- Ends what an account allows: signing in, the tokens it was given, its personal login, its clients' keys. Returns false when
-- it has ended already.
create or replace function audit.end_account(actor text, who text, reason text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    keys integer;
begin
    update ops.account as a set ended_at = now(), ended_by = actor where a.account = who and a.ended_at is null;
    if not found then
        return false;
    end if;
    perform ops.follow_account(who);
    update ops.api_key as k set revoked_at = now() from ops.api_client as c
    where k.client = c.client and c.account = who and k.revoked_at is null;
    get diagnostics keys = row_count;
    delete from ops.session as s where s.subject = who;
    perform audit.append_any(actor, 'account.end', 'account:' || who, null, null,
        jsonb_build_object('reason', reason, 'keys_revoked', keys), 'ok');
    return true;
end $$;

alter function audit.record_sign_in(text, text, text, text, boolean) owner to onefold_definer;
alter function audit.end_account(text, text, text) owner to onefold_definer;
revoke all on function ops.follow_account(text), audit.record_sign_in(text, text, text, text, boolean),
    audit.end_account(text, text, text) from public;
grant execute on function ops.follow_account(text) to onefold_definer;
grant select, insert, update on ops.account to onefold_definer;
grant select on ops.api_client to onefold_definer;
grant select, update (revoked_at) on ops.api_key to onefold_definer;
grant select, delete on ops.session to onefold_definer;
grant select on ops.account to onefold_loader, onefold_approvals, onefold_engineer, onefold_auditor;
grant select (account, duty, pii, signed_in_at, ended_at) on ops.account to onefold_api;
grant execute on function audit.record_sign_in(text, text, text, text, boolean) to onefold_approvals;
grant execute on function audit.end_account(text, text, text) to onefold_loader;
comment on table ops.account is 'People who sign in at the company''s identity provider, by issuer and subject, and what their groups allow.';
