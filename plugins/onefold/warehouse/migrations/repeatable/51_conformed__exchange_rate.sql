-- generated from catalog/entities/exchange_rate.yaml; do not edit (bin/onefold generate)
-- The exchange_rate as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/publishing.py).

create or replace view conformed.exchange_rate_crosswalk as
select system, stream, key, record, exchange_rate_id
from conformed.exchange_rate_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'exchange_rate')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'exchange_rate'));

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.exchange_rate_id
            , v.rate_key
            , v.rate_table
            , v.currency
            , v.effective_on
            , v.rate
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(_members, _loads, _mapping_versions, _given, o.attributes, o.origins)
                from conformed.exchange_rate_origin as o where o._publish_id <= v._publish_id order by o._publish_id desc limit 1
            ) as _provenance
        from conformed.exchange_rate_version as v
        where v._publish_id <= (select publish_id from ops.published where entity = 'exchange_rate')
            and (v._ended_publish_id is null or v._ended_publish_id > (select publish_id from ops.published where entity = 'exchange_rate'))
    $view$;
begin
    execute 'create or replace view conformed.exchange_rate as ' || definition;
exception when invalid_table_definition then
    drop view conformed.exchange_rate cascade; -- the marts that read it are made anew by the next publish
    execute 'create view conformed.exchange_rate as ' || definition;
end $do$;
comment on table mapped.exchange_rate__identifier is 'By what each living record could be recognised at the newest publish.';
comment on table conformed.exchange_rate_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.exchange_rate_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.exchange_rate_version._given is
    'Per attribute of conformed.exchange_rate_origin, whose value it is: the place of the record among _members.';
comment on column conformed.exchange_rate_version._merged_into is 'The golden record that took in its members, where it ended so.';
comment on table conformed.exchange_rate_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.exchange_rate is 'Exchange rate, in PLN for one unit: the golden records that are published now. One statement sees one publish.';
comment on column conformed.exchange_rate.rate_key is 'The table''s number and the currency.';
comment on column conformed.exchange_rate.rate_table is 'Which of the bank''s tables - A holds mid rates.';
comment on column conformed.exchange_rate.currency is 'The currency, ISO 4217.';
comment on column conformed.exchange_rate.effective_on is 'The day of the table.';
comment on column conformed.exchange_rate.rate is 'What one unit is worth in PLN.';

alter view conformed.exchange_rate owner to onefold_loader;
alter view conformed.exchange_rate_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.exchange_rate_version, conformed.exchange_rate_crosswalk_version, conformed.exchange_rate_origin, conformed.exchange_rate, conformed.exchange_rate_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.exchange_rate__identifier, conformed.exchange_rate_version, conformed.exchange_rate_crosswalk_version, conformed.exchange_rate_origin, conformed.exchange_rate, conformed.exchange_rate_crosswalk to onefold_engineer;
grant select (
    exchange_rate_id, source_of_truth, systems, record_count, _provenance
    , rate_key
    , rate_table
    , currency
    , effective_on
    , rate
) on conformed.exchange_rate to onefold_analyst, onefold_auditor;
grant select on conformed.exchange_rate to onefold_pii;
grant select on conformed.exchange_rate_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
