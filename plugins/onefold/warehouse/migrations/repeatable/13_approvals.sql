-- Four eyes: what is asked, and what somebody other than the requester decides about it. onefold.audit.approval calls
-- these; the engine may ask and withdraw, the API server alone may decide, for it has seen who signed in.

create or replace function audit.ask_approval(
    actor text, subject text, dag_id text, run_id text, requested_by text, plan text, content_sha256 text
) returns bigint language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    hash   text := encode(sha256(convert_to(plan, 'UTF8')), 'hex');
    number bigint;
begin
    insert into ops.approval (subject, dag_id, run_id, requested_by, plan, plan_sha256, content_sha256)
    values (subject, dag_id, run_id, requested_by, plan, hash, content_sha256) returning approval_id into number;
    perform audit.append_any(actor, 'approval.request', subject, null, null, jsonb_build_object('approval', number,
        'dag_id', dag_id, 'run_id', run_id, 'requested_by', requested_by, 'plan_sha256', hash,
        'content_sha256', content_sha256), 'ok');
    return number;
end $$;

-- The state of an operation that keeps one, held until the commit; null for any other.
create or replace function audit.operation_state(subject text) returns text
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    number bigint := split_part(subject, ':', 2)::bigint;
    found  text;
begin
    case split_part(subject, ':', 1)
        when 'rollback' then select state into found from ops.rollback where rollback_id = number for update;
        when 'migration' then select state into found from ops.migration where migration_id = number for update;
        when 'erasure' then select state into found from ops.erasure where erasure_id = number for update;
        when 'plan' then select state into found from ops.plan where plan_id = number for update;
        when 'writeback' then select state into found from ops.write_back_plan where plan_id = number for update;
        else return null;
    end case;
    return found;
end $$;

-- Returns null when the decision is recorded, else why it is not; a refused attempt is an event too.
create or replace function audit.decide_approval(
    approval bigint, approved boolean, who text, started_by text, shown_sha256 text
) returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    ask        ops.approval%rowtype;
    operation  text;
    state      text;
    requesters text[];
    facts      jsonb;
    why        text;
    wrong      text;
begin
    select * into ask from ops.approval as a where a.approval_id = approval for update;
    if not found then
        return 'There is no such plan to decide about.';
    end if;
    operation := initcap(split_part(ask.subject, ':', 1)) || ' ' || split_part(ask.subject, ':', 2);
    if exists (select from ops.approval as a where a.approval_id > ask.approval_id
            and (a.subject = ask.subject or (a.dag_id, a.run_id) = (ask.dag_id, ask.run_id))) then
        return operation || ' has a newer plan: reload the page and decide about that one. Nothing was changed.';
    end if;
    state := audit.operation_state(ask.subject);
    if state not in ('planned', 'dry_run', 'approved') then
        return format('%s is %s: there is nothing to decide. Nothing was changed.', operation, state);
    end if;
    if approved and ask.decision = 'approved' and ask.decided_by = who then
        return null; -- an answer that was lost on its way is given again
    elsif not approved and ask.decision = 'refused' then
        return null;
    end if;
    if ask.decision is not null and (approved or ask.decision <> 'approved') then
        return format('%s was %s by %s: there is nothing to decide. Nothing was changed.', operation, ask.decision,
            ask.decided_by);
    end if;
    facts := jsonb_build_object('approval', approval, 'plan_sha256', ask.plan_sha256, 'content_sha256', ask.content_sha256,
        'started_by', started_by);
    if approved then
        requesters := array(select a.requested_by from ops.approval as a where a.subject = ask.subject)
            -- A write-back is planned by a run that a publish has started, and nobody else: the run itself is named then.
            || coalesce(started_by, case when ask.subject like 'writeback:%' and ask.requested_by like 'airflow:%/%'
                then ask.requested_by end);
        if who is null or array_position(requesters, null) is not null
           or lower(who) in (select lower(requester) from unnest(requesters) as requester) then
            wrong := 'same_person';
            why := format('%s was started by %s and approved by %s: it must be approved by somebody else than who started '
                'it. Nothing was changed. Let another person approve.', operation,
                coalesce(array_to_string(array(select distinct requester from unnest(requesters) as requester
                    where requester is not null), ', '), 'an unknown person'), coalesce(who, 'an unknown person'));
        elsif shown_sha256 is distinct from ask.plan_sha256 then
            wrong := 'other_plan';
            why := format('%s: what was shown is not the plan that is stored. Nothing was changed. Clear the task that '
                'planned it, and let its new plan be approved.', operation);
        end if;
    end if;
    if why is not null then
        perform audit.append_any(coalesce(who, 'airflow:nobody'), 'approval.deny', ask.subject, null, null,
            facts || jsonb_build_object('reason', wrong), 'refused');
        return why;
    end if;
    perform audit.append_any(coalesce(who, 'airflow:nobody'), case when approved then 'approval.approve'
        else 'approval.refuse' end, ask.subject, null, null, facts, case when approved then 'approved' else 'refused' end);
    update ops.approval as a set decision = case when approved then 'approved' else 'refused' end, decided_by = who,
        decided_at = clock_timestamp() where a.approval_id = approval;
    if approved and ask.subject like 'rollback:%' then
        update ops.rollback as r set approved_by = regexp_replace(who, '^airflow:', '')
        where r.rollback_id = split_part(ask.subject, ':', 2)::bigint;
    elsif approved and ask.subject like 'erasure:%' then
        update ops.erasure as e set approved_by = regexp_replace(who, '^airflow:', '')
        where e.erasure_id = split_part(ask.subject, ':', 2)::bigint;
    elsif approved and ask.subject like 'migration:%' then
        update ops.migration as m set state = 'approved', approver = regexp_replace(who, '^airflow:', '')
        where m.migration_id = split_part(ask.subject, ':', 2)::bigint;
    end if;
    return null;
end $$;

-- What was approved is so no longer: the engine has found that it would do something else.
create or replace function audit.withdraw_approval(actor text, subject text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    number bigint;
begin
    update ops.approval as a set decision = 'withdrawn', decided_by = actor, decided_at = clock_timestamp()
    where a.approval_id = (select max(approval_id) from ops.approval as b where b.subject = withdraw_approval.subject)
    returning a.approval_id into number;
    if number is not null then
        perform audit.append_any(actor, 'approval.withdraw', subject, null, null, jsonb_build_object('approval', number),
            'withdrawn');
    end if;
    if subject like 'migration:%' then
        update ops.migration as m set approver = null where m.migration_id = split_part(subject, ':', 2)::bigint;
    end if;
end $$;

alter function audit.ask_approval(text, text, text, text, text, text, text) owner to onefold_definer;
alter function audit.decide_approval(bigint, boolean, text, text, text) owner to onefold_definer;
alter function audit.withdraw_approval(text, text) owner to onefold_definer;
revoke all on function audit.ask_approval(text, text, text, text, text, text, text) from public;
revoke all on function audit.decide_approval(bigint, boolean, text, text, text) from public;
revoke all on function audit.withdraw_approval(text, text) from public;
revoke all on function audit.operation_state(text) from public;
grant execute on function audit.operation_state(text) to onefold_definer;
