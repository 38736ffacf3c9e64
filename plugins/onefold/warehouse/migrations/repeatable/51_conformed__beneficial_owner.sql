-- generated from catalog/entities/beneficial_owner.yaml; do not edit (bin/onefold generate)
-- The beneficial_owner as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/publishing.py).

create or replace view conformed.beneficial_owner_crosswalk as
select system, stream, key, record, beneficial_owner_id
from conformed.beneficial_owner_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'beneficial_owner')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'beneficial_owner'));

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.beneficial_owner_id
            , v.owner_key
            , v.company_krs
            , v.company_tax_id
            , v.first_name
            , v.last_name
            , v.group_name
            , v.pesel
            , v.born_on
            , v.citizenship
            , v.residence
            , v.share
            , v.share_unit
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(_members, _loads, _mapping_versions, _given, o.attributes, o.origins)
                from conformed.beneficial_owner_origin as o where o._publish_id <= v._publish_id order by o._publish_id desc limit 1
            ) as _provenance
        from conformed.beneficial_owner_version as v
        where v._publish_id <= (select publish_id from ops.published where entity = 'beneficial_owner')
            and (v._ended_publish_id is null or v._ended_publish_id > (select publish_id from ops.published where entity = 'beneficial_owner'))
    $view$;
begin
    execute 'create or replace view conformed.beneficial_owner as ' || definition;
exception when invalid_table_definition then
    drop view conformed.beneficial_owner cascade; -- the marts that read it are made anew by the next publish
    execute 'create view conformed.beneficial_owner as ' || definition;
end $do$;
comment on table mapped.beneficial_owner__identifier is 'By what each living record could be recognised at the newest publish.';
comment on table conformed.beneficial_owner_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.beneficial_owner_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.beneficial_owner_version._given is
    'Per attribute of conformed.beneficial_owner_origin, whose value it is: the place of the record among _members.';
comment on column conformed.beneficial_owner_version._merged_into is 'The golden record that took in its members, where it ended so.';
comment on table conformed.beneficial_owner_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.beneficial_owner is 'Beneficial owner of a company: the golden records that are published now. One statement sees one publish.';
comment on column conformed.beneficial_owner.owner_key is 'The company, the notification and the place in it.';
comment on column conformed.beneficial_owner.company_krs is 'The number of the company in the court register.';
comment on column conformed.beneficial_owner.company_tax_id is 'The tax number (NIP) of the company.';
comment on column conformed.beneficial_owner.first_name is 'The person''s first name.';
comment on column conformed.beneficial_owner.last_name is 'The person''s surname.';
comment on column conformed.beneficial_owner.group_name is 'The name of a group of owners who are not named one by one.';
comment on column conformed.beneficial_owner.pesel is 'The person''s number (PESEL), where there is one.';
comment on column conformed.beneficial_owner.born_on is 'The day of birth of a person without PESEL.';
comment on column conformed.beneficial_owner.citizenship is 'The first citizenship, ISO 3166-1 alpha-2.';
comment on column conformed.beneficial_owner.residence is 'The country in which the person lives, ISO 3166-1 alpha-2.';
comment on column conformed.beneficial_owner.share is 'How much the person holds directly, in share_unit.';
comment on column conformed.beneficial_owner.share_unit is 'What share counts.';

alter view conformed.beneficial_owner owner to onefold_loader;
alter view conformed.beneficial_owner_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.beneficial_owner_version, conformed.beneficial_owner_crosswalk_version, conformed.beneficial_owner_origin, conformed.beneficial_owner, conformed.beneficial_owner_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.beneficial_owner__identifier, conformed.beneficial_owner_version, conformed.beneficial_owner_crosswalk_version, conformed.beneficial_owner_origin, conformed.beneficial_owner, conformed.beneficial_owner_crosswalk to onefold_engineer;
grant select (
    beneficial_owner_id, source_of_truth, systems, record_count, _provenance
    , owner_key
    , company_krs
    , company_tax_id
    , group_name
    , share_unit
) on conformed.beneficial_owner to onefold_analyst, onefold_auditor;
grant select on conformed.beneficial_owner to onefold_pii;
grant select on conformed.beneficial_owner_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
