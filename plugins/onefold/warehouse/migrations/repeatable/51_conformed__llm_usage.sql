-- generated from catalog/entities/llm_usage.yaml; do not edit (bin/onefold generate)
-- The llm_usage as it is published: the views that analysts query, what they mean, and who may read which column.
-- Its tables are made and changed by numbered migrations, their indexes by the first publish, after its rows are in
-- (conform/publishing.py).

create or replace view conformed.llm_usage_crosswalk as
select system, stream, key, record, llm_usage_id
from conformed.llm_usage_crosswalk_version
where _publish_id <= (select publish_id from ops.published where entity = 'llm_usage')
    and (_ended_publish_id is null or _ended_publish_id > (select publish_id from ops.published where entity = 'llm_usage'));

-- A view's new columns may only come last; where an attribute was put in between, the view is made anew.
do $do$
declare
    definition text := $view$
        select v.llm_usage_id
            , v.usage_key
            , v.provider
            , v.project
            , v.model
            , v.item
            , v.used_on
            , v.input_tokens
            , v.cached_input_tokens
            , v.output_tokens
            , v.requests
            , v.cost
            , v.cost_currency
            , source_of_truth, _systems as systems, _records as record_count
            , (
                select conformed.provenance(_members, _loads, _mapping_versions, _given, o.attributes, o.origins)
                from conformed.llm_usage_origin as o where o._publish_id <= v._publish_id order by o._publish_id desc limit 1
            ) as _provenance
        from conformed.llm_usage_version as v
        where v._publish_id <= (select publish_id from ops.published where entity = 'llm_usage')
            and (v._ended_publish_id is null or v._ended_publish_id > (select publish_id from ops.published where entity = 'llm_usage'))
    $view$;
begin
    execute 'create or replace view conformed.llm_usage as ' || definition;
exception when invalid_table_definition then
    drop view conformed.llm_usage cascade; -- the marts that read it are made anew by the next publish
    execute 'create view conformed.llm_usage as ' || definition;
end $do$;
comment on table mapped.llm_usage__identifier is 'By what each living record could be recognised at the newest publish.';
comment on table conformed.llm_usage_version is
    'Every version of every golden record, with the publish that made it and the one that ended it.';
comment on column conformed.llm_usage_version._members is
    'Its records, the most trusted first; _loads and _mapping_versions are theirs, in the same order.';
comment on column conformed.llm_usage_version._given is
    'Per attribute of conformed.llm_usage_origin, whose value it is: the place of the record among _members.';
comment on column conformed.llm_usage_version._merged_into is 'The golden record that took in its members, where it ended so.';
comment on table conformed.llm_usage_origin is
    'From which field, through which transform each stream gives each attribute, since that publish.';
comment on view conformed.llm_usage is 'Use of AI models, by day and project: the golden records that are published now. One statement sees one publish.';
comment on column conformed.llm_usage.usage_key is 'Day, project and what was used.';
comment on column conformed.llm_usage.provider is 'Who bills it.';
comment on column conformed.llm_usage.project is 'The project (OpenAI) or workspace (Anthropic).';
comment on column conformed.llm_usage.model is 'The model, where the provider tells.';
comment on column conformed.llm_usage.item is 'What was billed.';
comment on column conformed.llm_usage.used_on is 'The day (UTC).';
comment on column conformed.llm_usage.input_tokens is 'Tokens sent, those that the provider had in its cache included.';
comment on column conformed.llm_usage.cached_input_tokens is 'Tokens read from the provider''s cache.';
comment on column conformed.llm_usage.output_tokens is 'Tokens received.';
comment on column conformed.llm_usage.requests is 'How many requests, where the provider tells.';
comment on column conformed.llm_usage.cost is 'What it cost, in cost_currency.';
comment on column conformed.llm_usage.cost_currency is 'The currency of cost, ISO 4217.';

alter view conformed.llm_usage owner to onefold_loader;
alter view conformed.llm_usage_crosswalk owner to onefold_loader;

-- The views read with their owner's rights: analysts need none on the tables, and get none. Revoking the table's right
-- takes the columns' rights along, so an attribute that became personal is closed here.
revoke all on conformed.llm_usage_version, conformed.llm_usage_crosswalk_version, conformed.llm_usage_origin, conformed.llm_usage, conformed.llm_usage_crosswalk
    from onefold_analyst, onefold_auditor, onefold_pii;
grant usage on schema conformed to onefold_pii, onefold_auditor;
grant select on mapped.llm_usage__identifier, conformed.llm_usage_version, conformed.llm_usage_crosswalk_version, conformed.llm_usage_origin, conformed.llm_usage, conformed.llm_usage_crosswalk to onefold_engineer;
grant select (
    llm_usage_id, source_of_truth, systems, record_count, _provenance
    , usage_key
    , provider
    , project
    , model
    , item
    , used_on
    , input_tokens
    , cached_input_tokens
    , output_tokens
    , requests
    , cost
    , cost_currency
) on conformed.llm_usage to onefold_analyst, onefold_auditor;
grant select on conformed.llm_usage to onefold_pii;
grant select on conformed.llm_usage_crosswalk to onefold_analyst, onefold_auditor, onefold_pii;
