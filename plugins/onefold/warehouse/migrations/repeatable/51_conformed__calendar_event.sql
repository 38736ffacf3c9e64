-- generated from catalog/entities/calendar_event.yaml; do not edit (bin/onefold generate)
-- The calendar_event as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/publishing.py).

create or replace view conformed.calendar_event_crosswalk as
select system, stream, key, record, calendar_event_id
from conformed.calendar_event_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'calendar_event')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'calendar_event'));

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.calendar_event_id
            , v.event_key
            , v.meeting_key
            , v.subject
            , v.organizer_email
            , v.starts_at
            , v.ends_at
            , v.all_day
            , v.cancelled
            , v.online
            , v.last_changed
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(_members, _loads, _mapping_versions, _given, o.attributes, o.origins)
                from conformed.calendar_event_origin as o where o._publish_id <= v._publish_id order by o._publish_id desc limit 1
            ) as _provenance
        from conformed.calendar_event_version as v
        where v._publish_id <= (select publish_id from ops.published where entity = 'calendar_event')
            and (v._ended_publish_id is null or v._ended_publish_id > (select publish_id from ops.published where entity = 'calendar_event'))
    $view$;
begin
    execute 'create or replace view conformed.calendar_event as ' || definition;
exception when invalid_table_definition then
    drop view conformed.calendar_event cascade; -- the marts that read it are made anew by the next publish
    execute 'create view conformed.calendar_event as ' || definition;
end $do$;
comment on table mapped.calendar_event__identifier is 'By what each living record could be recognised at the newest publish.';
comment on table conformed.calendar_event_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.calendar_event_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.calendar_event_version._given is
    'Per attribute of conformed.calendar_event_origin, whose value it is: the place of the record among _members.';
comment on column conformed.calendar_event_version._merged_into is 'The golden record that took in its members, where it ended so.';
comment on table conformed.calendar_event_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.calendar_event is 'Event in somebody''s calendar: the golden records that are published now. One statement sees one publish.';
comment on column conformed.calendar_event.event_key is 'The calendar''s owner and the event.';
comment on column conformed.calendar_event.meeting_key is 'What the meeting is called in the calendars of all who take part.';
comment on column conformed.calendar_event.subject is 'What it is about.';
comment on column conformed.calendar_event.organizer_email is 'Who invites.';
comment on column conformed.calendar_event.starts_at is 'When it begins.';
comment on column conformed.calendar_event.ends_at is 'When it ends.';
comment on column conformed.calendar_event.all_day is 'Whether it takes whole days.';
comment on column conformed.calendar_event.cancelled is 'Whether it was called off.';
comment on column conformed.calendar_event.online is 'Whether it takes place online.';
comment on column conformed.calendar_event.last_changed is 'When it last changed.';

alter view conformed.calendar_event owner to onefold_loader;
alter view conformed.calendar_event_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.calendar_event_version, conformed.calendar_event_crosswalk_version, conformed.calendar_event_origin, conformed.calendar_event, conformed.calendar_event_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.calendar_event__identifier, conformed.calendar_event_version, conformed.calendar_event_crosswalk_version, conformed.calendar_event_origin, conformed.calendar_event, conformed.calendar_event_crosswalk to onefold_engineer;
grant select (
    calendar_event_id, source_of_truth, systems, record_count, _provenance
    , event_key
    , meeting_key
    , starts_at
    , ends_at
    , all_day
    , cancelled
    , online
    , last_changed
) on conformed.calendar_event to onefold_analyst, onefold_auditor;
grant select on conformed.calendar_event to onefold_pii;
grant select on conformed.calendar_event_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
