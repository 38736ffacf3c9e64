-- generated from catalog/entities/product.yaml; do not edit (bin/onefold generate)
-- The product as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/publishing.py).

create or replace view conformed.product_crosswalk as
select system, stream, key, record, product_id
from conformed.product_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'product')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'product'));

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.product_id
            , v.sku
            , v.ean
            , v.name
            , v.unit
            , v.net_price
            , v.currency
            , v.vat_rate
            , v.active
            , v.last_changed
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(_members, _loads, _mapping_versions, _given, o.attributes, o.origins)
                from conformed.product_origin as o where o._publish_id <= v._publish_id order by o._publish_id desc limit 1
            ) as _provenance
        from conformed.product_version as v
        where v._publish_id <= (select publish_id from ops.published where entity = 'product')
            and (v._ended_publish_id is null or v._ended_publish_id > (select publish_id from ops.published where entity = 'product'))
    $view$;
begin
    execute 'create or replace view conformed.product as ' || definition;
exception when invalid_table_definition then
    drop view conformed.product cascade; -- the marts that read it are made anew by the next publish
    execute 'create view conformed.product as ' || definition;
end $do$;
comment on table mapped.product__identifier is 'By what each living record could be recognised at the newest publish.';
comment on table conformed.product_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.product_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.product_version._given is
    'Per attribute of conformed.product_origin, whose value it is: the place of the record among _members.';
comment on column conformed.product_version._merged_into is 'The golden record that took in its members, where it ended so.';
comment on table conformed.product_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.product is 'Product: the golden records that are published now. One statement sees one publish.';
comment on column conformed.product.sku is 'Our article number.';
comment on column conformed.product.ean is 'The article number in trade (GTIN), with a right check digit.';
comment on column conformed.product.name is 'What it is called in Polish.';
comment on column conformed.product.unit is 'The unit in which it is sold - piece, m, kg, pack.';
comment on column conformed.product.net_price is 'The list price without tax, in currency.';
comment on column conformed.product.currency is 'The currency of net_price, ISO 4217.';
comment on column conformed.product.vat_rate is 'The VAT rate in percent.';
comment on column conformed.product.active is 'Whether it is sold.';
comment on column conformed.product.last_changed is 'When its data last changed in any system.';

alter view conformed.product owner to onefold_loader;
alter view conformed.product_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.product_version, conformed.product_crosswalk_version, conformed.product_origin, conformed.product, conformed.product_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.product__identifier, conformed.product_version, conformed.product_crosswalk_version, conformed.product_origin, conformed.product, conformed.product_crosswalk to onefold_engineer;
grant select (
    product_id, source_of_truth, systems, record_count, _provenance
    , sku
    , ean
    , name
    , unit
    , net_price
    , currency
    , vat_rate
    , active
    , last_changed
) on conformed.product to onefold_analyst, onefold_auditor;
grant select on conformed.product to onefold_pii;
grant select on conformed.product_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
