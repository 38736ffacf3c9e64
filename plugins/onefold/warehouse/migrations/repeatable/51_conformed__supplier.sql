-- generated from catalog/entities/supplier.yaml; do not edit (bin/onefold generate)
-- The supplier as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/publishing.py).

create or replace view conformed.supplier_crosswalk as
select system, stream, key, record, supplier_id
from conformed.supplier_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'supplier')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'supplier'));

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.supplier_id
            , v.legal_name
            , v.tax_id_pl
            , v.regon
            , v.email
            , v.phone
            , v.street
            , v.postal_code
            , v.city
            , v.country
            , v.iban
            , v.currency
            , v.status
            , v.last_changed
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(_members, _loads, _mapping_versions, _given, o.attributes, o.origins)
                from conformed.supplier_origin as o where o._publish_id <= v._publish_id order by o._publish_id desc limit 1
            ) as _provenance
        from conformed.supplier_version as v
        where v._publish_id <= (select publish_id from ops.published where entity = 'supplier')
            and (v._ended_publish_id is null or v._ended_publish_id > (select publish_id from ops.published where entity = 'supplier'))
    $view$;
begin
    execute 'create or replace view conformed.supplier as ' || definition;
exception when invalid_table_definition then
    drop view conformed.supplier cascade; -- the marts that read it are made anew by the next publish
    execute 'create view conformed.supplier as ' || definition;
end $do$;
comment on table mapped.supplier__identifier is 'By what each living record could be recognised at the newest publish.';
comment on table conformed.supplier_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.supplier_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.supplier_version._given is
    'Per attribute of conformed.supplier_origin, whose value it is: the place of the record among _members.';
comment on column conformed.supplier_version._merged_into is 'The golden record that took in its members, where it ended so.';
comment on table conformed.supplier_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.supplier is 'Supplier: the golden records that are published now. One statement sees one publish.';
comment on column conformed.supplier.legal_name is 'The name in law, in the usual spelling.';
comment on column conformed.supplier.tax_id_pl is 'The Polish tax number (NIP), ten digits.';
comment on column conformed.supplier.regon is 'The statistical number (REGON), nine digits.';
comment on column conformed.supplier.email is 'The address for electronic mail.';
comment on column conformed.supplier.phone is 'The telephone number, as E.164.';
comment on column conformed.supplier.street is 'Street and number of the seat.';
comment on column conformed.supplier.postal_code is 'The Polish postal code of the seat.';
comment on column conformed.supplier.city is 'The town of the seat.';
comment on column conformed.supplier.country is 'The country of the seat, ISO 3166-1 alpha-2.';
comment on column conformed.supplier.iban is 'The bank account to which we pay, with a right checksum.';
comment on column conformed.supplier.currency is 'The currency of our payments, ISO 4217.';
comment on column conformed.supplier.status is 'active or inactive.';
comment on column conformed.supplier.last_changed is 'When its data last changed.';

alter view conformed.supplier owner to onefold_loader;
alter view conformed.supplier_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.supplier_version, conformed.supplier_crosswalk_version, conformed.supplier_origin, conformed.supplier, conformed.supplier_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.supplier__identifier, conformed.supplier_version, conformed.supplier_crosswalk_version, conformed.supplier_origin, conformed.supplier, conformed.supplier_crosswalk to onefold_engineer;
grant select (
    supplier_id, source_of_truth, systems, record_count, _provenance
    , legal_name
    , tax_id_pl
    , regon
    , country
    , currency
    , status
    , last_changed
) on conformed.supplier to onefold_analyst, onefold_auditor;
grant select on conformed.supplier to onefold_pii;
grant select on conformed.supplier_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
