-- generated from catalog/entities/order_line.yaml; do not edit (bin/onefold generate)
-- The order_line as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/publishing.py).

create or replace view conformed.order_line_crosswalk as
select system, stream, key, record, order_line_id
from conformed.order_line_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'order_line')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'order_line'));

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.order_line_id
            , v.line_key
            , v.order_record
            , order_id.order_id as order_id
            , v.line_number
            , v.sku
            , v.quantity
            , v.net_amount
            , v.currency
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(_members, _loads, _mapping_versions, _given, o.attributes, o.origins)
                from conformed.order_line_origin as o where o._publish_id <= v._publish_id order by o._publish_id desc limit 1
            ) as _provenance
        from conformed.order_line_version as v
        left join conformed.order_crosswalk as order_id on order_id.record = v.order_record
        where v._publish_id <= (select publish_id from ops.published where entity = 'order_line')
            and (v._ended_publish_id is null or v._ended_publish_id > (select publish_id from ops.published where entity = 'order_line'))
    $view$;
begin
    execute 'create or replace view conformed.order_line as ' || definition;
exception when invalid_table_definition then
    drop view conformed.order_line cascade; -- the marts that read it are made anew by the next publish
    execute 'create view conformed.order_line as ' || definition;
end $do$;
comment on table mapped.order_line__identifier is 'By what each living record could be recognised at the newest publish.';
comment on table conformed.order_line_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.order_line_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.order_line_version._given is
    'Per attribute of conformed.order_line_origin, whose value it is: the place of the record among _members.';
comment on column conformed.order_line_version._merged_into is 'The golden record that took in its members, where it ended so.';
comment on table conformed.order_line_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.order_line is 'Line of an order: the golden records that are published now. One statement sees one publish.';
comment on column conformed.order_line.line_key is 'What the system calls the line.';
comment on column conformed.order_line.order_record is 'The record of the order.';
comment on column conformed.order_line.order_id is 'The order (conformed.order) that order_record is a record of.';
comment on column conformed.order_line.line_number is 'What the line is numbered in its order.';
comment on column conformed.order_line.sku is 'Our article number.';
comment on column conformed.order_line.quantity is 'How much, in the product''s unit.';
comment on column conformed.order_line.net_amount is 'The amount without tax, in currency.';
comment on column conformed.order_line.currency is 'The currency of net_amount, ISO 4217.';

alter view conformed.order_line owner to onefold_loader;
alter view conformed.order_line_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.order_line_version, conformed.order_line_crosswalk_version, conformed.order_line_origin, conformed.order_line, conformed.order_line_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.order_line__identifier, conformed.order_line_version, conformed.order_line_crosswalk_version, conformed.order_line_origin, conformed.order_line, conformed.order_line_crosswalk to onefold_engineer;
grant select (
    order_line_id, source_of_truth, systems, record_count, _provenance
    , line_key
    , order_record, order_id
    , line_number
    , sku
    , quantity
    , net_amount
    , currency
) on conformed.order_line to onefold_analyst, onefold_auditor;
grant select on conformed.order_line to onefold_pii;
grant select on conformed.order_line_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
