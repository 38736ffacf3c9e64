-- generated from catalog/entities/document.yaml; do not edit (bin/onefold generate)
-- The document as it is published: its versions, the views that analysts query, and who may read which column.
-- The tables' indexes are made by the first publish, after its rows are in: conform/publishing.py.

create table if not exists mapped.document__identifier (
    record text collate "C" not null,
    _load_id bigint not null
);
alter table mapped.document__identifier add column if not exists document_key text;
comment on table mapped.document__identifier is 'By what each living record could be recognised at the newest publish.';

create table if not exists conformed.document_version (
    document_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _members text[] not null,
    _loads bigint[] not null,
    _mapping_versions int[] not null,
    _given int[] not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid
);
alter table conformed.document_version add column if not exists document_key text;
alter table conformed.document_version add column if not exists name text;
alter table conformed.document_version add column if not exists folder text;
alter table conformed.document_version add column if not exists mime_type text;
alter table conformed.document_version add column if not exists size_bytes numeric;
alter table conformed.document_version add column if not exists modified_by text;
alter table conformed.document_version add column if not exists created_at timestamptz;
alter table conformed.document_version add column if not exists last_changed timestamptz;
comment on table conformed.document_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.document_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.document_version._given is
    'Per attribute of conformed.document_origin, whose value it is: the place of the record among _members.';
comment on column conformed.document_version._merged_into is 'The golden record that took in its members, where it ended so.';

create table if not exists conformed.document_crosswalk_version (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    document_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint
);

create table if not exists conformed.document_origin (
    _publish_id bigint primary key,
    attributes text[] not null,
    origins jsonb not null
);
comment on table conformed.document_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';

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
comment on view conformed.document is 'File in somebody''s OneDrive: the golden records that are published now. One statement sees one publish.';
comment on column conformed.document.document_key is 'The drive''s owner and the file.';
comment on column conformed.document.name is 'What the file is called.';
comment on column conformed.document.folder is 'Where it is.';
comment on column conformed.document.mime_type is 'What kind of file it is; folders have none.';
comment on column conformed.document.size_bytes is 'How large it is.';
comment on column conformed.document.modified_by is 'Who changed it last.';
comment on column conformed.document.created_at is 'When it was made.';
comment on column conformed.document.last_changed is 'When it last changed.';

alter table mapped.document__identifier owner to onefold_loader;
alter table conformed.document_version owner to onefold_loader;
alter table conformed.document_crosswalk_version owner to onefold_loader;
alter table conformed.document_origin owner to onefold_loader;
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
