-- generated from catalog/entities/invoice.yaml; do not edit (bin/onefold generate)
-- The invoice as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/publishing.py).

create or replace view conformed.invoice_crosswalk as
select system, stream, key, record, invoice_id
from conformed.invoice_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'invoice')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'invoice'));

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.invoice_id
            , v.invoice_number
            , v.ksef_number
            , v.kind
            , v.corrects_invoice
            , v.order_number
            , v.customer_tax_id
            , v.customer_record
            , customer_id.customer_id as customer_id
            , v.issued_on
            , v.due_on
            , v.currency
            , v.net_amount
            , v.vat_amount
            , v.gross_amount
            , v.accepted_at
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(_members, _loads, _mapping_versions, _given, o.attributes, o.origins)
                from conformed.invoice_origin as o where o._publish_id <= v._publish_id order by o._publish_id desc limit 1
            ) as _provenance
        from conformed.invoice_version as v
        left join conformed.customer_crosswalk as customer_id on customer_id.record = v.customer_record
        where v._publish_id <= (select publish_id from ops.published where entity = 'invoice')
            and (v._ended_publish_id is null or v._ended_publish_id > (select publish_id from ops.published where entity = 'invoice'))
    $view$;
begin
    execute 'create or replace view conformed.invoice as ' || definition;
exception when invalid_table_definition then
    drop view conformed.invoice cascade; -- the marts that read it are made anew by the next publish
    execute 'create view conformed.invoice as ' || definition;
end $do$;
comment on table mapped.invoice__identifier is 'By what each living record could be recognised at the newest publish.';
comment on table conformed.invoice_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.invoice_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.invoice_version._given is
    'Per attribute of conformed.invoice_origin, whose value it is: the place of the record among _members.';
comment on column conformed.invoice_version._merged_into is 'The golden record that took in its members, where it ended so.';
comment on table conformed.invoice_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.invoice is 'Invoice that we issued; a correction is a document of its own: the golden records that are published now. One statement sees one publish.';
comment on column conformed.invoice.invoice_number is 'Our number of the document.';
comment on column conformed.invoice.ksef_number is 'The number that KSeF gave it.';
comment on column conformed.invoice.kind is 'invoice or correction.';
comment on column conformed.invoice.corrects_invoice is 'The number of the invoice that it corrects.';
comment on column conformed.invoice.order_number is 'Our number of the order that it invoices.';
comment on column conformed.invoice.customer_tax_id is 'The tax number (NIP) of the buyer.';
comment on column conformed.invoice.customer_record is 'The record of the customer whom it is addressed to.';
comment on column conformed.invoice.customer_id is 'The customer (conformed.customer) that customer_record is a record of.';
comment on column conformed.invoice.issued_on is 'The day of issue.';
comment on column conformed.invoice.due_on is 'The day by which it is to be paid.';
comment on column conformed.invoice.currency is 'The currency of the amounts, ISO 4217.';
comment on column conformed.invoice.net_amount is 'The sum of the lines without tax.';
comment on column conformed.invoice.vat_amount is 'The tax, in the invoice''s currency.';
comment on column conformed.invoice.gross_amount is 'What is to be paid; negative on a correction that gives back.';
comment on column conformed.invoice.accepted_at is 'When KSeF took it in for good.';

alter view conformed.invoice owner to onefold_loader;
alter view conformed.invoice_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.invoice_version, conformed.invoice_crosswalk_version, conformed.invoice_origin, conformed.invoice, conformed.invoice_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.invoice__identifier, conformed.invoice_version, conformed.invoice_crosswalk_version, conformed.invoice_origin, conformed.invoice, conformed.invoice_crosswalk to onefold_engineer;
grant select (
    invoice_id, source_of_truth, systems, record_count, _provenance
    , invoice_number
    , ksef_number
    , kind
    , corrects_invoice
    , order_number
    , customer_tax_id
    , customer_record, customer_id
    , issued_on
    , due_on
    , currency
    , net_amount
    , vat_amount
    , gross_amount
    , accepted_at
) on conformed.invoice to onefold_analyst, onefold_auditor;
grant select on conformed.invoice to onefold_pii;
grant select on conformed.invoice_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
