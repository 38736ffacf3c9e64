-- The << name >> as it is published: its versions, the views that analysts query, and who may read which column.
<% set versions = 'conformed.' ~ name ~ '_version' %>
<% set crosswalk = 'conformed.' ~ name ~ '_crosswalk_version' %>
<% set known_table = 'mapped.' ~ name ~ '__identifier' %>
<% set published = "(select publish_id from ops.published where entity = '" ~ name ~ "')" %>

create table if not exists << known_table >> (
    record text collate "C" primary key,
    _load_id bigint not null
);
<% for column, type in known.items() if column not in ('record', '_load_id') %>
alter table << known_table >> add column if not exists << column >> << type >>;
<% endfor %>
create index if not exists << name >>__identifier_by_load on << known_table >> (_load_id);
<% for column in identifiers %>
create index if not exists << name >>__identifier_by_<< column >> on << known_table >> (<< column >>) where << column >> is not null;
<% endfor %>
comment on table << known_table >> is 'By what each living record could be recognised at the newest publish.';

create table if not exists << versions >> (
    << name >>_id uuid not null,
    source_of_truth text not null,
    _systems text[] not null,
    _records int not null,
    _provenance jsonb not null,
    _mapping_version int not null,
    _hash text not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    _merged_into uuid,
    primary key (<< name >>_id, _publish_id)
);
<% for attribute, spec in attributes.items() %>
alter table << versions >> add column if not exists << attribute >> << spec.type >>;
<% endfor %>
create unique index if not exists << name >>_version_live on << versions >> (<< name >>_id) where _ended_publish_id is null;
comment on table << versions >> is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column << versions >>._merged_into is 'The golden record that took in its members, where it ended so.';

create table if not exists << crosswalk >> (
    record text collate "C" not null,
    system text not null,
    stream text not null,
    key text not null,
    << name >>_id uuid not null,
    _publish_id bigint not null,
    _ended_publish_id bigint,
    primary key (record, _publish_id)
);
create unique index if not exists << name >>_crosswalk_live on << crosswalk >> (record) where _ended_publish_id is null;
create index if not exists << name >>_crosswalk_by_id on << crosswalk >> (<< name >>_id);

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select << name >>_id
<% for attribute in attributes %>
            , << attribute >>
<% endfor %>
            , source_of_truth, _systems as systems, _records as record_count, _provenance
        from << versions >>
        where _publish_id <= << published >>
            and (_ended_publish_id is null or _ended_publish_id > << published >>)
    $view$;
begin
    execute 'create or replace view conformed.<< name >> as ' || definition;
exception when invalid_table_definition then
    drop view conformed.<< name >>;
    execute 'create view conformed.<< name >> as ' || definition;
end $do$;
comment on view conformed.<< name >> is << (entity.title ~ ': the golden records that are published now. One statement sees one publish.') | literal >>;
<% for attribute, spec in attributes.items() %>
comment on column conformed.<< name >>.<< attribute >> is << spec.meaning | literal >>;
<% endfor %>

create or replace view conformed.<< name >>_crosswalk as
select system, stream, key, record, << name >>_id
from << crosswalk >>
where _publish_id <= << published >>
    and (_ended_publish_id is null or _ended_publish_id > << published >>);

alter table << known_table >> owner to onefold_loader;
alter table << versions >> owner to onefold_loader;
alter table << crosswalk >> owner to onefold_loader;
alter view conformed.<< name >> owner to onefold_loader;
alter view conformed.<< name >>_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on << versions >>, << crosswalk >>, conformed.<< name >>, conformed.<< name >>_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on << known_table >>, << versions >>, << crosswalk >>, conformed.<< name >>, conformed.<< name >>_crosswalk to onefold_engineer;
grant select (
    << name >>_id, source_of_truth, systems, record_count, _provenance
<% for attribute in attributes if attribute not in hidden %>
    , << attribute >>
<% endfor %>
) on conformed.<< name >> to onefold_analyst, onefold_auditor;
grant select on conformed.<< name >> to onefold_pii;
grant select on conformed.<< name >>_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
