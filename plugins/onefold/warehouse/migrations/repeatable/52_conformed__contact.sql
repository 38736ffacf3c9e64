-- generated from catalog/entities/contact.yaml; do not edit (bin/onefold generate)
-- The contact as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/publishing.py).

create or replace view conformed.contact_crosswalk as
select system, stream, key, record, contact_id
from conformed.contact_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'contact')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'contact'));

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.contact_id
            , v.contact_key
            , v.customer_record
            , customer_id.customer_id as customer_id
            , v.first_name
            , v.last_name
            , v.email
            , v.phone
            , v.mobile
            , v.position
            , v.last_changed
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(_members, _loads, _mapping_versions, _given, o.attributes, o.origins)
                from conformed.contact_origin as o where o._publish_id <= v._publish_id order by o._publish_id desc limit 1
            ) as _provenance
        from conformed.contact_version as v
        left join conformed.customer_crosswalk as customer_id on customer_id.record = v.customer_record
        where v._publish_id <= (select publish_id from ops.published where entity = 'contact')
            and (v._ended_publish_id is null or v._ended_publish_id > (select publish_id from ops.published where entity = 'contact'))
    $view$;
begin
    execute 'create or replace view conformed.contact as ' || definition;
exception when invalid_table_definition then
    drop view conformed.contact cascade; -- the marts that read it are made anew by the next publish
    execute 'create view conformed.contact as ' || definition;
end $do$;
comment on table mapped.contact__identifier is 'By what each living record could be recognised at the newest publish.';
comment on table conformed.contact_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.contact_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.contact_version._given is
    'Per attribute of conformed.contact_origin, whose value it is: the place of the record among _members.';
comment on column conformed.contact_version._merged_into is 'The golden record that took in its members, where it ended so.';
comment on table conformed.contact_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.contact is 'Contact, a person at a customer: the golden records that are published now. One statement sees one publish.';
comment on column conformed.contact.contact_key is 'What the system calls the person.';
comment on column conformed.contact.customer_record is 'The record of the customer for whom the person works.';
comment on column conformed.contact.customer_id is 'The customer (conformed.customer) that customer_record is a record of.';
comment on column conformed.contact.first_name is 'The first name.';
comment on column conformed.contact.last_name is 'The surname.';
comment on column conformed.contact.email is 'The address for electronic mail.';
comment on column conformed.contact.phone is 'The telephone number, as E.164.';
comment on column conformed.contact.mobile is 'The mobile telephone number, as E.164.';
comment on column conformed.contact.position is 'What the person does there.';
comment on column conformed.contact.last_changed is 'When the person''s data last changed.';

alter view conformed.contact owner to onefold_loader;
alter view conformed.contact_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.contact_version, conformed.contact_crosswalk_version, conformed.contact_origin, conformed.contact, conformed.contact_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.contact__identifier, conformed.contact_version, conformed.contact_crosswalk_version, conformed.contact_origin, conformed.contact, conformed.contact_crosswalk to onefold_engineer;
grant select (
    contact_id, source_of_truth, systems, record_count, _provenance
    , contact_key
    , customer_record, customer_id
    , last_changed
) on conformed.contact to onefold_analyst, onefold_auditor;
grant select on conformed.contact to onefold_pii;
grant select on conformed.contact_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
