-- generated from catalog/entities/message.yaml; do not edit (bin/onefold generate)
-- The message as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/publishing.py).

create or replace view conformed.message_crosswalk as
select system, stream, key, record, message_id
from conformed.message_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'message')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'message'));

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.message_id
            , v.message_key
            , v.channel
            , v.internet_message_id
            , v.subject
            , v.sender
            , v.received_at
            , v.has_attachments
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(_members, _loads, _mapping_versions, _given, o.attributes, o.origins)
                from conformed.message_origin as o where o._publish_id <= v._publish_id order by o._publish_id desc limit 1
            ) as _provenance
        from conformed.message_version as v
        where v._publish_id <= (select publish_id from ops.published where entity = 'message')
            and (v._ended_publish_id is null or v._ended_publish_id > (select publish_id from ops.published where entity = 'message'))
    $view$;
begin
    execute 'create or replace view conformed.message as ' || definition;
exception when invalid_table_definition then
    drop view conformed.message cascade; -- the marts that read it are made anew by the next publish
    execute 'create view conformed.message as ' || definition;
end $do$;
comment on table mapped.message__identifier is 'By what each living record could be recognised at the newest publish.';
comment on table conformed.message_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.message_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.message_version._given is
    'Per attribute of conformed.message_origin, whose value it is: the place of the record among _members.';
comment on column conformed.message_version._merged_into is 'The golden record that took in its members, where it ended so.';
comment on table conformed.message_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.message is 'E-mail or official letter, its heading only: the golden records that are published now. One statement sees one publish.';
comment on column conformed.message.message_key is 'What the mailbox calls it.';
comment on column conformed.message.channel is 'The way that it came - email or epuap.';
comment on column conformed.message.internet_message_id is 'The id that it has in every mailbox.';
comment on column conformed.message.subject is 'What it is about; of a letter, the name of its file.';
comment on column conformed.message.sender is 'The address of the sender, or of the sender''s box.';
comment on column conformed.message.received_at is 'When it came; of a letter, when it was sent.';
comment on column conformed.message.has_attachments is 'Whether something is attached.';

alter view conformed.message owner to onefold_loader;
alter view conformed.message_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.message_version, conformed.message_crosswalk_version, conformed.message_origin, conformed.message, conformed.message_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.message__identifier, conformed.message_version, conformed.message_crosswalk_version, conformed.message_origin, conformed.message, conformed.message_crosswalk to onefold_engineer;
grant select (
    message_id, source_of_truth, systems, record_count, _provenance
    , message_key
    , channel
    , internet_message_id
    , received_at
    , has_attachments
) on conformed.message to onefold_analyst, onefold_auditor;
grant select on conformed.message to onefold_pii;
grant select on conformed.message_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
