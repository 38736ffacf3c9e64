-- generated from catalog/entities/payment.yaml; do not edit (bin/onefold generate)
-- The payment as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/publishing.py).

create or replace view conformed.payment_crosswalk as
select system, stream, key, record, payment_id
from conformed.payment_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'payment')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'payment'));

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.payment_id
            , v.payment_key
            , v.invoice_number
            , v.paid_on
            , v.amount
            , v.refunded_amount
            , v.currency
            , v.method
            , v.status
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(_members, _loads, _mapping_versions, _given, o.attributes, o.origins)
                from conformed.payment_origin as o where o._publish_id <= v._publish_id order by o._publish_id desc limit 1
            ) as _provenance
        from conformed.payment_version as v
        where v._publish_id <= (select publish_id from ops.published where entity = 'payment')
            and (v._ended_publish_id is null or v._ended_publish_id > (select publish_id from ops.published where entity = 'payment'))
    $view$;
begin
    execute 'create or replace view conformed.payment as ' || definition;
exception when invalid_table_definition then
    drop view conformed.payment cascade; -- the marts that read it are made anew by the next publish
    execute 'create view conformed.payment as ' || definition;
end $do$;
comment on table mapped.payment__identifier is 'By what each living record could be recognised at the newest publish.';
comment on table conformed.payment_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.payment_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.payment_version._given is
    'Per attribute of conformed.payment_origin, whose value it is: the place of the record among _members.';
comment on column conformed.payment_version._merged_into is 'The golden record that took in its members, where it ended so.';
comment on table conformed.payment_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.payment is 'Payment for an invoice of ours: the golden records that are published now. One statement sees one publish.';
comment on column conformed.payment.payment_key is 'What the bank or the payment service calls it.';
comment on column conformed.payment.invoice_number is 'The invoice that it names.';
comment on column conformed.payment.paid_on is 'The day on which it was paid.';
comment on column conformed.payment.amount is 'How much was paid, in currency.';
comment on column conformed.payment.refunded_amount is 'How much of it was given back. That alone does not open the invoice again - a correction does.';
comment on column conformed.payment.currency is 'The currency of the amounts, ISO 4217.';
comment on column conformed.payment.method is 'How it was paid - card, transfer or blik.';
comment on column conformed.payment.status is 'paid, pending or failed.';

alter view conformed.payment owner to onefold_loader;
alter view conformed.payment_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.payment_version, conformed.payment_crosswalk_version, conformed.payment_origin, conformed.payment, conformed.payment_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.payment__identifier, conformed.payment_version, conformed.payment_crosswalk_version, conformed.payment_origin, conformed.payment, conformed.payment_crosswalk to onefold_engineer;
grant select (
    payment_id, source_of_truth, systems, record_count, _provenance
    , payment_key
    , invoice_number
    , paid_on
    , amount
    , refunded_amount
    , currency
    , method
    , status
) on conformed.payment to onefold_analyst, onefold_auditor;
grant select on conformed.payment to onefold_pii;
grant select on conformed.payment_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
