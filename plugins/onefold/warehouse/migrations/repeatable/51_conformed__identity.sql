-- generated from catalog/entities/identity.yaml; do not edit (bin/onefold generate)
-- The identity as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/publishing.py).

create or replace view conformed.identity_crosswalk as
select system, stream, key, record, identity_id
from conformed.identity_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'identity')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'identity'));

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.identity_id
            , v.email
            , v.username
            , v.first_name
            , v.last_name
            , v.enabled
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(_members, _loads, _mapping_versions, _given, o.attributes, o.origins)
                from conformed.identity_origin as o where o._publish_id <= v._publish_id order by o._publish_id desc limit 1
            ) as _provenance
        from conformed.identity_version as v
        where v._publish_id <= (select publish_id from ops.published where entity = 'identity')
            and (v._ended_publish_id is null or v._ended_publish_id > (select publish_id from ops.published where entity = 'identity'))
    $view$;
begin
    execute 'create or replace view conformed.identity as ' || definition;
exception when invalid_table_definition then
    drop view conformed.identity cascade; -- the marts that read it are made anew by the next publish
    execute 'create view conformed.identity as ' || definition;
end $do$;
comment on table mapped.identity__identifier is 'By what each living record could be recognised at the newest publish.';
comment on table conformed.identity_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.identity_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.identity_version._given is
    'Per attribute of conformed.identity_origin, whose value it is: the place of the record among _members.';
comment on column conformed.identity_version._merged_into is 'The golden record that took in its members, where it ended so.';
comment on table conformed.identity_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.identity is 'Account with which somebody signs in: the golden records that are published now. One statement sees one publish.';
comment on column conformed.identity.email is 'The address that all the person''s accounts have in common.';
comment on column conformed.identity.username is 'The name to sign in with.';
comment on column conformed.identity.first_name is 'The first name.';
comment on column conformed.identity.last_name is 'The surname.';
comment on column conformed.identity.enabled is 'Whether the account may be used.';

alter view conformed.identity owner to onefold_loader;
alter view conformed.identity_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.identity_version, conformed.identity_crosswalk_version, conformed.identity_origin, conformed.identity, conformed.identity_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.identity__identifier, conformed.identity_version, conformed.identity_crosswalk_version, conformed.identity_origin, conformed.identity, conformed.identity_crosswalk to onefold_engineer;
grant select (
    identity_id, source_of_truth, systems, record_count, _provenance
    , enabled
) on conformed.identity to onefold_analyst, onefold_auditor;
grant select on conformed.identity to onefold_pii;
grant select on conformed.identity_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
