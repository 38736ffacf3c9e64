-- generated from catalog/entities/order.yaml; do not edit (bin/onefold generate)
-- The order as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/publishing.py).

create or replace view conformed.order_crosswalk as
select system, stream, key, record, order_id
from conformed.order_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'order')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'order'));

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.order_id
            , v.order_number
            , v.customer_record
            , customer_id.customer_id as customer_id
            , v.ordered_on
            , v.status
            , v.currency
            , v.net_amount
            , v.last_changed
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(_members, _loads, _mapping_versions, _given, o.attributes, o.origins)
                from conformed.order_origin as o where o._publish_id <= v._publish_id order by o._publish_id desc limit 1
            ) as _provenance
        from conformed.order_version as v
        left join conformed.customer_crosswalk as customer_id on customer_id.record = v.customer_record
        where v._publish_id <= (select publish_id from ops.published where entity = 'order')
            and (v._ended_publish_id is null or v._ended_publish_id > (select publish_id from ops.published where entity = 'order'))
    $view$;
begin
    execute 'create or replace view conformed.order as ' || definition;
exception when invalid_table_definition then
    drop view conformed.order cascade; -- the marts that read it are made anew by the next publish
    execute 'create view conformed.order as ' || definition;
end $do$;
comment on table mapped.order__identifier is 'By what each living record could be recognised at the newest publish.';
comment on table conformed.order_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.order_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.order_version._given is
    'Per attribute of conformed.order_origin, whose value it is: the place of the record among _members.';
comment on column conformed.order_version._merged_into is 'The golden record that took in its members, where it ended so.';
comment on table conformed.order_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.order is 'Order that a customer placed with us: the golden records that are published now. One statement sees one publish.';
comment on column conformed.order.order_number is 'Our number of the order, which stands on the invoice.';
comment on column conformed.order.customer_record is 'The record of the customer who placed it.';
comment on column conformed.order.customer_id is 'The customer (conformed.customer) that customer_record is a record of.';
comment on column conformed.order.ordered_on is 'The day of the order.';
comment on column conformed.order.status is 'new, confirmed, shipped, completed or cancelled.';
comment on column conformed.order.currency is 'The currency of the amounts, ISO 4217.';
comment on column conformed.order.net_amount is 'The sum of the lines without tax.';
comment on column conformed.order.last_changed is 'When the order last changed.';

alter view conformed.order owner to onefold_loader;
alter view conformed.order_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.order_version, conformed.order_crosswalk_version, conformed.order_origin, conformed.order, conformed.order_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.order__identifier, conformed.order_version, conformed.order_crosswalk_version, conformed.order_origin, conformed.order, conformed.order_crosswalk to onefold_engineer;
grant select (
    order_id, source_of_truth, systems, record_count, _provenance
    , order_number
    , customer_record, customer_id
    , ordered_on
    , status
    , currency
    , net_amount
    , last_changed
) on conformed.order to onefold_analyst, onefold_auditor;
grant select on conformed.order to onefold_pii;
grant select on conformed.order_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
