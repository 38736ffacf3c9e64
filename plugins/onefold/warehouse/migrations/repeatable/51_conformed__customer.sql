-- generated from catalog/entities/customer.yaml; do not edit (bin/onefold generate)
-- The customer as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/publishing.py).

create or replace view conformed.customer_crosswalk as
select system, stream, key, record, customer_id
from conformed.customer_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'customer')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'customer'));

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.customer_id
            , v.legal_name
            , v.tax_id_pl
            , v.regon
            , v.krs
            , v.eu_vat
            , v.email
            , v.phone
            , v.street
            , v.postal_code
            , v.city
            , v.country
            , v.status
            , v.credit_limit
            , v.credit_limit_currency
            , v.registered_on
            , v.last_changed
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(_members, _loads, _mapping_versions, _given, o.attributes, o.origins)
                from conformed.customer_origin as o where o._publish_id <= v._publish_id order by o._publish_id desc limit 1
            ) as _provenance
        from conformed.customer_version as v
        where v._publish_id <= (select publish_id from ops.published where entity = 'customer')
            and (v._ended_publish_id is null or v._ended_publish_id > (select publish_id from ops.published where entity = 'customer'))
    $view$;
begin
    execute 'create or replace view conformed.customer as ' || definition;
exception when invalid_table_definition then
    drop view conformed.customer cascade; -- the marts that read it are made anew by the next publish
    execute 'create view conformed.customer as ' || definition;
end $do$;
comment on table mapped.customer__identifier is 'By what each living record could be recognised at the newest publish.';
comment on table conformed.customer_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.customer_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.customer_version._given is
    'Per attribute of conformed.customer_origin, whose value it is: the place of the record among _members.';
comment on column conformed.customer_version._merged_into is 'The golden record that took in its members, where it ended so.';
comment on table conformed.customer_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.customer is 'Customer: the golden records that are published now. One statement sees one publish.';
comment on column conformed.customer.legal_name is 'The name in law, in the usual spelling, its legal form abbreviated one way.';
comment on column conformed.customer.tax_id_pl is 'The Polish tax number (NIP), ten digits.';
comment on column conformed.customer.regon is 'The statistical number (REGON) of the company itself, nine digits.';
comment on column conformed.customer.krs is 'The number in the court register (KRS), ten digits; sole traders have none.';
comment on column conformed.customer.eu_vat is 'The VAT number in the European Union, with its country''s prefix.';
comment on column conformed.customer.email is 'The address for electronic mail.';
comment on column conformed.customer.phone is 'The telephone number, as E.164.';
comment on column conformed.customer.street is 'Street and number of the seat.';
comment on column conformed.customer.postal_code is 'The Polish postal code of the seat, 00-950.';
comment on column conformed.customer.city is 'The town of the seat.';
comment on column conformed.customer.country is 'The country of the seat, ISO 3166-1 alpha-2.';
comment on column conformed.customer.status is 'Whether we do business with it - active, inactive or prospect (not yet).';
comment on column conformed.customer.credit_limit is 'How much the customer may owe us, in credit_limit_currency.';
comment on column conformed.customer.credit_limit_currency is 'The currency of credit_limit, ISO 4217.';
comment on column conformed.customer.registered_on is 'The day of the entry in the court register.';
comment on column conformed.customer.last_changed is 'When the customer''s data last changed in any system.';

alter view conformed.customer owner to onefold_loader;
alter view conformed.customer_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.customer_version, conformed.customer_crosswalk_version, conformed.customer_origin, conformed.customer, conformed.customer_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.customer__identifier, conformed.customer_version, conformed.customer_crosswalk_version, conformed.customer_origin, conformed.customer, conformed.customer_crosswalk to onefold_engineer;
grant select (
    customer_id, source_of_truth, systems, record_count, _provenance
    , legal_name
    , tax_id_pl
    , regon
    , krs
    , eu_vat
    , country
    , status
    , credit_limit
    , credit_limit_currency
    , registered_on
    , last_changed
) on conformed.customer to onefold_analyst, onefold_auditor;
grant select on conformed.customer to onefold_pii;
grant select on conformed.customer_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
