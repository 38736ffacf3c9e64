-- generated from catalog/entities/invoice_line.yaml; do not edit (bin/onefold generate)
-- The invoice_line as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/publishing.py).

create or replace view conformed.invoice_line_crosswalk as
select system, stream, key, record, invoice_line_id
from conformed.invoice_line_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'invoice_line')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'invoice_line'));

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.invoice_line_id
            , v.line_key
            , v.invoice_number
            , v.invoice_record
            , invoice_id.invoice_id as invoice_id
            , v.line_number
            , v.sku
            , v.description
            , v.unit
            , v.quantity
            , v.unit_price
            , v.net_amount
            , v.vat_rate
            , v.currency
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(_members, _loads, _mapping_versions, _given, o.attributes, o.origins)
                from conformed.invoice_line_origin as o where o._publish_id <= v._publish_id order by o._publish_id desc limit 1
            ) as _provenance
        from conformed.invoice_line_version as v
        left join conformed.invoice_crosswalk as invoice_id on invoice_id.record = v.invoice_record
        where v._publish_id <= (select publish_id from ops.published where entity = 'invoice_line')
            and (v._ended_publish_id is null or v._ended_publish_id > (select publish_id from ops.published where entity = 'invoice_line'))
    $view$;
begin
    execute 'create or replace view conformed.invoice_line as ' || definition;
exception when invalid_table_definition then
    drop view conformed.invoice_line cascade; -- the marts that read it are made anew by the next publish
    execute 'create view conformed.invoice_line as ' || definition;
end $do$;
comment on table mapped.invoice_line__identifier is 'By what each living record could be recognised at the newest publish.';
comment on table conformed.invoice_line_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.invoice_line_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.invoice_line_version._given is
    'Per attribute of conformed.invoice_line_origin, whose value it is: the place of the record among _members.';
comment on column conformed.invoice_line_version._merged_into is 'The golden record that took in its members, where it ended so.';
comment on table conformed.invoice_line_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.invoice_line is 'Line of an invoice that we issued: the golden records that are published now. One statement sees one publish.';
comment on column conformed.invoice_line.line_key is 'The invoice''s KSeF number and the line''s place.';
comment on column conformed.invoice_line.invoice_number is 'Our number of the invoice.';
comment on column conformed.invoice_line.invoice_record is 'The record of the invoice.';
comment on column conformed.invoice_line.invoice_id is 'The invoice (conformed.invoice) that invoice_record is a record of.';
comment on column conformed.invoice_line.line_number is 'The line''s place on the invoice.';
comment on column conformed.invoice_line.sku is 'Our article number, where the line names it.';
comment on column conformed.invoice_line.description is 'What was sold, as the line says.';
comment on column conformed.invoice_line.unit is 'The unit of quantity, as the line says.';
comment on column conformed.invoice_line.quantity is 'How much.';
comment on column conformed.invoice_line.unit_price is 'The price of one unit without tax.';
comment on column conformed.invoice_line.net_amount is 'The line''s amount without tax, in currency.';
comment on column conformed.invoice_line.vat_rate is 'The tax rate in percent, or why there is none, as the line says.';
comment on column conformed.invoice_line.currency is 'The currency of the amounts, ISO 4217.';

alter view conformed.invoice_line owner to onefold_loader;
alter view conformed.invoice_line_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.invoice_line_version, conformed.invoice_line_crosswalk_version, conformed.invoice_line_origin, conformed.invoice_line, conformed.invoice_line_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.invoice_line__identifier, conformed.invoice_line_version, conformed.invoice_line_crosswalk_version, conformed.invoice_line_origin, conformed.invoice_line, conformed.invoice_line_crosswalk to onefold_engineer;
grant select (
    invoice_line_id, source_of_truth, systems, record_count, _provenance
    , line_key
    , invoice_number
    , invoice_record, invoice_id
    , line_number
    , sku
    , description
    , unit
    , quantity
    , unit_price
    , net_amount
    , vat_rate
    , currency
) on conformed.invoice_line to onefold_analyst, onefold_auditor;
grant select on conformed.invoice_line to onefold_pii;
grant select on conformed.invoice_line_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
