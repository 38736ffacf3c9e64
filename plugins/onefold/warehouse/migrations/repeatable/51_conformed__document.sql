-- generated from catalog/entities/document.yaml; do not edit (bin/onefold generate)
-- The document as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/publishing.py).

create or replace view conformed.document_crosswalk as
select system, stream, key, record, document_id
from conformed.document_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'document')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'document'));

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.document_id
            , v.document_key
            , v.name
            , v.folder
            , v.mime_type
            , v.size_bytes
            , v.modified_by
            , v.created_at
            , v.last_changed
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(_members, _loads, _mapping_versions, _given, o.attributes, o.origins)
                from conformed.document_origin as o where o._publish_id <= v._publish_id order by o._publish_id desc limit 1
            ) as _provenance
        from conformed.document_version as v
        where v._publish_id <= (select publish_id from ops.published where entity = 'document')
            and (v._ended_publish_id is null or v._ended_publish_id > (select publish_id from ops.published where entity = 'document'))
    $view$;
begin
    execute 'create or replace view conformed.document as ' || definition;
exception when invalid_table_definition then
    drop view conformed.document cascade; -- the marts that read it are made anew by the next publish
    execute 'create view conformed.document as ' || definition;
end $do$;
comment on table mapped.document__identifier is 'By what each living record could be recognised at the newest publish.';
comment on table conformed.document_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.document_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.document_version._given is
    'Per attribute of conformed.document_origin, whose value it is: the place of the record among _members.';
comment on column conformed.document_version._merged_into is 'The golden record that took in its members, where it ended so.';
comment on table conformed.document_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.document is 'File in somebody''s OneDrive: the golden records that are published now. One statement sees one publish.';
comment on column conformed.document.document_key is 'The drive''s owner and the file.';
comment on column conformed.document.name is 'What the file is called.';
comment on column conformed.document.folder is 'Where it is.';
comment on column conformed.document.mime_type is 'What kind of file it is; folders have none.';
comment on column conformed.document.size_bytes is 'How large it is.';
comment on column conformed.document.modified_by is 'Who changed it last.';
comment on column conformed.document.created_at is 'When it was made.';
comment on column conformed.document.last_changed is 'When it last changed.';

alter view conformed.document owner to onefold_loader;
alter view conformed.document_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.document_version, conformed.document_crosswalk_version, conformed.document_origin, conformed.document, conformed.document_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.document__identifier, conformed.document_version, conformed.document_crosswalk_version, conformed.document_origin, conformed.document, conformed.document_crosswalk to onefold_engineer;
grant select (
    document_id, source_of_truth, systems, record_count, _provenance
    , document_key
    , mime_type
    , size_bytes
    , created_at
    , last_changed
) on conformed.document to onefold_analyst, onefold_auditor;
grant select on conformed.document to onefold_pii;
grant select on conformed.document_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
